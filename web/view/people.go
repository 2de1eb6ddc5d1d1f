package view

import (
	"strings"
	"time"

	"github.com/a-h/templ"
)

// JoinPage is where a learner types a class's code and a nickname.
type JoinPage struct {
	Shell
	Code  string // as typed, or as the link gave it
	Name  string
	Error string // why it did not work; "" at first
	Field string // what Error is about: "code" or "nickname"
}

// WelcomePage shows the resume phrase, once.
type WelcomePage struct {
	Shell
	Phrase   string
	Class    string // joined just now; "" when only the phrase is new
	Nickname string
	Next     Link
}

// ResumePage is where a learner types the phrase on another device.
type ResumePage struct {
	Shell
	Error string
}

// YouPage is what a learner keeps here, and how to take it away.
type YouPage struct {
	Shell
	Classes []YouClass
	Shares  []ShareRow
	Host    bool   // this browser is the host's
	Account string // name of the account this browser is signed in with; "" for none
	Begun   bool   // anything is kept at all
	Owner   bool   // of classes: the work cannot be deleted while one goes on
	Error   string // why an import was refused; "" for none
	Field   string // what Error is about: "title", "zip" or "text"
	Title   string // as typed for the import
	Text    string // as typed for the import
}

// YouClass is a class as its learner sees it.
type YouClass struct {
	ID       string
	Title    string
	Nickname string
	Hand     bool
	Burst    bool
	Lessons  []YouLesson
	Notes    []NoteRow
	Unread   bool
}

// YouLesson is a lesson of a class's set.
type YouLesson struct {
	Title string
	Href  string
	Due   time.Time // zero for none
	Done  bool
}

// NoteRow is a note of an instructor.
type NoteRow struct {
	Lesson string // title; may be ""
	Text   string
	Sent   time.Time
	Read   bool
}

// ShareRow is a link that a learner shares.
type ShareRow struct {
	ID    string
	Title string
	Made  time.Time
}

// SignInPage is where instructors sign in.
type SignInPage struct {
	Shell
	Name     string
	Error    string
	Provider string // name on the button of the school's own sign-in; "" for none
}

// AccountPage is where the owner of an account chooses a password.
type AccountPage struct {
	Shell
	Token string
	Name  string
	Error string
}

// HostPage is where the host makes instructors' accounts.
type HostPage struct {
	Shell
	Accounts []AccountRow
	Offered  string // name of the account for which Link was made just now
	Link     string // shown once
	Error    string
	Provider string // of identities; "" for none
	Settings []HostSetting
}

// HostSetting is something that a host set when the server started.
type HostSetting struct {
	Name, Value string // in words
	Flag        string // with which it is set
}

// AccountRow is one account in the host's list.
type AccountRow struct {
	ID    string
	Name  string
	Role  string
	Ready bool // somebody has signed in with it
	Self  bool // of the host who looks
	Made  time.Time
}

// AuditPage is what instructors and hosts did.
type AuditPage struct {
	Shell
	Rows  []AuditRow
	Days  int      // for how many the log is kept
	Who   string   // chosen account; "" for all
	What  string   // chosen kind of event; "" for all
	Names []string // accounts to choose from
	Kinds []Link   // kinds to choose from: words, and short name as Href
	CSV   string   // address of what is chosen
	First string   // address of the first page; "" on that one
	Older string   // address of the next page; "" on the last one
}

// AuditRow is one thing that was done.
type AuditRow struct {
	When    time.Time
	Who     string
	Did     string
	On      []string // what or whom it was done to
	Address string   // network address it was done from
}

// blamed are the attributes of a form's field. One that was refused is marked,
// is described by the complaint and has the focus; first gives it to a field of
// a form that was not. Help is the id of what else describes the field.
func blamed(refused, first bool, help string) templ.Attributes {
	about := help
	if refused {
		about = strings.TrimSpace("form-error " + help)
	}
	a := templ.Attributes{"autofocus": refused || first}
	if about != "" {
		a["aria-describedby"] = about
	}
	if refused {
		a["aria-invalid"] = "true"
	}
	return a
}

func peopleShell(s Shell, title string, crumbs ...Link) Shell {
	s.Title = title
	if s.Crumbs == nil {
		s.Crumbs = append([]Link{{Text: "Lessons", Href: "/#journey"}}, append(crumbs, Link{Text: title})...)
	}
	return s
}

// CodeText is a join code as people read it: ABCD-EFGH.
func CodeText(code string) string {
	code = strings.ToUpper(code)
	if len(code) != 8 {
		return code
	}
	return code[:4] + "-" + code[4:]
}

// spelled is a code letter by letter, for screen readers.
func spelled(code string) string {
	return strings.Join(strings.Split(strings.ReplaceAll(CodeText(code), "-", ""), ""), " ")
}

// date is a day as shown in lists: 3 Dec 2026.
func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006")
}

// dateTime is a moment as shown in lists.
func dateTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan, 15:04") + " UTC"
}

// moment is an exact moment as shown in records.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// inputDate is a day as <input type=date> takes it.
func inputDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02")
}

func accountState(a AccountRow) string {
	if a.Ready {
		return "in use"
	}
	return "not used yet"
}
