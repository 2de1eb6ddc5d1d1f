package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/platform"
	"coldstart/sandbox/trace"
)

// Events is what the events lab saw: every invocation, and how many isolates
// there were meanwhile.
type Events struct {
	Own     bool          `json:"own,omitempty"` // the learner's handlers
	Queue   string        `json:"queue,omitempty"`
	Crons   []string      `json:"crons,omitempty"`
	Items   []EventItem   `json:"items"`
	Samples []EventSample `json:"samples"`
	Took    int64         `json:"took_us"`
	// Quiet periods before the first event and after the last isolate had gone:
	// nothing was invoked and no isolate was there.
	Before Quiet `json:"before"`
	After  Quiet `json:"after"`
	Stamp
}

// Quiet is a time in which nothing was sent.
type Quiet struct {
	Took        int64 `json:"took_us"`
	Invocations int   `json:"invocations"`
	Isolates    int   `json:"isolates"` // the most that were alive
}

// EventItem is one invocation of a handler.
type EventItem struct {
	At      int64  `json:"at_us"`   // its end, since the lab began
	Trigger string `json:"trigger"` // http upload repeat row odd cron
	Handler string `json:"handler"` // fetch queue scheduled
	What    string `json:"what"`
	Worker  string `json:"worker"`
	Attempt int    `json:"attempt,omitempty"` // of a message, from 1
	End     string `json:"end"`               // ok retry failed
	Said    string `json:"said,omitempty"`    // its answer, log line or fault
	Took    int64  `json:"took_us"`
	Cold    bool   `json:"cold,omitempty"`
}

// EventSample is how many isolates were alive at a time.
type EventSample struct {
	At       int64 `json:"at_us"`
	Isolates int   `json:"isolates"`
}

// EventTriggers are what the lab can do, in its order.
var EventTriggers = []string{"http", "upload", "row", "odd", "cron"}

const (
	eventsIdle    = time.Second            // an unused isolate of the lab goes after this
	eventsQuiet   = time.Second            // that is looked at before and after
	eventsEmpty   = 10 * time.Second       // most for the last isolate to go
	eventsSettle  = 8 * time.Second        // most for one message, all its attempts
	eventsBeat    = 150 * time.Millisecond // between two triggers
	eventsHour    = 60 * time.Millisecond  // of the lab's fast clock
	eventsSample  = 40 * time.Millisecond  // between two counts of isolates
	eventsShow    = 120 * time.Millisecond // between two drawings
	eventsCronMax = 30                     // invocations in the lab's day
	eventsRetries = 3                      // of a message
)

// follower is a sandbox that tells of what its platform does by itself.
type follower interface {
	sandbox.Door
	Follow(key sandbox.Key, f func(sandbox.Happened)) (stop func())
}

// Wake deploys handlers for a learner and has something happen for each of the
// triggers. told gets what is known so far, now and then.
func (l *Labs) Wake(ctx context.Context, learner string, own *trace.Project, triggers []string, told func(*Events, string)) (*Events, error) {
	door, ok := l.cfg.Door.(follower)
	if !ok {
		return nil, errors.New("lab: the sandbox does not tell of its events")
	}
	w := &waking{labs: l, door: door, key: sandbox.Key{Learner: learner, Project: "lab-events"}, told: told, out: &Events{Own: own != nil}, happened: make(chan sandbox.Happened, 256)}
	if err := w.deploy(ctx, own); err != nil {
		return nil, err
	}
	stop := door.Follow(w.key, func(h sandbox.Happened) {
		select {
		case w.happened <- h:
		default: // more than the lab asked for
		}
	})
	defer stop()
	if err := door.Evict(ctx, w.key, ""); err != nil {
		return nil, err
	}
	w.began = time.Now()
	sampling, done := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { w.sample(sampling) })
	err := w.all(ctx, triggers)
	done()
	wg.Wait()
	w.out.Took, w.out.Stamp = w.at(), l.stamp()
	return w.out, err
}

// waking is one run of the events lab.
type waking struct {
	labs     *Labs
	door     follower
	key      sandbox.Key
	told     func(*Events, string)
	began    time.Time
	shown    time.Time
	happened chan sandbox.Happened
	workers  []trace.Worker

	mu  sync.Mutex // of out.Samples
	out *Events
}

func (w *waking) at() int64 { return time.Since(w.began).Microseconds() }

