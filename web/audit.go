package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"coldstart/web/classroom"
	"coldstart/web/view"
)

// auditPage is how many events one page of the log shows.
const auditPage = 50

// auditEvery is how often events that are too old are looked for.
const auditEvery = time.Hour

// audited is a kind of event of the audit log: its short name, which the store
// keeps, and the words for it.
type audited struct{ name, words string }

// auditWords has the words for every route with which an instructor or a host
// changes something, by method and path, and for the ways to become one.
var auditWords = map[string]audited{
	"POST /setup":                                 {"host.claim", "became the host"},
	"POST /account":                               {"account.accept", "chose a password and signed in"},
	"POST /signin":                                {"account.signin", "signed in"},
	"GET /signin/return":                          {"account.provider", "signed in with the provider"},
	"POST /signout":                               {"account.signout", "signed out"},
	"POST /host/accounts":                         {"account.create", "made the account"},
	"POST /host/accounts/:account/link":           {"account.link", "made a new link for the account"},
	"POST /host/accounts/:account/remove":         {"account.remove", "removed the account"},
	"POST /teach/lessons":                         {"lessons.upload", "uploaded lessons"},
	"POST /teach/lessons/:set/remove":             {"lessons.remove", "removed lessons"},
	"POST /classes":                               {"class.create", "made a class"},
	"POST /classes/:class/code":                   {"class.code", "made a new join code"},
	"POST /classes/:class/settings":               {"class.settings", "changed title, lessons or due dates"},
	"POST /classes/:class/end":                    {"class.end", "ended the class"},
	"POST /classes/:class/burst":                  {"class.burst", "fired a class burst"},
	"POST /classes/:class/members/:member/note":   {"learner.note", "sent a note"},
	"POST /classes/:class/members/:member/hand":   {"learner.hand", "took a hand down"},
	"POST /classes/:class/members/:member/remove": {"learner.remove", "took a learner out of the class"},
	"POST /classes/:class/members/:member/merge":  {"learner.merge", "merged a learner into another"},
}

// did notes whose doing this call is, for the audit log: an account, or "" for
// a host without one. Calls of routes for instructors and hosts need no note.
func (c *call) did(account, role string) { c.deed.Name, c.deed.Role = account, role }

// audit keeps what a call did. It is called once the call has done it; a call
// that changed nothing has answered with an error's status.
func (s *Site) audit(c *call, row route) {
	kind, ok := auditWords[row.method+" "+row.path]
	mine := row.changes() && (row.access == instructor || row.access == host)
	if !ok || c.w.status >= 400 || !mine && c.deed.Role == "" {
		return
	}
	ctx := context.WithoutCancel(c.r.Context()) // it is done, whoever has gone away since
	e := &c.deed
	e.Action, e.Address = kind.name, s.caller(c.r).Unmap().String()
	if e.Class == "" {
		e.Class = c.param("class")
	}
	e.Member = c.param("member")
	if err := s.actor(ctx, c, mine); err != nil && !errors.Is(err, classroom.ErrNotFound) {
		s.log.Error("the account behind an audit event was not found", "request", c.id, "route", row.path, "error", err)
	}
	if err := s.config.Store.Audit(ctx, *e); err != nil {
		s.log.Error("audit event not kept", "request", c.id, "route", row.path, "error", err)
	}
}

// actor completes who did it: an account whose session began with this call, or
// whose session asked for it. A host may have none.
func (s *Site) actor(ctx context.Context, c *call, mine bool) error {
	e := &c.deed
	e.Actor = c.session.workspace.ID
	var a classroom.Account
	var err error
	if mine {
		e.Role = c.session.workspace.Role
		a, err = s.config.Store.AccountOf(ctx, e.Actor)
		e.Name = a.Name
	} else if e.Name != "" {
		if a, err = s.config.Store.AccountByName(ctx, e.Name); err == nil && a.Workspace != "" {
			e.Actor = a.Workspace
		}
	}
	return err
}

