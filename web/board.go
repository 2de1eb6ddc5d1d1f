package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"coldstart/web/classroom"
	"coldstart/web/live"
	"coldstart/web/view"
)

// How often a live view hears of changes, and of time that went by.
const (
	boardEvery = 500 * time.Millisecond
	boardTick  = 20 * time.Second
	maxViewers = 20 // live views of one instructor

	fewLearners = 30 // whom it is quicker to read one by one than the whole class
)

// boards tell the live views of classes which learners did something. What
// they did is in the store; only names of workspaces go through here.
type boards struct {
	mu      sync.Mutex
	viewers map[string]map[*viewer]bool // by class
	byOwner map[string]int
}

// viewer is one live view.
type viewer struct {
	wake    chan struct{}
	members map[string]bool // workspaces of the class
	dirty   map[string]bool // workspaces that did something
	all     bool            // who is in the class has changed
}

func newBoards() *boards {
	return &boards{viewers: map[string]map[*viewer]bool{}, byOwner: map[string]int{}}
}

func (v *viewer) poke() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// open adds a live view, nil when its owner has too many.
func (b *boards) open(class, owner string) *viewer {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byOwner[owner] >= maxViewers {
		return nil
	}
	b.byOwner[owner]++
	if b.viewers[class] == nil {
		b.viewers[class] = map[*viewer]bool{}
	}
	v := &viewer{wake: make(chan struct{}, 1), dirty: map[string]bool{}, all: true}
	b.viewers[class][v] = true
	v.poke()
	return v
}

// count is how many live views are open.
func (b *boards) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, viewers := range b.viewers {
		n += len(viewers)
	}
	return n
}

func (b *boards) close(class, owner string, v *viewer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if delete(b.viewers[class], v); len(b.viewers[class]) == 0 {
		delete(b.viewers, class)
	}
	if b.byOwner[owner]--; b.byOwner[owner] == 0 {
		delete(b.byOwner, owner)
	}
}

// touched notes that a learner did something. It returns at once.
func (b *boards) touched(workspace string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, viewers := range b.viewers {
		for v := range viewers {
			if v.members[workspace] {
				v.dirty[workspace] = true
				v.poke()
			}
		}
	}
}

// changed notes that the members of a class, or what they say of themselves, changed.
func (b *boards) changed(class string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for v := range b.viewers[class] {
		v.all = true
		v.poke()
	}
}

// missed notes that anything may have happened.
func (b *boards) missed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, viewers := range b.viewers {
		for v := range viewers {
			v.all = true
			v.poke()
		}
	}
}

// take empties what a viewer was told.
func (b *boards) take(v *viewer) (dirty []string, all bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for w := range v.dirty {
		dirty = append(dirty, w)
	}
	all = v.all
	v.dirty, v.all = map[string]bool{}, false
	return dirty, all
}