// deploy puts the lab's source beside the handlers.
func (w *waking) deploy(ctx context.Context, own *trace.Project) error {
	p := shipped("events")
	if own != nil {
		p = *own
	}
	source, err := w.labs.cfg.Door.Build(ctx, w.key, shipped("source"))
	if err != nil {
		return err
	}
	if source.Fault != nil {
		return fmt.Errorf("lab: its own source does not build: %s", source.Fault.Message)
	}
	d, err := w.labs.stage(ctx, w.key, p, func(d *trace.Deployment) {
		for i := range d.Workers {
			h := &d.Workers[i]
			h.Limits.IdleAfter = eventsIdle
			h.Routes = nil // the lab names the Worker itself
			h.Consumers = slices.Clone(h.Consumers)
			for n := range h.Consumers {
				h.Consumers[n].BatchSize, h.Consumers[n].RetryDelay, h.Consumers[n].Retries = 1, 0, eventsRetries
				w.out.Queue = h.Consumers[n].Queue
			}
			w.out.Crons = append(w.out.Crons, h.Crons...)
			w.workers = append(w.workers, *h)
			h.Crons = nil // only the lab's clock strikes
		}
		s := source.Workers[0]
		s.Limits.IdleAfter = eventsIdle
		s.Bindings = slices.Clone(s.Bindings)
		for n := range s.Bindings {
			if s.Bindings[n].Type == "queue" && w.out.Queue != "" {
				s.Bindings[n].ID = w.out.Queue
			}
		}
		d.Workers = append(d.Workers, s)
	})
	if err == nil && len(d.Workers) < 2 {
		err = errors.New("lab: nothing was built")
	}
	return err
}

// all is the whole lab.
func (w *waking) all(ctx context.Context, triggers []string) error {
	var err error
	w.say(true, "Quiet. Nothing is sent yet.")
	if w.out.Before, err = w.quiet(ctx); err != nil {
		return err
	}
	for _, trigger := range triggers {
		switch trigger {
		case "http":
			w.say(false, "Somebody asks over HTTP.")
			err = w.http(ctx)
		case "upload":
			w.say(false, "A file is uploaded, and the bucket tells of it twice.")
			err = w.upload(ctx)
		case "row":
			w.say(false, "A row changes.")
			version := w.labs.cfg.Now().Unix() % 100_000
			err = w.send(ctx, "row", fmt.Sprintf(`{"row":{"table":"users","id":7,"version":%d}}`, version), fmt.Sprint("users 7, version ", version))
		case "odd":
			w.say(false, "A message comes that fails at first.")
			err = w.send(ctx, "odd", `{"flaky":true}`, "a message that fails")
		case "cron":
			w.say(false, "The clock runs: a day in a second and a half.")
			err = w.cron(ctx)
		}
		if err == nil {
			err = w.pause(ctx, eventsBeat)
		}
		if err != nil {
			return err
		}
	}
	if len(triggers) > 1 && slices.Contains(triggers, "http") { // what is recorded now?
		if err := w.http(ctx); err != nil {
			return err
		}
	}
	w.say(true, "Nothing more is sent. The isolates are left alone.")
	for end := time.Now().Add(eventsEmpty); len(w.door.Isolates(w.key)) > 0 && time.Now().Before(end); {
		if err := w.pause(ctx, eventsSample); err != nil {
			return err
		}
		w.say(false, "")
	}
	w.out.After, err = w.quiet(ctx)
	return err
}

// say draws what is known; not too often, unless it must be.
func (w *waking) say(must bool, sentence string) {
	if !must && sentence == "" && time.Since(w.shown) < eventsShow {
		return
	}
	w.shown = time.Now()
	w.mu.Lock()
	now := *w.out
	now.Items, now.Samples = slices.Clone(now.Items), slices.Clone(now.Samples)
	w.mu.Unlock()
	now.Took, now.Stamp = w.at(), w.labs.stamp()
	w.told(&now, sentence)
}

func (w *waking) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// quiet looks on while nothing is sent.
func (w *waking) quiet(ctx context.Context) (Quiet, error) {
	var q Quiet
	from := time.Now()
	for time.Since(from) < eventsQuiet {
		q.Isolates = max(q.Isolates, len(w.door.Isolates(w.key)))
		if err := w.pause(ctx, eventsSample); err != nil {
			return q, err
		}
		for more := true; more; {
			select {
			case <-w.happened:
				q.Invocations++
			default:
				more = false
			}
		}
	}
	q.Took = time.Since(from).Microseconds()
	return q, nil
}

