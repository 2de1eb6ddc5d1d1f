package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
)

// What a page sees of a response body, and what is kept of a run.
const (
	viewBody   = 1 << 20   // bytes of a single run's body
	viewSeries = 16 << 10  // the same for each of several
	keepBody   = 64 << 10  // bytes of body in the store
	keepLogs   = 128 << 10 // bytes of log text in the store
	maxTimes   = 20
	lateEvents = 2 * time.Second // how long a run's last events may take after its summary
)

// RunSpec is one click on Run: one request, once or several times.
type RunSpec struct {
	ID       string // of the run; of several, the first is ID.1
	Request  Request
	Revision int64 // 0: the newest
	Cold     bool
	Times    int // 1 to 20; 0 means 1
}

// Run runs a saved revision, tells the project's pages, keeps the results and
// returns them, oldest first. It ends when the runs do, or when ctx or the hub
// does. Nonsense in the spec is an *InputError; a project or revision that is
// not kept is classroom.ErrNotFound.
func (h *Hub) Run(ctx context.Context, key sandbox.Key, spec RunSpec) ([]classroom.Run, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	return h.job(ctx, key, spec.ID, func(ctx context.Context, s *stream) ([]classroom.Run, error) {
		return h.run(ctx, s, spec)
	})
}

// job runs f as one of the project's jobs, so that pages can see and cancel it.
func (h *Hub) job(ctx context.Context, key sandbox.Key, id string, f func(context.Context, *stream) ([]classroom.Run, error)) ([]classroom.Run, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(h.ctx, func() { cancel(context.Cause(h.ctx)) })()
	s, refused := h.admit(key, id, cancel)
	if refused != "" {
		return nil, &InputError{Message: refused}
	}
	defer h.jobs.Done()
	defer func() { s.end(id, h.Now()) }()
	return f(ctx, s)
}

// admit notes a job, or says why it may not begin.
func (h *Hub) admit(key sandbox.Key, id string, cancel context.CancelCauseFunc) (s *stream, refused string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, restarting
	}
	s = h.stream(key)
	if refused = s.begin(id, cancel, h.Now()); refused == "" {
		h.jobs.Add(1)
	}
	return s, refused
}

const restarting = "The server restarts. Try again in a moment."

func (h *Hub) run(ctx context.Context, s *stream, spec RunSpec) ([]classroom.Run, error) {
	p, err := h.Store.Project(ctx, s.key.Learner, s.key.Project, spec.Revision)
	if err != nil {
		return nil, err
	}
	begin := h.Now()
	deploy := h.Deployer.Deploy
	if spec.Revision == 0 {
		deploy = h.Deployer.DeployNewest
	}
	built, err := deploy(ctx, p)
	if err != nil {
		return nil, err
	}
	var runs []classroom.Run
	if built.Fault != nil {
		runs = append(runs, h.unbuilt(s, spec, p, built, begin))
	} else {
		runs = h.runAll(ctx, s, spec, p, built)
	}
	s.end(spec.ID, h.Now()) // the page knows that it is over; only we still have to write
	// The results are kept even when whoever asked has gone.
	if err := h.Store.SaveRuns(context.WithoutCancel(ctx), p.Workspace, p.ID, runs...); err != nil && !errors.Is(err, classroom.ErrNotFound) {
		h.Logger.Error("runs not kept", "error", err)
	}
	return runs, nil
}

func (h *Hub) runAll(ctx context.Context, s *stream, spec RunSpec, p classroom.Project, built Deployed) []classroom.Run {
	if spec.Times <= 1 {
		return []classroom.Run{h.runOne(ctx, s, spec, spec.ID, p, built, viewBody)}
	}
	var runs []classroom.Run
	for i := range spec.Times {
		runs = append(runs, h.runOne(ctx, s, spec, fmt.Sprintf("%s.%d", spec.ID, i+1), p, built, viewSeries))
		built = Deployed{}
		if ctx.Err() != nil {
			break
		}
	}
	return runs
}

