package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"coldstart/web/classroom"
	"coldstart/web/live"
	"coldstart/web/view"
)

// code is the join code of a class: made from the server's secret, so that the
// database holds nothing but its hash.
func (s *Site) code(class string, number int64) string {
	return s.name(8, "join code", class, fmt.Sprint(number))
}

// newCode gives a class the next code that no other class has.
func (s *Site) newCode(ctx context.Context, c classroom.Class) error {
	for number := c.CodeNumber + 1; ; number++ {
		err := s.config.Store.SetCode(ctx, c.ID, number, s.code(c.ID, number))
		if !errors.Is(err, classroom.ErrTaken) || number > c.CodeNumber+10 {
			return err
		}
	}
}

// codeForm is a typed code as it is compared: Crockford's alphabet in small
// letters, with the letters that look like figures read as those.
func codeForm(typed string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(typed) {
		switch {
		case r == 'o':
			r = '0'
		case r == 'i' || r == 'l':
			r = '1'
		case r != 'u' && r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
		default:
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// nickname is a typed nickname as it is shown, and folded as two are compared;
// "" when it cannot be used.
func nickname(typed string) (shown, folded string) {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, typed)
	shown = strings.Join(strings.Fields(clean), " ")
	if utf8.RuneCountInString(shown) > 40 {
		return "", ""
	}
	return shown, strings.ToLower(shown)
}

func (s *Site) joinPage(c *call) error {
	return c.page(http.StatusOK, view.Join(view.JoinPage{Shell: c.shell(), Code: shownCode(c.r.URL.Query().Get("code"))}))
}

func shownCode(typed string) string {
	code := codeForm(typed)
	if len(code) > 20 {
		return ""
	}
	return view.CodeText(code)
}

// joinLink is the short address that a class's link and QR code hold.
func (s *Site) joinLink(c *call) error {
	return c.seeOther("/join?code=" + shownCode(c.param("code")))
}

const tooManyTries = "Too many wrong tries from your network. Wait a moment, then type it again."

func (s *Site) join(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	address := bucketKey(s.caller(c.r))
	judged, err := s.codes.enter(c.r.Context(), address, tooManyTries)
	if err != nil {
		return err
	}
	defer judged()
	refused := func(field, format string, args ...any) error {
		p := view.JoinPage{Shell: c.shell(), Code: shownCode(form.Get("code")), Name: form.Get("nickname"), Error: fmt.Sprintf(format, args...), Field: field}
		if len(p.Name) > 200 {
			p.Name = ""
		}
		return c.page(http.StatusUnprocessableEntity, view.Join(p))
	}
	shown, folded := nickname(form.Get("nickname"))
	if shown == "" {
		return refused("nickname", "A nickname has 1 to 40 characters.")
	}
	code := codeForm(form.Get("code"))
	class, err := s.config.Store.ClassByCode(c.r.Context(), code)
	if errors.Is(err, classroom.ErrNotFound) || len(code) != 8 {
		s.codes.wrong(address)
		return refused("code", "That code opens no class. It may have expired: ask your instructor for today’s.")
	}
	judged()
	if err != nil {
		return err
	}
	before, err := s.config.Store.Memberships(c.r.Context(), c.session.workspace.ID)
	if err != nil {
		return err
	}
	m, err := s.config.Store.Join(c.r.Context(), class.ID, c.session.workspace.ID, shown, folded)
	switch {
	case errors.Is(err, classroom.ErrTaken):
		return refused("nickname", "Somebody in this class is %s already. If that is you, use your resume phrase; else take another nickname.", shown)
	case errors.Is(err, classroom.ErrCrowded):
		return refused("code", "This class is full: %d learners.", classroom.MaxMembers)
	case err != nil:
		return err
	}
	s.classChanged(class.ID)
	for _, b := range before {
		if b.Class.ID == class.ID {
			return c.seeOther("/you") // was in it already, and has a phrase
		}
	}
	if len(before) > 0 {
		return c.seeOther("/you")
	}
	return s.showPhrase(c, class.Title, m.Nickname)
}

// showPhrase makes a new resume phrase and shows it, this once.
func (s *Site) showPhrase(c *call, class, name string) error {
	phrase := newPhrase()
	if err := s.config.Store.SetPhrase(c.r.Context(), c.session.workspace.ID, phrase); err != nil {
		return err
	}
	return c.page(http.StatusOK, view.Welcome(view.WelcomePage{
		Shell: c.shell(), Phrase: phrase, Class: class, Nickname: name, Next: view.Link{Text: "I have written it down", Href: "/you"},
	}))
}

func (s *Site) resumePage(c *call) error {
	return c.page(http.StatusOK, view.ResumeView(view.ResumePage{Shell: c.shell()}))
}

func (s *Site) resume(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	address := bucketKey(s.caller(c.r))
	judged, err := s.phrases.enter(c.r.Context(), address, tooManyTries)
	if err != nil {
		return err
	}
	defer judged()
	token, err := s.config.Store.Resume(c.r.Context(), phraseForm(form.Get("phrase")))
	if errors.Is(err, classroom.ErrNotFound) {
		s.phrases.wrong(address)
		return c.page(http.StatusUnprocessableEntity, view.ResumeView(view.ResumePage{Shell: c.shell(), Error: "That phrase opens nothing. It has six words, in their order."}))
	}
	if err != nil {
		return err
	}
	c.enter(token)
	return c.seeOther("/you")
}

// enter gives this browser another session.
func (c *call) enter(token string) {
	c.w.Header().Del("Set-Cookie")
	c.site.setCookie(c.w, c.r, token)
}

// you is what a learner keeps here.
func (s *Site) you(c *call) error {
	return s.showYou(c, http.StatusOK, view.YouPage{})
}

// showYou shows that page; p says what was wrong with a form of it.
func (s *Site) showYou(c *call, status int, p view.YouPage) error {
	p.Shell, p.Begun = c.shell(), c.session.stored
	if !c.session.stored {
		return c.page(status, view.You(p))
	}
	ctx, store, me := c.r.Context(), s.config.Store, c.session.workspace.ID
	memberships, err := store.Memberships(ctx, me)
	if err != nil {
		return err
	}
	progress, err := store.Progress(ctx, me)
	if err != nil {
		return err
	}
	for _, x := range memberships {
		class := view.YouClass{ID: x.Class.ID, Title: x.Class.Title, Nickname: x.Member.Nickname, Hand: !x.Member.Hand.IsZero(), Burst: x.Member.Burst}
		for _, a := range x.Class.Lessons {
			if l := s.lessonByID(a.Lesson); l != nil {
				class.Lessons = append(class.Lessons, view.YouLesson{Title: l.Title, Href: l.URL(), Due: due(a), Done: !progress[l.ID].Done.IsZero()})
			}
		}
		notes, err := store.Notes(ctx, x.Class.ID, x.Member.ID)
		if err != nil {
			return err
		}
		class.Notes = s.noteRows(notes)
		for _, n := range notes {
			class.Unread = class.Unread || n.Read.IsZero()
		}
		p.Classes = append(p.Classes, class)
	}
	shares, err := store.Shares(ctx, me)
	if err != nil {
		return err
	}
	for _, sh := range shares {
		p.Shares = append(p.Shares, view.ShareRow{ID: sh.ID, Title: sh.Title, Made: sh.Created})
	}
	p.Host = c.session.workspace.Role == classroom.RoleHost
	if a, err := store.AccountOf(ctx, me); err == nil {
		p.Account = a.Name
	} else if !errors.Is(err, classroom.ErrNotFound) {
		return err
	}
	if p.Owner, err = s.teaches(ctx, me); err != nil {
		return err
	}
	return c.page(status, view.You(p))
}

func due(a classroom.Assignment) time.Time {
	if a.Due == 0 {
		return time.Time{}
	}
	return time.UnixMilli(a.Due)
}

func (s *Site) noteRows(notes []classroom.Note) []view.NoteRow {
	var rows []view.NoteRow
	for _, n := range notes {
		row := view.NoteRow{Text: n.Text, Sent: n.Sent, Read: !n.Read.IsZero()}
		if l := s.lessonByID(n.Lesson); l != nil {
			row.Lesson = l.Title
		}
		rows = append(rows, row)
	}
	return rows
}

// teaches reports whether a workspace owns a class that goes on.
func (s *Site) teaches(ctx context.Context, workspace string) (bool, error) {
	classes, err := s.config.Store.Classes(ctx, workspace)
	for _, class := range classes {
		if class.Ended.IsZero() {
			return true, err
		}
	}
	return false, err
}

// membership is this learner's place in the class that a form names.
func (s *Site) membership(c *call, class string) (classroom.Membership, error) {
	all, err := s.config.Store.Memberships(c.r.Context(), c.session.workspace.ID)
	if err != nil {
		return classroom.Membership{}, err
	}
	for _, m := range all {
		if m.Class.ID == class {
			return m, nil
		}
	}
	return classroom.Membership{}, fail(http.StatusNotFound, "You are not in that class any more.")
}

// member does one thing with this learner's place in a class.
func (s *Site) member(c *call, do func(m classroom.Membership, field func(string) string) error) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	m, err := s.membership(c, form.Get("class"))
	if err != nil {
		return err
	}
	if err := do(m, form.Get); err != nil {
		return err
	}
	s.touched(c.session.workspace.ID, noLesson)
	s.news(c.session.workspace.ID)
	if l := s.lessonByID(form.Get("lesson")); l != nil { // asked for there
		return c.seeOther(l.URL())
	}
	return c.seeOther("/you")
}

func (s *Site) youHand(c *call) error {
	return s.member(c, func(m classroom.Membership, field func(string) string) error {
		return s.config.Store.RaiseHand(c.r.Context(), m.Class.ID, m.Member.ID, field("up") == "yes")
	})
}

func (s *Site) youBurst(c *call) error {
	return s.member(c, func(m classroom.Membership, field func(string) string) error {
		return s.config.Store.SetBurst(c.r.Context(), m.Class.ID, m.Member.ID, field("on") == "yes")
	})
}

func (s *Site) youRead(c *call) error {
	return s.member(c, func(m classroom.Membership, _ func(string) string) error {
		return s.config.Store.ReadNotes(c.r.Context(), m.Class.ID, m.Member.ID)
	})
}

func (s *Site) youLeave(c *call) error {
	return s.member(c, func(m classroom.Membership, _ func(string) string) error {
		if err := s.config.Store.RemoveMember(c.r.Context(), m.Class.ID, m.Member.ID); err != nil {
			return err
		}
		s.classChanged(m.Class.ID)
		return nil
	})
}

func (s *Site) youPhrase(c *call) error { return s.showPhrase(c, "", "") }

// youErase deletes everything that is kept of a learner.
func (s *Site) youErase(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	if form.Get("sure") != "yes" {
		return fail(http.StatusBadRequest, "Tick the box first: nobody can bring it back.")
	}
	ctx, me := c.r.Context(), c.session.workspace.ID
	owner, err := s.teaches(ctx, me)
	if err != nil {
		return err
	}
	if owner {
		return fail(http.StatusConflict, "You have classes that go on. End them first.")
	}
	memberships, err := s.config.Store.Memberships(ctx, me)
	if err != nil {
		return err
	}
	if err := s.eraseWorkspace(ctx, me); err != nil {
		return err
	}
	for _, m := range memberships {
		s.classChanged(m.Class.ID)
	}
	c.enter(s.newSession().token)
	return c.seeOther("/")
}

// eraseWorkspace deletes a workspace with its Workers' isolates.
func (s *Site) eraseWorkspace(ctx context.Context, workspace string) error {
	projects, err := s.config.Store.Projects(ctx, workspace)
	if err != nil {
		return err
	}
	if err := s.config.Store.DeleteWorkspace(ctx, workspace); err != nil {
		return err
	}
	s.forgetWorkers(projects)
	return nil
}

// classNews is what a learner's class says to them now, and the class in which
// their hand is up or may go up, "" for a learner in none.
func (s *Site) classNews(ctx context.Context, workspace string) (news live.ClassNews, class string, err error) {
	all, err := s.config.Store.Memberships(ctx, workspace)
	if err != nil {
		return news, "", err
	}
	return s.newsOf(ctx, all)
}

func (s *Site) newsOf(ctx context.Context, all []classroom.Membership) (news live.ClassNews, class string, err error) {
	for _, m := range all {
		if class == "" || !news.Hand && !m.Member.Hand.IsZero() {
			class, news.Hand = m.Class.ID, !m.Member.Hand.IsZero()
		}
		notes, err := s.config.Store.Notes(ctx, m.Class.ID, m.Member.ID)
		if err != nil {
			return news, "", err
		}
		for _, n := range notes {
			if n.Read.IsZero() && news.Note == "" {
				news.Note = n.Text
			}
		}
	}
	return news, class, nil
}

// inClass puts an instructor's newest unread note above a lesson, the learner's
// hand into its bar, and the day by which it is due.
func (s *Site) inClass(c *call, p *view.LessonPage) error {
	if !c.session.stored || teacher(c.session.workspace) {
		return nil
	}
	all, err := s.config.Store.Memberships(c.r.Context(), c.session.workspace.ID)
	if err != nil || len(all) == 0 {
		return err
	}
	news, class, err := s.newsOf(c.r.Context(), all)
	if err != nil {
		return err
	}
	for _, m := range all {
		for _, a := range m.Class.Lessons {
			if day := due(a); a.Lesson == p.Project && !day.IsZero() && (p.Due.IsZero() || day.Before(p.Due)) {
				p.Due = day
			}
		}
	}
	p.Hand = &view.Hand{Class: class, Lesson: p.Project, Up: news.Hand}
	if news.Note != "" {
		p.Letter = news.Note
		p.Class = &view.Link{Text: "You and your classes: a new note", Href: "/you"}
	}
	return nil
}
