package web

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coldstart/web/classroom"
)

// Whatever an instructor or a host can change has words in the audit log, and
// no words are about nothing.
func TestEveryRouteOfInstructorsAndHostsHasWords(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	there, names := map[string]bool{}, map[string]string{}
	for _, row := range s.site.routes {
		key := row.method + " " + row.path
		there[key] = true
		if row.changes() && (row.access == instructor || row.access == host) && auditWords[key].words == "" {
			t.Errorf("%s has no words in the audit log", key)
		}
	}
	for key, kind := range auditWords {
		if !there[key] {
			t.Errorf("%s is in the audit log's words but is no route", key)
		}
		if other := names[kind.name]; other != "" || kind.name == "" || kind.words == "" {
			t.Errorf("%s is called %q, as is %q", key, kind.name, other)
		}
		names[kind.name] = key
	}
}

// host is a browser that has claimed the server's link.
func (s *server) host() *browser {
	s.t.Helper()
	link, err := s.site.AdminLink(s.t.Context(), s.url, false)
	if err != nil {
		s.t.Fatal(err)
	}
	b := s.browser()
	b.get("/")
	if r := b.form("/setup", "token", link[strings.Index(link, "token=")+6:]); r.status != 303 {
		s.t.Fatalf("setup gives %d %s", r.status, r.body)
	}
	return b
}

// auditLines is the log's CSV, the oldest entry first: account, action, class
// title, nicknames and detail.
func (b *browser) auditLines(query string) []string {
	b.s.t.Helper()
	r := b.get("/host/audit.csv" + query)
	table, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
	if r.status != 200 || err != nil || len(table) == 0 {
		b.s.t.Fatalf("the log gives %d %s, %v", r.status, r.body, err)
	}
	at := map[string]int{}
	for i, name := range table[0] {
		at[name] = i
	}
	var lines []string
	for _, row := range table[1:] {
		if row[at["address"]] != "127.0.0.1" || row[at["workspace"]] == "" || row[at["time"]] == "" {
			b.s.t.Errorf("an entry without where, who or when: %v", row)
		}
		lines = append(lines, strings.TrimRight(fmt.Sprint(row[at["account"]], "|", row[at["action"]], "|", row[at["class_title"]], "|", row[at["nickname"]], "|", row[at["other_nickname"]], "|", row[at["detail"]]), "|"))
	}
	slices.Reverse(lines)
	return lines
}

func TestAuditLog(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	boss := s.host()
	boss.form("/host/accounts", "name", "gone")
	gone, err := s.store.AccountByName(t.Context(), "gone")
	if err != nil {
		t.Fatal(err)
	}
	boss.form("/host/accounts", "name", "gone") // refused, so not in the log
	boss.send(boss.request("POST", "/host/accounts/"+gone.ID+"/link", "", nil))
	if r := boss.form("/host/accounts/" + gone.ID + "/remove"); r.status != 400 {
		t.Errorf("removing without the tick gives %d", r.status)
	}
	boss.form("/host/accounts/"+gone.ID+"/remove", "sure", "yes")
	ada := s.instructor("ada")
	class := ada.newClass("Period 3")
	grace, twin := s.browser(), s.browser()
	grace.join(class, "Grace")
	twin.join(class, "Twin")
	member, other := s.memberOf(class, "Grace").ID, s.memberOf(class, "Twin").ID
	at := "/classes/" + class.ID
	for _, form := range [][]string{
		{at + "/members/" + member + "/note", "text", "Well done, Grace."},
		{at + "/members/" + other + "/merge", "into", member},
		{at + "/settings", "title", "Period 4", "lesson", "hello"},
		{at + "/burst", "lesson", "hello", "path", "/"},
	} {
		if r := ada.form(form[0], form[1:]...); r.status != 303 {
			t.Fatalf("%s gives %d %s", form[0], r.status, r.body)
		}
	}
	for _, path := range []string{at + "/code", at + "/members/" + member + "/hand"} {
		if r := ada.send(ada.request("POST", path, "", nil)); r.status != 303 {
			t.Fatalf("%s gives %d %s", path, r.status, r.body)
		}
	}
	if r := ada.form(at+"/end", "sure", "no"); r.status != 400 {
		t.Errorf("ending without the tick gives %d", r.status)
	}
	ada.form(at+"/end", "sure", "yes")
	ada.send(ada.request("POST", "/signout", "", nil))
	ada.form("/signin", "name", "ada", "password", "wrong wrong wrong")
	ada.form("/signin", "name", "ada", "password", goodPassword)
	if r := ada.send(ada.request("POST", at+"/members/"+member+"/remove", "", nil)); r.status != 303 {
		t.Fatalf("removing gives %d", r.status)
	}
	want := []string{
		"|host.claim", "|account.create||||gone", "|account.link||||gone", "|account.remove||||gone", "ada|account.accept", "ada|class.create|Period 4",
		"ada|learner.note|Period 4", "ada|learner.merge|Period 4", "ada|class.settings|Period 4", "ada|class.burst|Period 4|||hello", "ada|class.code|Period 4",
		"ada|learner.hand|Period 4", "ada|class.end|Period 4", "ada|account.signout", "ada|account.signin", "ada|learner.remove|Period 4",
	}
	if diff := cmp.Diff(want, boss.auditLines("")); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
	if got := boss.auditLines("?who=ada&what=class.end"); len(got) != 1 {
		t.Errorf("of ada ending classes it has %v", got)
	}
	page := boss.get("/host/audit?who=ada")
	for _, part := range []string{"ended the class", "Period 4", "127.0.0.1", "a learner who has left (" + other + ")", "/host/audit.csv?who=ada"} {
		if page.status != 200 || !strings.Contains(page.body, part) {
			t.Errorf("the page of ada's entries (%d) lacks %q", page.status, part)
		}
	}
	if strings.Contains(page.body, "removed the account</td>") {
		t.Error("the page of ada's entries has the host's")
	}
	if r := ada.get("/host/audit"); r.status != http.StatusForbidden {
		t.Errorf("an instructor sees the log: %d", r.status)
	}
	if r := boss.get("/host/audit?before=yesterday"); r.status != http.StatusBadRequest {
		t.Errorf("a page that is none gives %d", r.status)
	}
}