// unbuilt tells of a run that never began because the project does not build.
func (h *Hub) unbuilt(s *stream, spec RunSpec, p classroom.Project, built Deployed, begin time.Time) classroom.Run {
	r := record(spec, spec.ID, p.Revision, begin)
	r.Summary = trace.Summary{
		Run: spec.ID, Outcome: string(built.Fault.Kind), Fault: built.Fault, Wall: built.Built,
		Spans: []trace.Span{{Phase: trace.PhaseBuild, End: built.Built}},
	}
	s.event(trace.Event{Run: spec.ID, At: built.Built, Kind: trace.KindFault, Fault: built.Fault})
	s.event(trace.Event{Run: spec.ID, At: built.Built, Kind: trace.KindDone, Summary: &r.Summary})
	return r
}

func record(spec RunSpec, id string, revision int64, at time.Time) classroom.Run {
	return classroom.Run{
		ID: id, Method: spec.Request.Method, Path: spec.Request.Path, Headers: spec.Request.Headers,
		Sent: spec.Request.Body, Revision: revision, Ran: at,
	}
}

// observer follows one run: it passes the sandbox's events on, under the id
// that the page knows, and keeps what the store gets. Done is held back until
// the body is through, so that it is the last event.
type observer struct {
	s    *stream
	id   string
	done chan struct{} // the sandbox's last event has come

	mu       sync.Mutex
	at       int64 // of the newest event
	logBytes int
	ended    bool
	run      classroom.Run
	summary  *trace.Summary
}

func (o *observer) event(e trace.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return
	}
	e = named(e, o.id)
	o.at = max(o.at, e.At)
	switch e.Kind {
	case trace.KindBody:
		return // the body is read, and shown, by the one who asked
	case trace.KindDone:
		o.summary = e.Summary
		close(o.done)
		return
	case trace.KindResponse:
		if o.run.Head != nil {
			return // it came both ways, as an event and as the answer
		}
		o.run.Head = e.Response
	case trace.KindLog:
		if o.logBytes += len(e.Log.Text) + 64; o.logBytes <= keepLogs {
			o.run.Logs = append(o.run.Logs, classroom.LogLine{At: e.At, Log: *e.Log})
		}
	}
	o.s.event(e)
}

// body passes a piece of the response body on.
func (o *observer) body(at int64, b trace.BodyChunk) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if room := keepBody - len(o.run.Body); room > 0 {
		o.run.Body = append(o.run.Body, b.Data[:min(room, len(b.Data))]...)
	}
	if len(b.Data) > 0 && len(o.run.Body) == keepBody {
		o.run.Truncated = true
	}
	o.run.Truncated = o.run.Truncated || b.Truncated
	o.at = max(o.at, at)
	o.s.event(trace.Event{Run: o.id, At: o.at, Kind: trace.KindBody, Body: &b})
}

// end closes the run: with the summary that came, else with the fault given.
func (o *observer) end(f *trace.Fault) classroom.Run {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	if o.summary == nil {
		o.summary = &trace.Summary{Run: o.id, Outcome: string(f.Kind), Fault: f, Wall: o.at, Logs: len(o.run.Logs)}
		o.s.event(trace.Event{Run: o.id, At: o.at, Kind: trace.KindFault, Fault: f})
	}
	o.run.Summary = *o.summary
	o.s.event(trace.Event{Run: o.id, At: max(o.at, o.summary.Wall), Kind: trace.KindDone, Summary: o.summary})
	return o.run
}