func (b *boards) follow(v *viewer, members []classroom.Member) {
	of := make(map[string]bool, len(members))
	for _, m := range members {
		of[m.Workspace] = true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	v.members = of
}

// seen is the store as the hub uses it: who does something is told on.
type seen struct {
	live.Store
	touched func(workspace string)
}

func (s seen) SaveRuns(ctx context.Context, workspace, project string, runs ...classroom.Run) error {
	err := s.Store.SaveRuns(ctx, workspace, project, runs...)
	s.touched(workspace)
	return err
}

func (s seen) SaveChecks(ctx context.Context, workspace, lesson string, checks []classroom.Check, end classroom.ChecksEnd) error {
	err := s.Store.SaveChecks(ctx, workspace, lesson, checks, end)
	s.touched(workspace)
	return err
}

// boardMessage is what a live view is sent: rows that differ, their order, the sum.
type boardMessage struct {
	Rows  []boardRow `json:"rows"`
	Order []string   `json:"order"`
	Sum   string     `json:"sum"`
	Say   string     `json:"say,omitempty"` // hands that went up
}

type boardRow struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

// board draws one live view, remembering what it has sent.
type board struct {
	s     *Site
	class string
	owner string
	order string
	v     *viewer

	members []classroom.Member
	work    map[string]map[string]*classroom.Work
	sent    map[string]view.GridRow // by member, as sent last
	began   bool
}

var errGone = errors.New("web: the class is not this instructor's any more")

// next draws what changed; nil for nothing.
func (b *board) next(ctx context.Context) (*boardMessage, error) {
	store := b.s.config.Store
	class, err := store.Class(ctx, b.class)
	if errors.Is(err, classroom.ErrNotFound) || err == nil && class.Owner != b.owner {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	dirty, all := b.s.boards.take(b.v)
	if all || len(dirty) > 0 {
		few := !all && len(dirty) <= fewLearners
		if few {
			if few, err = b.again(ctx, dirty); err != nil {
				return nil, err
			}
		}
		if !few {
			members, err := store.Members(ctx, b.class)
			if err != nil {
				return nil, err
			}
			b.members = members
			b.s.boards.follow(b.v, members)
		}
		if all {
			dirty = nil
		}
		work, err := store.WorkOf(ctx, b.class, dirty...)
		if err != nil {
			return nil, err
		}
		if all || b.work == nil {
			b.work = work
		}
		for _, w := range dirty {
			b.work[w] = work[w]
		}
	}
	return b.draw(ctx, class)
}

// again reads the places of a few learners anew; false when one of them has none.
func (b *board) again(ctx context.Context, workspaces []string) (bool, error) {
	for _, w := range workspaces {
		m, err := b.s.config.Store.MemberOf(ctx, b.class, w)
		i := slices.IndexFunc(b.members, func(o classroom.Member) bool { return o.Workspace == w })
		if errors.Is(err, classroom.ErrNotFound) || err == nil && i < 0 {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		b.members[i] = m
	}
	return true, nil
}

// draw makes every row from what is known and renders those that differ. Time
// alone can change one: stuck since, here.
func (b *board) draw(ctx context.Context, class classroom.Class) (*boardMessage, error) {
	all, now := gridLessons(b.s.assigned(class)), b.s.config.Now()
	g := view.Grid{Class: class.ID, Lessons: all, Order: b.order}
	for _, m := range b.members {
		g.Rows = append(g.Rows, gridRow(class.ID, m, b.work[m.Workspace], all, now))
	}
	sortRows(g.Rows, b.order)
	m := &boardMessage{Rows: []boardRow{}, Order: []string{}}
	var html bytes.Buffer
	sent := make(map[string]view.GridRow, len(g.Rows))
	for _, row := range g.Rows {
		before, known := b.sent[row.ID]
		sent[row.ID] = row
		m.Order = append(m.Order, row.ID)
		if known && before.Equal(row) {
			continue
		}
		html.Reset()
		if err := view.Row(row).Render(ctx, &html); err != nil {
			return nil, err
		}
		m.Rows = append(m.Rows, boardRow{row.ID, html.String()})
		if row.Hand && !before.Hand && b.began {
			m.Say = row.Name + " raised a hand."
		}
	}
	b.sent = sent
	html.Reset()
	if err := view.ClassSum(g).Render(ctx, &html); err != nil {
		return nil, err
	}
	m.Sum = html.String()
	b.began = true
	return m, nil
}

// classLive sends a live view what changes, at most twice a second, as
// server-sent events. Everything is in each connection's first message, so
// that a page that was away misses nothing.
func (s *Site) classLive(c *call) error {
	if site := c.r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return fail(http.StatusForbidden, "Only this site's own pages may follow a class.")
	}
	class, err := c.class()
	if err != nil {
		return err
	}
	me := c.session.workspace.ID
	v := s.boards.open(class.ID, me)
	if v == nil {
		return &Error{Status: http.StatusTooManyRequests, Message: "Too many open pages. Close one.", Retry: 30}
	}
	defer s.boards.close(class.ID, me, v)
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	c.w.WriteHeader(http.StatusOK)
	b := &board{s: s, class: class.ID, owner: me, order: gridOrder(c.r.URL.Query().Get("order")), v: v}
	// Whoever waits here must go when the server does, and within a second when the right ends.
	ctx, cancel := context.WithCancel(c.r.Context())
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	tick, check := time.NewTicker(boardTick), time.NewTicker(700*time.Millisecond)
	defer tick.Stop()
	defer check.Stop()
	var last []string
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-check.C:
			if now, err := s.session(ctx, c.r); err == nil && (now == nil || now.workspace.ID != me || !teacher(now.workspace)) {
				return nil
			}
			continue
		case <-v.wake:
		case <-tick.C:
		}
		m, err := b.next(ctx)
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, errGone) {
				s.log.Error("live view not drawn", "request", c.id, "error", err)
			}
			return nil
		}
		if len(m.Rows) == 0 && slices.Equal(m.Order, last) {
			if err := c.event(": still here\n\n"); err != nil {
				return nil
			}
		} else if err := c.event("data: " + text(m) + "\n\n"); err != nil {
			return nil
		}
		last = m.Order
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(boardEvery):
		}
	}
}

func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic("web: message cannot be encoded: " + err.Error()) // plain data only
	}
	return string(data)
}

// event writes a piece of a stream and sends it on its way.
func (c *call) event(text string) error {
	if _, err := c.w.Write([]byte(text)); err != nil {
		return err
	}
	return http.NewResponseController(c.w).Flush()
}
