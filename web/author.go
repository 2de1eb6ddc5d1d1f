package web

import (
	"context"
	"io/fs"
	"net/http"
	"strconv"
	"sync"
	"time"

	"coldstart/lessons"
	"coldstart/lessons/check"
)

// Author is for a server on which somebody writes lessons: open pages are told
// of each change and of what lint says about the lesson that they show.
type Author struct {
	// Files is the folder that is being written.
	Files fs.FS
	// Tell is called, one at a time, with what running a lesson's checks found.
	// Nil: only the pages are told.
	Tell func(lessons.Problem)
}

// authoring is what pages are told while lessons are being written.
type authoring struct {
	Author
	lint func(ctx context.Context, id string) ([]lessons.Problem, error)
	ctx  context.Context // ends lint runs and waiting pages; stop ends it
	stop context.CancelFunc
	work sync.WaitGroup
	one  sync.Mutex // held by the lint run that is under way

	mu       sync.Mutex
	version  int64             // grows with everything a page is told
	load     int64             // grows when lessons are loaded again
	loaded   []lessons.Problem // by the newest load
	ran      map[string]linted // by lesson id
	changed  chan struct{}     // closed at the next change
	catalog  func() *lessons.Catalog
	patience time.Duration // how long a page's question waits for news
}

// linted is what running one lesson's solution and starter found.
type linted struct {
	hash     string
	done     bool
	problems []lessons.Problem
}

func newAuthoring(s *Site, a Author) *authoring {
	ctx, stop := context.WithCancel(context.Background())
	load := lessons.Config{Ceiling: s.config.Ceiling}
	_, problems := load.Load(a.Files)
	// Numbers begin at the clock, so that a page notices a server that began anew.
	now := s.config.Now().UnixMilli()
	return &authoring{
		Author: a, ctx: ctx, stop: stop, version: now, load: now, loaded: problems, ran: map[string]linted{}, changed: make(chan struct{}),
		catalog: s.catalog.Load, patience: 20 * time.Second,
		lint: func(ctx context.Context, id string) ([]lessons.Problem, error) {
			r, err := check.Lint(ctx, check.LintConfig{Door: s.config.Door, Lessons: a.Files, Load: load, Only: []string{id}})
			if err != nil {
				return nil, err
			}
			return r.Ran(), nil
		},
	}
}

// close ends what is under way.
func (a *authoring) close() {
	a.mu.Lock() // not while look begins something
	a.stop()
	a.mu.Unlock()
	a.work.Wait()
}

// news tells waiting pages that something changed. a.mu is held.
func (a *authoring) news() {
	a.version++
	close(a.changed)
	a.changed = make(chan struct{})
}

// reloaded takes what the newest load found.
func (a *authoring) reloaded(problems []lessons.Problem) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.loaded = problems
	a.load++
	a.news()
}

// look begins to lint a lesson in the sandbox, unless that was done since it
// changed. a.mu is held.
func (a *authoring) look(id string) {
	l := a.catalog().ByID(id)
	if l == nil || a.ran[id].hash == l.Hash || a.ctx.Err() != nil {
		return
	}
	a.ran[id] = linted{hash: l.Hash}
	a.work.Go(func() {
		a.one.Lock()
		defer a.one.Unlock()
		problems, err := a.lint(a.ctx, id)
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.ran[id].hash != l.Hash {
			return // saved again meanwhile; that one is linted too
		}
		if err != nil {
			delete(a.ran, id) // the next question tries again
			return
		}
		found := linted{hash: l.Hash, done: true, problems: problems}
		a.ran[id] = found
		a.news()
		if a.Tell != nil {
			for _, p := range found.problems {
				a.Tell(p)
			}
		}
	})
}

// authorNews is the answer to a page.
type authorNews struct {
	Version  int64             `json:"version"`  // for the next question
	Load     int64             `json:"load"`     // another number than before: the lessons were loaded again
	Linting  bool              `json:"linting"`  // the lesson's checks are being run
	Problems []lessons.Problem `json:"problems"` // of every file; the lesson's own checks included once they ran
}

// tell is what is known now about all files and one lesson's checks.
func (a *authoring) tell(id string) authorNews {
	n := authorNews{Version: a.version, Load: a.load, Problems: append([]lessons.Problem{}, a.loaded...)}
	if l := a.catalog().ByID(id); l != nil {
		ran := a.ran[id]
		n.Linting = ran.hash == l.Hash && !ran.done
		if ran.done && ran.hash == l.Hash {
			n.Problems = append(n.Problems, ran.problems...)
		}
	}
	lessons.SortProblems(n.Problems)
	return n
}

// authorNews answers when there is something that the page does not know yet,
// at the latest after the patience of one question.
func (s *Site) authorNews(c *call) error {
	a, q := s.author, c.r.URL.Query()
	id := q.Get("lesson")
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64) // without a number: at once
	late := time.NewTimer(a.patience)
	defer late.Stop()
	for {
		a.mu.Lock()
		a.look(id)
		n, changed := a.tell(id), a.changed
		a.mu.Unlock()
		if n.Version != after {
			return c.json(http.StatusOK, n)
		}
		select {
		case <-changed:
		case <-late.C:
			return c.json(http.StatusOK, n)
		case <-a.ctx.Done():
			return fail(http.StatusServiceUnavailable, "The server is stopping.")
		case <-c.r.Context().Done():
			return nil
		}
	}
}