func (h *Hub) runOne(ctx context.Context, s *stream, spec RunSpec, id string, p classroom.Project, built Deployed, view int64) classroom.Run {
	o := &observer{s: s, id: id, done: make(chan struct{}), run: record(spec, id, p.Revision, h.Now())}
	begin := time.Now()
	run := sandbox.Run{
		Key: s.key, Method: spec.Request.Method, URL: address(p.Slug, spec.Request.Path), Length: -1,
		Headers: spec.Request.Headers, Cold: spec.Cold, Built: built.Built, Weigh: true, Trigger: true, Watch: o.event,
	}
	if spec.Request.Body != "" {
		run.Body, run.Length = strings.NewReader(spec.Request.Body), int64(len(spec.Request.Body))
	}
	resp, err := h.Door.Invoke(ctx, run)
	if err != nil {
		return o.end(h.stopped(ctx, err))
	}
	head := resp.Head
	o.event(trace.Event{At: time.Since(begin).Microseconds(), Kind: trace.KindResponse, Response: &head})
	if resp.Socket != nil {
		resp.Socket.Close(1000, "The request builder opens no sockets.")
	}
	if resp.Body != nil {
		err = o.copy(resp.Body, begin, view)
		if cerr := resp.Body.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil && ctx.Err() != nil {
		return o.end(h.stopped(ctx, err))
	}
	sum, err := resp.Summary(ctx)
	if err == nil {
		// Events come on a way of their own and may arrive after the summary.
		select {
		case <-o.done:
		case <-ctx.Done():
		case <-time.After(lateEvents):
		}
	}
	o.mu.Lock()
	if o.summary == nil && sum != nil {
		e := named(trace.Event{Kind: trace.KindDone, Summary: sum}, id)
		o.summary = e.Summary
	}
	o.mu.Unlock()
	if err != nil {
		return o.end(h.stopped(ctx, err))
	}
	return o.end(&trace.Fault{Kind: trace.FaultPlatform, Message: "Our runner stopped before it said how the run ended.", Hint: "Run again."})
}

// copy shows the first bytes of a body and reads the rest away.
func (o *observer) copy(body io.Reader, begin time.Time, view int64) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		at := time.Since(begin).Microseconds()
		if n > 0 && view > 0 {
			piece := append([]byte(nil), buf[:min(int64(n), view)]...)
			if view -= int64(len(piece)); len(piece) < n {
				view = -1
			}
			o.body(at, trace.BodyChunk{Data: piece, Truncated: len(piece) < n})
		} else if n > 0 && view == 0 {
			view = -1
			o.body(at, trace.BodyChunk{Truncated: true})
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// stopped is the fault of a run that did not end by itself.
func (h *Hub) stopped(ctx context.Context, err error) *trace.Fault {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errCanceled):
		return &trace.Fault{Kind: trace.FaultCanceled, Message: "Stopped, as you asked."}
	case errors.Is(cause, errClosing):
		return &trace.Fault{Kind: trace.FaultPlatform, Message: "The server restarted. It was not your code.", Hint: "Run again."}
	case cause != nil:
		return &trace.Fault{Kind: trace.FaultCanceled, Message: "Stopped: whoever asked went away."}
	}
	h.Logger.Error("run failed", "error", err)
	return &trace.Fault{Kind: trace.FaultPlatform, Message: "Our runner stopped. It was not your code.", Hint: "Run again."}
}

// Check runs the lesson's checks on a saved revision, tells the project's
// pages and keeps the results. Errors as with Run.
func (h *Hub) Check(ctx context.Context, key sandbox.Key, id string, revision int64) error {
	if !validID(id) {
		return &InputError{Message: badID}
	}
	_, err := h.job(ctx, key, id, func(ctx context.Context, s *stream) ([]classroom.Run, error) {
		return nil, h.check(ctx, s, id, revision)
	})
	return err
}

