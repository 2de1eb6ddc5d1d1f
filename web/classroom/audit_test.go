package classroom

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAuditLogInPages(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	c := newDatabase(t)
	c.Now = func() time.Time { return now }
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range 7 {
		if i != 3 { // two at one moment
			now = now.Add(time.Hour)
		}
		e := AuditEvent{Actor: "w", Name: []string{"ada", "bob"}[i%2], Role: RoleInstructor, Action: "class.end", Detail: fmt.Sprint(i), Address: "192.0.2.1"}
		if i == 6 {
			e.Action = "class.create"
		}
		if err := s.Audit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	// read goes through every page and gives the details in order.
	read := func(q AuditQuery) (all []string) {
		t.Helper()
		for {
			page, err := s.AuditLog(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range page {
				all = append(all, e.Detail)
				if i == 0 && q.Before != nil && e.At.After(q.Before.At) {
					t.Errorf("%s comes after a newer one", e.Detail)
				}
			}
			if q.Limit == 0 || len(page) < q.Limit {
				return all
			}
			q.Before = &page[len(page)-1]
		}
	}
	whole := read(AuditQuery{})
	if len(whole) != 7 || whole[0] != "6" || whole[6] != "0" {
		t.Errorf("the log is %v", whole)
	}
	for _, limit := range []int{1, 2, 3, 7} {
		if got := read(AuditQuery{Limit: limit}); cmp.Diff(whole, got) != "" {
			t.Errorf("in pages of %d it is %v", limit, got)
		}
	}
	if got := read(AuditQuery{Name: "ada", Limit: 2}); cmp.Diff([]string{"6", "4", "2", "0"}, got) != "" {
		t.Errorf("of ada it has %v", got)
	}
	if got := read(AuditQuery{Name: "ada", Action: "class.end"}); cmp.Diff([]string{"4", "2", "0"}, got) != "" {
		t.Errorf("ada ended %v", got)
	}
	if names, err := s.AuditNames(t.Context()); err != nil || cmp.Diff([]string{"ada", "bob"}, names) != "" {
		t.Errorf("names are %v, %v", names, err)
	}
	if err := s.ForgetAudit(t.Context(), now.Add(-90*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := read(AuditQuery{}); cmp.Diff([]string{"6", "5"}, got) != "" {
		t.Errorf("after forgetting it has %v", got)
	}
}

// What is called something else, or is gone, is not called by an old name.
func TestAuditLogCallsThingsByTheirNamesNow(t *testing.T) {
	s, _ := newStore(t)
	teacher, pupil := newWorkspace(t, s), newWorkspace(t, s)
	class, err := s.CreateClass(t.Context(), teacher.ID, "Period 3", nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Join(t.Context(), class.ID, pupil.ID, "Grace", "grace")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Audit(t.Context(), AuditEvent{Actor: teacher.ID, Role: RoleInstructor, Action: "note.send", Class: class.ID, Member: m.ID}); err != nil {
		t.Fatal(err)
	}
	one := func() AuditEvent {
		t.Helper()
		all, err := s.AuditLog(t.Context(), AuditQuery{})
		if err != nil || len(all) != 1 {
			t.Fatalf("the log is %v, %v", all, err)
		}
		return all[0]
	}
	if e := one(); e.ClassTitle != "Period 3" || e.MemberName != "Grace" {
		t.Errorf("it says %q, %q", e.ClassTitle, e.MemberName)
	}
	if err := s.DeleteWorkspace(t.Context(), pupil.ID); err != nil {
		t.Fatal(err)
	}
	if e := one(); e.ClassTitle != "Period 3" || e.MemberName != "" || e.Member != m.ID {
		t.Errorf("after the learner erased everything it says %q, %q, %q", e.ClassTitle, e.MemberName, e.Member)
	}
}