// sample counts isolates until ctx ends.
func (w *waking) sample(ctx context.Context) {
	tick := time.NewTicker(eventsSample)
	defer tick.Stop()
	for {
		n := len(w.door.Isolates(w.key))
		w.mu.Lock()
		if s := w.out.Samples; len(s) == 0 || s[len(s)-1].Isolates != n {
			w.out.Samples = append(w.out.Samples, EventSample{w.at(), n})
		}
		w.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *waking) add(i EventItem) {
	i.At = w.at()
	w.mu.Lock()
	w.out.Items = append(w.out.Items, i)
	w.mu.Unlock()
	w.say(true, "")
}

// ended says how an invocation ended, and what it said.
func ended(a Answer, said string) (end, text string) {
	if a.Outcome != "ok" {
		return "failed", a.Fault
	}
	if len(a.Logs) > 0 {
		return "ok", a.Logs[0]
	}
	return "ok", said
}

func (w *waking) http(ctx context.Context) error {
	a, err := ask(ctx, w.door, sandbox.Run{Key: w.key, Worker: w.workers[0].Name, Method: "GET", URL: "https://archive.example/"})
	if err != nil {
		return err
	}
	i := EventItem{Trigger: "http", Handler: "fetch", What: "GET /", Worker: a.Worker, Took: a.Wall, Cold: a.Cold}
	i.End, i.Said = ended(a, fmt.Sprintf("%d %s", a.Status, a.Body))
	w.add(i)
	return nil
}

// upload puts an object into a bucket; its notice is delivered, and then once more.
func (w *waking) upload(ctx context.Context) error {
	body := "a cat, " + strings.Repeat("meow ", 20)
	name := fmt.Sprintf("cat-%d.jpg", w.labs.cfg.Now().Unix()%100_000) // a new one each time
	notice, err := w.source(ctx, "/upload?"+url.Values{"key": {name}}.Encode(), body)
	if err != nil {
		return err
	}
	if err := w.settle(ctx, "upload", "PutObject "+name); err != nil {
		return err
	}
	return w.send(ctx, "repeat", notice, "the same notice again")
}

// send has the source send a message, and waits until it is settled.
func (w *waking) send(ctx context.Context, trigger, body, what string) error {
	if _, err := w.source(ctx, "/send", body); err != nil {
		return err
	}
	return w.settle(ctx, trigger, what)
}

func (w *waking) source(ctx context.Context, path, body string) (string, error) {
	a, err := ask(ctx, w.door, sandbox.Run{
		Key: w.key, Worker: "lab-source", Method: "POST", URL: "https://source.example" + path,
		Body: strings.NewReader(body), Length: int64(len(body)),
	})
	if err == nil && a.Outcome != "ok" {
		err = fmt.Errorf("lab: its source failed: %s", a.Fault)
	}
	return a.Body, err
}

// settle records the deliveries of one message until it is taken or given up.
func (w *waking) settle(ctx context.Context, trigger, what string) error {
	if w.out.Queue == "" {
		w.add(EventItem{Trigger: trigger, Handler: "queue", What: what, End: "failed", Said: "No Worker consumes a queue, so nobody was told."})
		return nil
	}
	late := time.NewTimer(eventsSettle)
	defer late.Stop()
	for {
		var h sandbox.Happened
		select {
		case h = <-w.happened:
		case <-late.C:
			w.add(EventItem{Trigger: trigger, Handler: "queue", What: what, End: "failed", Said: "The message was not settled in time."})
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if h.Type != "queue" {
			continue
		}
		i := delivery(h)
		i.Trigger, i.What = trigger, what
		w.add(i)
		if i.End == "ok" || i.Attempt > eventsRetries {
			return nil
		}
	}
}

// delivery reads one delivery of one message.
func delivery(h sandbox.Happened) EventItem {
	i := EventItem{Handler: "queue", Worker: h.Worker, Attempt: 1, End: "ok", Said: "acknowledged", Took: h.Summary.Wall, Cold: h.Summary.Temperature == trace.Cold}
	var batch struct {
		Messages []struct{ Attempts int }
	}
	var end struct {
		Outcome       string
		RetryMessages []string
	}
	if json.Unmarshal(h.Payload, &batch) == nil && len(batch.Messages) > 0 {
		i.Attempt = batch.Messages[0].Attempts
	}
	switch {
	case h.Summary.Fault != nil:
		i.End, i.Said = "retry", h.Summary.Fault.Message
	case json.Unmarshal(h.Result, &end) != nil || end.Outcome != "ok" || len(end.RetryMessages) > 0:
		i.End, i.Said = "retry", "asked for again"
	}
	if i.End == "retry" && i.Attempt > eventsRetries {
		i.End = "failed"
	}
	return i
}

// cron runs the lab's clock through a day: each minute that a cron expression
// names wakes its handler.
func (w *waking) cron(ctx context.Context) error {
	from := w.labs.cfg.Now().UTC().Truncate(time.Minute)
	fired := 0
	for m := 1; m <= 24*60; m++ {
		now := from.Add(time.Duration(m) * time.Minute)
		for _, h := range w.workers {
			for _, expr := range h.Crons {
				if fired >= eventsCronMax || !platform.CronMatches(expr, now) {
					continue
				}
				fired++
				if err := w.strike(ctx, h.Name, expr, now); err != nil {
					return err
				}
			}
		}
		if m%60 == 0 {
			if err := w.pause(ctx, eventsHour); err != nil {
				return err
			}
		}
	}
	if fired == 0 {
		w.add(EventItem{Trigger: "cron", Handler: "scheduled", What: "a day without a minute that a cron names", End: "ok", Said: "no cron trigger"})
	}
	return nil
}

func (w *waking) strike(ctx context.Context, worker, expr string, now time.Time) error {
	payload, err := json.Marshal(map[string]any{"cron": expr, "scheduledTime": now.UnixMilli()})
	if err != nil {
		return err
	}
	a, err := ask(ctx, w.door, sandbox.Run{Key: w.key, Worker: worker, Type: "scheduled", Payload: payload})
	if err != nil {
		return err
	}
	i := EventItem{Trigger: "cron", Handler: "scheduled", What: expr + " at " + now.Format("15:04"), Worker: a.Worker, Took: a.Wall, Cold: a.Cold}
	i.End, i.Said = ended(a, "ran")
	w.add(i)
	return nil
}