func (h *Hub) check(ctx context.Context, s *stream, id string, revision int64) error {
	p, err := h.Store.Project(ctx, s.key.Learner, s.key.Project, revision)
	if err != nil {
		return err
	}
	if h.Checker == nil || p.Lesson == "" {
		return &InputError{Message: "This project has no checks."}
	}
	var results []classroom.Check
	var end *CheckEvent
	hash := CodeHash(p.Files)
	err = h.Checker.Check(ctx, p, func(e CheckEvent) {
		e.Run = id
		if e.State == "passed" || e.State == "failed" {
			detail, err := json.Marshal(e)
			if err != nil {
				panic("live: check cannot be encoded: " + err.Error()) // plain data only
			}
			result := classroom.Check{Name: e.Name, Task: e.Task, Passed: e.State == "passed", CodeHash: hash, Detail: detail}
			if !result.Passed {
				result.Message, result.Place, result.Program = classroom.OneLine(e.Message), classroom.Place(e.Frame), p.Files
			}
			results = append(results, result)
		}
		if e.Done {
			end = &e
			return
		}
		s.publish(ServerMessage{Type: "check", ID: id, Check: &e})
	})
	ended := end != nil
	if !ended { // pages wait for the end of what began
		end = &CheckEvent{Run: id, Done: true}
		if err != nil {
			end.Fault = h.stopped(ctx, err)
		}
	}
	// The verdict is kept before the page hears the last of it.
	if len(results) > 0 {
		how := classroom.ChecksStopped
		switch {
		case ended && end.Total > 0 && end.Passed == end.Total:
			how = classroom.ChecksDone
		case ended && len(results) == end.Total:
			how = classroom.ChecksRan
		}
		if serr := h.Store.SaveChecks(context.WithoutCancel(ctx), p.Workspace, p.Lesson, results, how); serr != nil {
			h.Logger.Error("checks not kept", "error", serr)
		}
	}
	s.publish(ServerMessage{Type: "check", ID: id, Check: end})
	var input *InputError
	if ended || errors.As(err, &input) {
		return err
	}
	return nil
}

// address is the URL that the Worker sees: of its own host, unless the page
// gave a whole one. Bytes that no URL may hold are escaped, as browsers do.
func address(slug, path string) string {
	var b strings.Builder
	if strings.HasPrefix(path, "/") {
		b.WriteString("https://" + slug + ".example")
	}
	path, _, _ = strings.Cut(path, "#")
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

const badID = "A run needs an id of 1 to 32 letters, digits, - or _ that does not begin with w-."

func validID(id string) bool {
	if id == "" || len(id) > 32 || strings.HasPrefix(id, "w-") {
		return false
	}
	for _, c := range id {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// Limits of the request builder.
const (
	maxPath        = 16 << 10
	maxHeaders     = 100
	maxHeaderBytes = 32 << 10
	maxSent        = 256 << 10
)

func (s *RunSpec) check() error {
	bad := func(format string, args ...any) error { return &InputError{Message: fmt.Sprintf(format, args...)} }
	r := &s.Request
	if r.Method == "" {
		r.Method = "GET"
	}
	switch {
	case !validID(s.ID):
		return bad(badID)
	case s.Times < 0 || s.Times > maxTimes:
		return bad("A run can be repeated %d times, not %d.", maxTimes, s.Times)
	case len(r.Method) > 32 || !httpguts.ValidHeaderFieldName(r.Method):
		return bad("The method %.40q is not an HTTP method. GET and POST are the usual ones.", r.Method)
	case r.Method == "CONNECT" || r.Method == "TRACE" || r.Method == "TRACK":
		return bad("The method %s never reaches a Worker. Choose another.", r.Method)
	case len(r.Path) > maxPath:
		return bad("The path is longer than %d kB.", maxPath>>10)
	case !strings.HasPrefix(r.Path, "/") && !strings.HasPrefix(r.Path, "https://") && !strings.HasPrefix(r.Path, "http://"):
		return bad("The path %.60q must begin with / or be a whole address.", r.Path)
	case len(r.Body) > maxSent:
		return bad("The request body is larger than %d kB; send it with curl to the public address.", maxSent>>10)
	case len(r.Headers) > maxHeaders:
		return bad("The request has %d headers; %d are allowed.", len(r.Headers), maxHeaders)
	}
	size := 0
	for _, h := range r.Headers {
		size += len(h[0]) + len(h[1])
		if !httpguts.ValidHeaderFieldName(h[0]) {
			return bad("%.60q is not a header name. Letters, digits and - make one.", h[0])
		}
		if !httpguts.ValidHeaderFieldValue(h[1]) {
			return bad("The value of header %s holds a character that no header may hold.", h[0])
		}
	}
	if size > maxHeaderBytes {
		return bad("The headers are larger than %d kB together.", maxHeaderBytes>>10)
	}
	return nil
}
