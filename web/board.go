package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
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
	fewLessons  = 4  // that are read apart from the others
)

// boards tell the live views of classes which learners did something. What
// they did is in the store; only names of workspaces go through here.
type boards struct {
	mu      sync.Mutex
	viewers map[string]map[*viewer]bool // by class
	byOwner map[string]int
}

// noLesson is where a learner did what is in no lesson: they raised a hand.
const noLesson = "-"

// viewer is one live view.
type viewer struct {
	wake    chan struct{}
	members map[string]bool   // workspaces of the class
	dirty   map[string]string // workspaces that did something, and the lesson; "" for several
	all     bool              // the class has changed
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
	v := &viewer{wake: make(chan struct{}, 1), dirty: map[string]string{}, all: true}
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

// touched notes that a learner did something in a lesson. It returns at once.
func (b *boards) touched(workspace, lesson string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, viewers := range b.viewers {
		for v := range viewers {
			if v.members[workspace] {
				if before, is := v.dirty[workspace]; is && before != lesson {
					lesson = ""
				}
				v.dirty[workspace] = lesson
				v.poke()
			}
		}
	}
}

// changed notes that a class changed, or who is in it, or what they say of themselves.
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
func (b *boards) take(v *viewer) (dirty map[string]string, all bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	dirty, all = v.dirty, v.all
	v.dirty, v.all = map[string]string{}, false
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
	touched func(workspace, lesson string)
}

func (s seen) SaveRuns(ctx context.Context, workspace, project string, runs ...classroom.Run) error {
	err := s.Store.SaveRuns(ctx, workspace, project, runs...)
	s.touched(workspace, project) // a lesson's project has its id
	return err
}

func (s seen) SaveChecks(ctx context.Context, workspace, lesson string, checks []classroom.Check, end classroom.ChecksEnd) error {
	err := s.Store.SaveChecks(ctx, workspace, lesson, checks, end)
	s.touched(workspace, lesson)
	return err
}

// boardMessage is what a live view is sent: rows that differ, and of order and
// sum what is not as it was.
type boardMessage struct {
	Heading string     `json:"heading"` // of the page that these rows belong to
	Rows    []boardRow `json:"rows"`
	Order   []string   `json:"order,omitzero"`
	Sum     string     `json:"sum,omitempty"`
	Say     string     `json:"say,omitempty"` // hands that went up
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

	members map[string]classroom.Member // by workspace
	work    map[string]map[string]*classroom.Work
	lessons []view.GridLesson
	heading string
	whole   time.Time // when every row was made anew

	began bool           // what follows was sent
	told  string         // the heading
	rows  []view.GridRow // sorted
	sent  []string       // ids of rows
	sum   view.Sum
}

var errGone = errors.New("web: the class is not this instructor's any more")

// next draws what changed; nil for nothing. Time alone can change a row too,
// stuck since and here, so every row is made anew now and then.
func (b *board) next(ctx context.Context) (*boardMessage, error) {
	dirty, all := b.s.boards.take(b.v)
	if !all && len(dirty) > 0 {
		known := len(dirty) <= fewLearners
		var err error
		if known {
			known, err = b.again(ctx, slices.Collect(maps.Keys(dirty)))
		}
		if known && err == nil {
			err = b.some(ctx, dirty)
		}
		if err != nil {
			return nil, err
		}
		all = !known
	}
	now := b.s.config.Now()
	if !all && now.Sub(b.whole) < boardTick/2 {
		return b.draw(ctx, slices.Collect(maps.Keys(dirty)), now)
	}
	b.whole = now
	if err := b.look(ctx); err != nil {
		return nil, err
	}
	if all {
		if err := b.everybody(ctx); err != nil {
			return nil, err
		}
	}
	return b.draw(ctx, slices.Collect(maps.Keys(b.members)), now)
}

// look reads the class itself.
func (b *board) look(ctx context.Context) error {
	class, err := b.s.config.Store.Class(ctx, b.class)
	if errors.Is(err, classroom.ErrNotFound) || err == nil && class.Owner != b.owner {
		return errGone
	}
	if err != nil {
		return err
	}
	b.lessons = gridLessons(b.s.assigned(class))
	b.heading = classHeading(class, b.lessons)
	return nil
}

// everybody reads who is in the class, and what they did.
func (b *board) everybody(ctx context.Context) error {
	store := b.s.config.Store
	members, err := store.Members(ctx, b.class)
	if err != nil {
		return err
	}
	b.s.boards.follow(b.v, members)
	if b.work, err = store.WorkOf(ctx, b.class, classroom.WorkFilter{}); err != nil {
		return err
	}
	b.members = make(map[string]classroom.Member, len(members))
	there := make(map[string]bool, len(members))
	for _, m := range members {
		b.members[m.Workspace], there[m.ID] = m, true
	}
	b.rows = slices.DeleteFunc(b.rows, func(r view.GridRow) bool { return !there[r.ID] })
	return nil
}

// some reads what a few learners did in the lessons in which they did something.
func (b *board) some(ctx context.Context, dirty map[string]string) error {
	only := classroom.WorkFilter{Workspaces: slices.Collect(maps.Keys(dirty))}
	for _, lesson := range dirty {
		if !slices.Contains(only.Lessons, lesson) {
			only.Lessons = append(only.Lessons, lesson)
		}
	}
	if len(only.Lessons) > fewLessons || slices.Contains(only.Lessons, "") {
		only.Lessons = nil
	}
	work, err := b.s.config.Store.WorkOf(ctx, b.class, only)
	if err != nil {
		return err
	}
	for w := range dirty {
		if only.Lessons == nil || b.work[w] == nil {
			b.work[w] = work[w]
			continue
		}
		for _, lesson := range only.Lessons {
			b.work[w][lesson] = work[w][lesson]
		}
	}
	return nil
}

// again reads the places of a few learners anew; false when one of them has
// none, or had none.
func (b *board) again(ctx context.Context, workspaces []string) (bool, error) {
	for _, w := range workspaces {
		_, had := b.members[w]
		m, err := b.s.config.Store.MemberOf(ctx, b.class, w)
		if errors.Is(err, classroom.ErrNotFound) || err == nil && !had {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		b.members[w] = m
	}
	return true, nil
}

// draw makes rows from what is known and renders those that differ.
func (b *board) draw(ctx context.Context, workspaces []string, now time.Time) (*boardMessage, error) {
	at := make(map[string]int, len(b.rows))
	for i, row := range b.rows {
		at[row.ID] = i
	}
	m := &boardMessage{Heading: b.heading, Rows: []boardRow{}}
	var html bytes.Buffer
	for _, w := range workspaces {
		row := gridRow(b.class, b.members[w], b.work[w], b.lessons, now)
		i, known := at[row.ID]
		if known && b.rows[i].Equal(row) {
			continue
		}
		html.Reset()
		if err := view.Row(row).Render(ctx, &html); err != nil {
			return nil, err
		}
		m.Rows = append(m.Rows, boardRow{row.ID, html.String()})
		if row.Hand && b.began && !(known && b.rows[i].Hand) {
			m.Say = row.Name + " raised a hand."
		}
		if known {
			b.rows[i] = row
		} else {
			b.rows = append(b.rows, row)
		}
	}
	sortRows(b.rows, b.order)
	order := make([]string, len(b.rows))
	for i, row := range b.rows {
		order[i] = row.ID
	}
	if !b.began || !slices.Equal(order, b.sent) {
		m.Order, b.sent = order, order
	}
	g := view.Grid{Rows: b.rows}
	if sum := g.Sum(); !b.began || sum != b.sum {
		html.Reset()
		if err := view.ClassSum(g).Render(ctx, &html); err != nil {
			return nil, err
		}
		m.Sum, b.sum = html.String(), sum
	}
	if b.began && b.told == b.heading && len(m.Rows) == 0 && m.Order == nil && m.Sum == "" {
		return nil, nil
	}
	b.began, b.told = true, b.heading
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
	defer context.AfterFunc(s.ctx, cancel)()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { s.untilNoTeacher(ctx, c, cancel) })
	tick := time.NewTicker(boardTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
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
		if m == nil {
			if err := c.event(": still here\n\n"); err != nil {
				return nil
			}
		} else if err := c.event("data: " + text(m) + "\n\n"); err != nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(boardEvery):
		}
	}
}

// untilNoTeacher calls end once the session that asks is no instructor's any
// more, and returns then or with ctx. A view that is busy with its class would
// get to it late.
func (s *Site) untilNoTeacher(ctx context.Context, c *call, end func()) {
	check := time.NewTicker(500 * time.Millisecond)
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-check.C:
		}
		if now, err := s.session(ctx, c.r); err == nil && (now == nil || now.workspace.ID != c.session.workspace.ID || !teacher(now.workspace)) {
			end()
			return
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