// forgetAudit deletes events that are older than the host keeps them, until
// the site closes.
func (s *Site) forgetAudit() {
	tick := time.NewTicker(auditEvery)
	defer tick.Stop()
	for {
		err := s.config.Store.ForgetAudit(s.ctx, s.config.Now().Add(-s.config.AuditKeep))
		if err != nil && s.ctx.Err() == nil {
			s.log.Error("audit log not shortened", "error", err)
		}
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// auditKinds are the kinds of events by their words.
func auditKinds() []audited {
	var kinds []audited
	for _, kind := range auditWords {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, func(a, b audited) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	return kinds
}

func auditText(name string) string {
	for _, kind := range auditWords {
		if kind.name == name {
			return kind.words
		}
	}
	return name // of another version of the program
}

// auditQuery is what the address of the log chooses.
func (c *call) auditQuery() (classroom.AuditQuery, error) {
	v := c.r.URL.Query()
	q := classroom.AuditQuery{Name: v.Get("who"), Action: v.Get("what")}
	if before := v.Get("before"); before != "" {
		at, err := time.Parse(time.RFC3339Nano, before)
		if err != nil {
			return q, fail(http.StatusBadRequest, "This page of the log is not understood. Begin with its first page.")
		}
		q.Before = &classroom.AuditEvent{At: at, ID: v.Get("id")}
	}
	return q, nil
}

// hostAudit shows the audit log, the newest first.
func (s *Site) hostAudit(c *call) error {
	q, err := c.auditQuery()
	if err != nil {
		return err
	}
	q.Limit = auditPage + 1
	events, err := s.config.Store.AuditLog(c.r.Context(), q)
	if err != nil {
		return err
	}
	names, err := s.config.Store.AuditNames(c.r.Context())
	if err != nil {
		return err
	}
	chosen := url.Values{}
	if q.Name != "" {
		chosen.Set("who", q.Name)
	}
	if q.Action != "" {
		chosen.Set("what", q.Action)
	}
	p := view.AuditPage{Shell: c.shell(), Who: q.Name, What: q.Action, Names: names, CSV: address("/host/audit.csv", chosen), Days: int(s.config.AuditKeep.Hours() / 24)}
	for _, kind := range auditKinds() {
		p.Kinds = append(p.Kinds, view.Link{Text: kind.words, Href: kind.name})
	}
	if q.Before != nil {
		p.First = address("/host/audit", chosen)
	}
	if len(events) > auditPage {
		events = events[:auditPage]
		last := events[auditPage-1]
		chosen.Set("before", last.At.UTC().Format(time.RFC3339Nano))
		chosen.Set("id", last.ID)
		p.Older = address("/host/audit", chosen)
	}
	for _, e := range events {
		p.Rows = append(p.Rows, auditRow(e))
	}
	return c.page(http.StatusOK, view.Audit(p))
}

func address(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func auditRow(e classroom.AuditEvent) view.AuditRow {
	row := view.AuditRow{When: e.At, Who: e.Name, Did: auditText(e.Action), Address: e.Address}
	if row.Who == "" {
		row.Who = "the host, without an account"
	}
	called := func(name, id, gone string) {
		switch {
		case id == "":
		case name == "":
			row.On = append(row.On, gone+" ("+id+")")
		default:
			row.On = append(row.On, name)
		}
	}
	called(e.MemberName, e.Member, "a learner who has left")
	called(e.OtherName, e.Other, "a learner who has left")
	called(e.ClassTitle, e.Class, "a class that is gone")
	if e.Detail != "" {
		row.On = append(row.On, e.Detail)
	}
	return row
}

// hostAuditCSV is the whole log, or what is chosen of it.
func (s *Site) hostAuditCSV(c *call) error {
	q, err := c.auditQuery()
	if err != nil {
		return err
	}
	events, err := s.config.Store.AuditLog(c.r.Context(), q)
	if err != nil {
		return err
	}
	table := [][]string{{"time", "account", "role", "workspace", "action", "words", "class", "class_title", "member", "nickname", "other_member", "other_nickname", "detail", "address"}}
	for _, e := range events {
		row := []string{
			e.At.UTC().Format(time.RFC3339), e.Name, e.Role, e.Actor, e.Action, auditText(e.Action), e.Class, e.ClassTitle, e.Member, e.MemberName, e.Other, e.OtherName, e.Detail, e.Address,
		}
		for i := range row {
			row[i] = csvCell(row[i])
		}
		table = append(table, row)
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(table); err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="audit.csv"`)
	return c.send(http.StatusOK, "text/csv; charset=utf-8", b.Bytes())
}
