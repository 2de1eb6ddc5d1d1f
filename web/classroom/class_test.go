package classroom

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coldstart/sandbox/trace"
)

func newClass(t *testing.T, s *Store, code string) (Workspace, Class) {
	t.Helper()
	w := newWorkspace(t, s)
	c, err := s.CreateClass(t.Context(), w.ID, "Period 3", []Assignment{{Lesson: "hello", Due: 5}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetCode(t.Context(), c.ID, 1, code); err != nil {
		t.Fatal(err)
	}
	return w, c
}

func join(t *testing.T, s *Store, class, nickname string) (Workspace, Member) {
	t.Helper()
	w := newWorkspace(t, s)
	m, err := s.Join(t.Context(), class, w.ID, nickname, strings.ToLower(nickname))
	if err != nil {
		t.Fatal(err)
	}
	return w, m
}

func TestDevicesAndPhrases(t *testing.T) {
	s, c := newStore(t)
	ctx := t.Context()
	w := newWorkspace(t, s)
	if err := s.SetPhrase(ctx, w.ID, "old words"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetPhrase(ctx, w.ID, "new words"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Resume(ctx, "old words"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the phrase before: %v", err)
	}
	first, err := s.Resume(ctx, "new words")
	if err != nil {
		t.Fatal(err)
	}
	for range KeepDevices {
		c.add(time.Second)
		if _, err := s.AddDevice(ctx, w.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Workspace(ctx, first); !errors.Is(err, ErrNotFound) {
		t.Errorf("the oldest of too many devices: %v", err)
	}
	last, err := s.AddDevice(ctx, w.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Workspace(ctx, last); err != nil || got.ID != w.ID {
		t.Errorf("device leads to %+v, %v", got, err)
	}
	if err := s.DropDevice(ctx, last); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Workspace(ctx, last); !errors.Is(err, ErrNotFound) {
		t.Errorf("a dropped device: %v", err)
	}
	other, err := s.Resume(ctx, "new words")
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := s.RotateToken(ctx, w.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Workspace(ctx, other); !errors.Is(err, ErrNotFound) {
		t.Errorf("a device after the rotation: %v", err)
	}
	if got, err := s.Workspace(ctx, rotated); err != nil || got.ID != w.ID {
		t.Errorf("the rotated token leads to %+v, %v", got, err)
	}
}

func TestAccounts(t *testing.T) {
	s, c := newStore(t)
	ctx := t.Context()
	a, err := s.CreateAccount(ctx, "ada", RoleInstructor)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateAccount(ctx, "ada", RoleInstructor); !errors.Is(err, ErrTaken) {
		t.Errorf("the same name again: %v", err)
	}
	dead, err := s.OfferAccount(ctx, a.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	offer, err := s.OfferAccount(ctx, a.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CheckAccountOffer(ctx, dead); !errors.Is(err, ErrNotFound) {
		t.Errorf("an offer that was replaced: %v", err)
	}
	host, err := s.OfferHost(ctx, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CheckAccountOffer(ctx, host); !errors.Is(err, ErrNotFound) {
		t.Errorf("the host's offer as an account's: %v", err)
	}
	w := newWorkspace(t, s)
	token, err := s.AcceptAccount(ctx, offer, "the hash", w.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Workspace(ctx, token); err != nil || got.ID != w.ID || got.Role != RoleInstructor {
		t.Errorf("accepted: %+v, %v", got, err)
	}
	if _, err := s.AcceptAccount(ctx, offer, "another", w.ID); !errors.Is(err, ErrUsed) {
		t.Errorf("a second use: %v", err)
	}
	if got, err := s.AccountOf(ctx, w.ID); err != nil || got.Password != "the hash" || got.Name != "ada" {
		t.Errorf("account %+v, %v", got, err)
	}
	elsewhere := newWorkspace(t, s)
	second, err := s.SignIn(ctx, a.ID, elsewhere.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Workspace(ctx, second); err != nil || got.ID != w.ID {
		t.Errorf("signed in elsewhere: %+v, %v", got, err)
	}
	// A learner's workspace that a class knows does not become an account's.
	_, class := newClass(t, s, "CODE")
	pupil, _ := join(t, s, class.ID, "pupil")
	b, err := s.CreateAccount(ctx, "bob", RoleInstructor)
	if err != nil {
		t.Fatal(err)
	}
	third, err := s.SignIn(ctx, b.ID, pupil.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Workspace(ctx, third); err != nil || got.ID == pupil.ID || got.Role != RoleInstructor {
		t.Errorf("an account took a learner's workspace: %+v, %v", got, err)
	}
	if err := s.AddIdentity(ctx, a.ID, "https://id", "1"); err != nil {
		t.Fatal(err)
	}
	for _, again := range [][2]string{{a.ID, "2"}, {b.ID, "1"}} {
		if err := s.AddIdentity(ctx, again[0], "https://id", again[1]); !errors.Is(err, ErrTaken) {
			t.Errorf("identity %v: %v", again, err)
		}
	}
	if got, err := s.AccountByIdentity(ctx, "https://id", "1"); err != nil || got.ID != a.ID {
		t.Errorf("by identity %+v, %v", got, err)
	}
	late, err := s.OfferAccount(ctx, b.ID, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	c.add(time.Hour)
	if _, err := s.AcceptAccount(ctx, late, "x", ""); !errors.Is(err, ErrExpired) {
		t.Errorf("a late use: %v", err)
	}
	if err := s.DeleteAccount(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	for _, dead := range []string{token, second} {
		if _, err := s.Workspace(ctx, dead); !errors.Is(err, ErrNotFound) {
			t.Errorf("a session of a deleted account: %v", err)
		}
	}
	if got, err := s.WorkspaceByID(ctx, w.ID); err != nil || got.Role != RoleLearner {
		t.Errorf("its workspace is %+v, %v", got, err)
	}
}

func TestClassCodesAndMembers(t *testing.T) {
	s, c := newStore(t)
	ctx := t.Context()
	owner, class := newClass(t, s, "OLD")
	_, other := newClass(t, s, "OTHER")
	if err := s.SetCode(ctx, class.ID, 2, "OTHER"); !errors.Is(err, ErrTaken) {
		t.Errorf("another class's code: %v", err)
	}
	if err := s.SetCode(ctx, class.ID, 2, "NEW"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ClassByCode(ctx, "OLD"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the code before: %v", err)
	}
	got, err := s.ClassByCode(ctx, "NEW")
	if err != nil || got.ID != class.ID || got.CodeNumber != 2 || got.Lessons[0] != (Assignment{"hello", 5}) {
		t.Errorf("class by code %+v, %v", got, err)
	}
	ada, m := join(t, s, class.ID, "Ada")
	if _, err := s.Join(ctx, class.ID, newWorkspace(t, s).ID, "ADA", "ada"); !errors.Is(err, ErrTaken) {
		t.Errorf("a nickname twice: %v", err)
	}
	if again, err := s.Join(ctx, class.ID, ada.ID, "Other", "other"); err != nil || again.ID != m.ID || again.Nickname != "Ada" {
		t.Errorf("joined again as %+v, %v", again, err)
	}
	if err := s.RaiseHand(ctx, class.ID, m.ID, true); err != nil {
		t.Fatal(err)
	}
	if err := s.SetBurst(ctx, class.ID, m.ID, true); err != nil {
		t.Fatal(err)
	}
	if err := s.SendNote(ctx, class.ID, m.ID, "hello", "Look at line 3."); err != nil {
		t.Fatal(err)
	}
	if err := s.SendNote(ctx, other.ID, m.ID, "", "x"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a note to another class's learner: %v", err)
	}
	c.add(time.Minute)
	if err := s.ReadNotes(ctx, class.ID, m.ID); err != nil {
		t.Fatal(err)
	}
	notes, err := s.Notes(ctx, class.ID, m.ID)
	if err != nil || len(notes) != 1 || notes[0].Text != "Look at line 3." || notes[0].Read.Sub(notes[0].Sent) != time.Minute {
		t.Errorf("notes %+v, %v", notes, err)
	}
	members, err := s.Members(ctx, class.ID)
	if err != nil || len(members) != 1 || members[0].Hand.IsZero() || !members[0].Burst || !members[0].Seen.IsZero() {
		t.Errorf("members %+v, %v", members, err)
	}
	if in, err := s.Memberships(ctx, ada.ID); err != nil || len(in) != 1 || in[0].Class.ID != class.ID || in[0].Member.ID != m.ID {
		t.Errorf("memberships %+v, %v", in, err)
	}
	if err := s.EndClass(ctx, class.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ClassByCode(ctx, "NEW"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the code of a class that ended: %v", err)
	}
	if in, err := s.Memberships(ctx, ada.ID); err != nil || len(in) != 0 {
		t.Errorf("memberships after the end %+v, %v", in, err)
	}
	if all, err := s.Classes(ctx, owner.ID); err != nil || len(all) != 1 || all[0].Ended.IsZero() {
		t.Errorf("the owner's classes %+v, %v", all, err)
	}
}

func TestWorkAndFailuresOfAClass(t *testing.T) {
	s, c := newStore(t)
	ctx := t.Context()
	_, class := newClass(t, s, "A")
	ada, m := join(t, s, class.ID, "Ada")
	outsider := newWorkspace(t, s)
	began := c.Now()
	for i := range 2 {
		for _, w := range []Workspace{ada, outsider} {
			err := s.SaveChecks(ctx, w.ID, "hello", []Check{
				{Name: "1: greets", Task: 1, Passed: true},
				{Name: "2: counts", Task: 2, Message: "Expected 7", Place: "src/index.js:3", Program: files([]string{"first", "second"}[i])},
			}, ChecksStopped)
			if err != nil {
				t.Fatal(err)
			}
		}
		c.add(time.Minute)
	}
	if err := s.SaveAnswer(ctx, ada.ID, "hello", "quiz-1", []string{"0"}, true); err != nil {
		t.Fatal(err)
	}
	if err := s.OpenHint(ctx, ada.ID, "hello", 2, 1); err != nil {
		t.Fatal(err)
	}
	for _, only := range [][]string{nil, {ada.ID, outsider.ID}} {
		all, err := s.WorkOf(ctx, class.ID, WorkFilter{Workspaces: only})
		if err != nil || len(all) != 1 {
			t.Fatalf("work %+v, %v", all, err)
		}
		w := all[ada.ID]["hello"]
		if w == nil || len(w.Checks) != 2 || w.Checks[1].Tries != 2 || !w.Checks[1].Began.Equal(began) || w.Checks[1].Passed || !w.Checks[0].Passed ||
			len(w.Answers) != 1 || !w.Answers[0].FirstCorrect || w.Hints[2] != 1 || !w.Started.Equal(began) {
			t.Errorf("work %+v", w)
		}
	}
	if all, err := s.WorkOf(ctx, class.ID, WorkFilter{Workspaces: []string{outsider.ID}}); err != nil || len(all) != 0 {
		t.Errorf("an outsider's work %+v, %v", all, err)
	}
	failures, err := s.Failures(ctx, class.ID, "hello", 2, 10)
	want := []Failure{{Member: m.ID, Name: "2: counts", Message: "Expected 7", Times: 2, Failed: began.Add(time.Minute), Program: files("second")}}
	if diff := cmp.Diff(want, failures); err != nil || diff != "" {
		t.Errorf("failures %v\n%s", err, diff)
	}
	members, err := s.Members(ctx, class.ID)
	if err != nil || members[0].Last != "Expected 7" || members[0].Place != "src/index.js:3" || members[0].Lesson != "hello" || !members[0].Seen.Equal(c.Now()) {
		t.Errorf("member %+v, %v", members, err)
	}
	for i := range KeepFailures + 5 {
		c.add(time.Second)
		if err := s.SaveChecks(ctx, ada.ID, "hello", []Check{{Name: "2: counts", Task: 2, Message: strings.Repeat("x", i+1), Program: files(strings.Repeat("y", maxProgram))}}, ChecksStopped); err != nil {
			t.Fatal(err)
		}
	}
	failures, err = s.Failures(ctx, class.ID, "hello", 2, 100)
	if err != nil || len(failures) != KeepFailures || len(failures[0].Program) != 0 {
		t.Errorf("%d failures are kept, %v", len(failures), err)
	}
}

func TestMergeLearners(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	_, class := newClass(t, s, "A")
	ada, a := join(t, s, class.ID, "Ada")
	ada2, b := join(t, s, class.ID, "Ada 2")
	save := func(w Workspace, id, text string) Project {
		p, err := s.Save(ctx, w.ID, id, Change{Files: files(text), Lesson: id})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	save(ada, "hello", "hers")
	twin, alone := save(ada2, "hello", "twin's"), save(ada2, "second", "alone")
	check := func(w Workspace, name string, passed bool) {
		end := ChecksStopped
		if passed {
			end = ChecksDone
		}
		if err := s.SaveChecks(ctx, w.ID, "hello", []Check{{Name: name, Task: 1, Passed: passed}}, end); err != nil {
			t.Fatal(err)
		}
	}
	check(ada, "1: a", false)
	check(ada2, "1: a", true)
	check(ada, "1: b", true)
	check(ada2, "1: b", false)
	token, err := s.AddDevice(ctx, ada2.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, elsewhere := newClass(t, s, "B")
	busy, x := join(t, s, class.ID, "Busy")
	if _, err := s.Join(ctx, elsewhere.ID, busy.ID, "Busy", "busy"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Merge(ctx, class.ID, x.ID, a.ID); !errors.Is(err, ErrElsewhere) {
		t.Errorf("merging somebody of another class: %v", err)
	}
	if _, err := s.Merge(ctx, class.ID, a.ID, a.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("merging with oneself: %v", err)
	}
	gone, err := s.Merge(ctx, class.ID, b.ID, a.ID)
	if err != nil || gone != ada2.ID {
		t.Fatal(gone, err)
	}
	if w, err := s.Workspace(ctx, token); err != nil || w.ID != ada.ID {
		t.Errorf("the twin's browser leads to %+v, %v", w, err)
	}
	checks, err := s.Checks(ctx, ada.ID, "hello")
	if err != nil || len(checks) != 2 || !checks[0].Passed || !checks[1].Passed {
		t.Errorf("checks %+v, %v", checks, err)
	}
	for id, want := range map[string]string{"hello": "hers", "hello-merged": "twin's", "second": "alone"} {
		p, err := s.Project(ctx, ada.ID, id, 0)
		if err != nil || string(p.Files["src/index.js"]) != want {
			t.Errorf("project %s %+v, %v", id, p, err)
		}
		if id == "second" && p.Slug != alone.Slug || id == "hello-merged" && p.Slug == twin.Slug {
			t.Errorf("project %s has the public name %s", id, p.Slug)
		}
	}
	if p, err := s.Progress(ctx, ada.ID); err != nil || p["hello"].Done.IsZero() {
		t.Errorf("progress %+v, %v", p, err)
	}
	if members, err := s.Members(ctx, class.ID); err != nil || len(members) != 2 {
		t.Errorf("members %+v, %v", members, err)
	}
}

func TestShares(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	w, other := newWorkspace(t, s), newWorkspace(t, s)
	made, err := s.CreateShare(ctx, Share{
		Workspace: w.ID, Lesson: "hello", Title: "Hello", Files: files("code"), Settings: Settings{Main: "src/index.js"},
		Run: &Run{ID: "r1", Method: "GET", Path: "/", Summary: trace.Summary{Outcome: "ok", Wall: 7}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Share(ctx, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made, got); diff != "" {
		t.Error(diff)
	}
	if _, err := s.CreateShare(ctx, Share{Workspace: w.ID, Files: files("x")}); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Shares(ctx, w.ID); err != nil || len(all) != 2 {
		t.Errorf("shares %+v, %v", all, err)
	}
	if err := s.DeleteShare(ctx, other.ID, made.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleting another's share: %v", err)
	}
	if err := s.DeleteShare(ctx, w.ID, made.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Share(ctx, made.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("a deleted share: %v", err)
	}
}

func TestFaultLine(t *testing.T) {
	f := &trace.Fault{Name: "TypeError", Message: "no\nsecond line", Frames: []trace.Frame{{File: "src/a.js", Line: 3}}}
	if m, p := FaultLine(f); m != "TypeError: no" || p != "src/a.js:3" {
		t.Errorf("%q at %q", m, p)
	}
	if m, p := FaultLine(nil); m != "" || p != "" {
		t.Errorf("%q at %q for no fault", m, p)
	}
	if got := OneLine(strings.Repeat("é", maxLine)); len(got) > maxLine || !strings.HasSuffix(got, "é…") {
		t.Errorf("a long line becomes %d bytes", len(got))
	}
}
