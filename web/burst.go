package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/view"
)

// What a class burst sends.
const (
	burstEach = 10 // requests at each learner's Worker
	burstAt   = 32 // at once; the sandbox queues fairly behind that
	burstTime = 20 * time.Second
)

// burstRecord is what the store keeps of a class burst: no names.
type burstRecord struct {
	When     time.Time `json:"when"`
	Lesson   string    `json:"lesson"` // title
	Learners int       `json:"learners"`
	Sent     int       `json:"sent"`
	Failed   int       `json:"failed"`
	Cold     []int64   `json:"cold_us"`
	Warm     []int64   `json:"warm_us"`
}

// burstView is the newest burst as the page draws it, nil for none.
func (s *Site) burstView(class classroom.Class) *view.Burst {
	var r *burstRecord
	if json.Unmarshal(class.Burst, &r) != nil || r == nil {
		return nil
	}
	return &view.Burst{When: r.When, Lesson: r.Lesson, Learners: r.Learners, Sent: r.Sent, Failed: r.Failed, Cold: r.Cold, Warm: r.Warm}
}

// classBurst sends requests to the Workers of everybody who allowed it.
func (s *Site) classBurst(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	class, err := c.class()
	if err != nil {
		return err
	}
	l := s.lessonByID(form.Get("lesson"))
	path := form.Get("path")
	if l == nil || !slices.ContainsFunc(class.Lessons, func(a classroom.Assignment) bool { return a.Lesson == l.ID }) || !class.Ended.IsZero() {
		return fail(http.StatusBadRequest, "That lesson is not in the class's set. Load the page again.")
	}
	if !strings.HasPrefix(path, "/") || len(path) > 200 || strings.ContainsAny(path, " \"<>#\x7f") || printable(path) != path {
		return fail(http.StatusBadRequest, "The path begins with / and holds no spaces.")
	}
	if err := s.allowRun(c); err != nil {
		return err
	}
	if err := s.byClass.take(class.ID, "This class was asked a moment ago. Wait until it has rested."); err != nil {
		return err
	}
	members, err := s.config.Store.Members(c.r.Context(), class.ID)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.r.Context()), burstTime)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	record := burstRecord{When: s.config.Now().UTC(), Lesson: l.Title, Cold: []int64{}, Warm: []int64{}}
	var targets []*worker
	for _, m := range members {
		if !m.Burst {
			continue
		}
		p, err := s.config.Store.Project(ctx, m.Workspace, l.ID, 0)
		if errors.Is(err, classroom.ErrNotFound) {
			continue // has not begun
		}
		if err != nil {
			return err
		}
		w, err := s.worker(ctx, p.Slug)
		if err != nil || w.broken() != nil {
			record.Learners++
			record.Sent += burstEach
			record.Failed += burstEach
			continue
		}
		targets = append(targets, w)
	}
	record.Learners += len(targets)
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(burstAt)
	for range burstEach { // round by round, so that nobody's Worker gets ten in a row
		for _, w := range targets {
			g.Go(func() error {
				sum := s.ask(ctx, w, path)
				mu.Lock()
				defer mu.Unlock()
				record.Sent++
				switch {
				case sum == nil || sum.Outcome != "ok":
					record.Failed++
				case sum.Temperature == trace.Cold:
					record.Cold = append(record.Cold, sum.Wall)
				default:
					record.Warm = append(record.Warm, sum.Wall)
				}
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	slices.Sort(record.Cold)
	slices.Sort(record.Warm)
	data, err := json.Marshal(record)
	if err != nil {
		return err
	}
	if err := s.config.Store.SaveBurst(c.r.Context(), class.ID, data); err != nil {
		return err
	}
	c.deed.Detail = l.ID
	return c.seeOther("/classes/" + class.ID + "#burst-t")
}

// ask sends one GET to a Worker and reads the answer away; nil when it could
// not be asked.
func (s *Site) ask(ctx context.Context, w *worker, path string) *trace.Summary {
	resp, err := s.config.Door.Invoke(ctx, sandbox.Run{Key: w.key, Method: http.MethodGet, URL: "https://" + w.slug + ".example" + path, Length: -1})
	if err != nil {
		return nil
	}
	if resp.Socket != nil {
		resp.Socket.Close(1000, "A class burst opens no sockets.")
	}
	if resp.Body != nil {
		_, err = io.Copy(io.Discard, resp.Body)
		if cerr := resp.Body.Close(); err != nil || cerr != nil {
			return nil
		}
	}
	sum, err := resp.Summary(ctx)
	if err != nil {
		return nil
	}
	return sum
}