// A learner who erases everything is called by no name any more, in the log or
// anywhere else in the database.
func TestAuditLogForgetsLearners(t *testing.T) {
	s := newServer(t, nil)
	boss := s.host()
	ada := s.instructor("ada")
	class := ada.newClass("Period 3")
	b := s.browser()
	b.join(class, "Wilhelmina")
	note := "/classes/" + class.ID + "/members/" + s.memberOf(class, "Wilhelmina").ID + "/note"
	if r := ada.form(note, "text", "Dear Wilhelmina"); r.status != 303 {
		t.Fatal(r.body)
	}
	if got := boss.auditLines("?what=learner.note"); len(got) != 1 || got[0] != "ada|learner.note|Period 3|Wilhelmina" {
		t.Errorf("before it says %v", got)
	}
	if !strings.Contains(s.rows(), "Wilhelmina") {
		t.Fatal("the test does not see names in the database")
	}
	if r := b.form("/you/erase", "sure", "yes"); r.status != 303 {
		t.Fatal(r.body)
	}
	if got := boss.auditLines("?what=learner.note"); len(got) != 1 || got[0] != "ada|learner.note|Period 3" {
		t.Errorf("after it says %v", got)
	}
	if text := strings.ToLower(s.rows()); strings.Contains(text, "wilhelmina") {
		t.Error("the name is in the database still")
	}
}

// The log is kept as long as the host says and shown in pages.
func TestAuditLogIsKeptForATime(t *testing.T) {
	s := newServer(t, nil)
	boss := s.host()
	for i := range auditPage + 10 {
		if err := s.store.Audit(t.Context(), classroom.AuditEvent{Actor: "w", Name: "ada", Role: classroom.RoleInstructor, Action: "class.code", Detail: fmt.Sprint("entry-", i, "."), Address: "127.0.0.1"}); err != nil {
			t.Fatal(err)
		}
	}
	first := boss.get("/host/audit?who=ada")
	_, after, _ := strings.Cut(first.body, `href="/host/audit?before=`)
	more, _, _ := strings.Cut(after, `"`)
	second := boss.get("/host/audit?before=" + strings.ReplaceAll(more, "&amp;", "&"))
	both := first.body + second.body
	if n := strings.Count(both, "entry-"); n != auditPage+10 || !strings.Contains(second.body, `href="/host/audit?who=ada"`) {
		t.Errorf("two pages show %d entries:\n%s", n, second.body)
	}
	later := s.site.config
	later.AuditKeep = time.Hour
	later.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	_, stop := startServer(t, later)
	defer stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		left, err := s.store.AuditLog(t.Context(), classroom.AuditQuery{})
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d entries that are too old are kept", len(left))
		}
	}
}
