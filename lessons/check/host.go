package check

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"coldstart/lessons"
	"coldstart/sandbox"
	"coldstart/sandbox/platform"
	"coldstart/sandbox/trace"
)

// misuse is the author's mistake in calling a helper.
type misuse string

func (m misuse) Error() string { return string(m) }

// failed is an expectation of ours that does not hold, such as a file that
// the learner deleted.
type failed struct{ Message, Expected, Got string }

func (f *failed) Error() string { return f.Message }

func failure(message, expected, got string) error { return &failed{message, expected, got} }

// reply is what goes back to the prelude.
type reply struct {
	Value   any       `json:"value"`
	Misuse  string    `json:"misuse,omitempty"`
	Failure *jsonFail `json:"failure,omitempty"`
}

type jsonFail struct {
	Message  string `json:"message"`
	Expected string `json:"expected,omitempty"`
	Got      string `json:"got,omitempty"`
}

// call answers host.call of the prelude: one JSON text in, one out.
func (s *session) call(ctx context.Context, op string, args []any) (any, error) {
	text := ""
	if len(args) > 0 {
		text, _ = args[0].(string)
	}
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, fmt.Errorf("checks: %s with %q: %w", op, text, err)
	}
	v, err := s.answer(ctx, op, raw)
	r := reply{Value: v}
	var m misuse
	var f *failed
	switch {
	case err == nil:
	case errors.As(err, &m):
		r.Misuse = string(m)
	case errors.As(err, &f):
		r.Failure = &jsonFail{f.Message, f.Expected, f.Got}
	default:
		return nil, err
	}
	out, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("checks: answer %s: %w", op, err)
	}
	return string(out), nil
}

// arg decodes argument i into v; a missing one leaves v as it is.
func arg(op string, raw []json.RawMessage, i int, v any) error {
	if i >= len(raw) || string(raw[i]) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw[i], v); err != nil {
		return misuse(fmt.Sprintf("%s: argument %d has the wrong type", op, i))
	}
	return nil
}

func (s *session) answer(ctx context.Context, op string, raw []json.RawMessage) (any, error) {
	switch op {
	case "begin":
		return s.begin(raw)
	case "done":
		s.mu.Lock()
		s.done = true
		s.mu.Unlock()
		return true, nil
	}
	var i int
	if err := arg(op, raw, 0, &i); err != nil {
		return nil, err
	}
	s.mu.Lock()
	t := s.tests[i]
	s.mu.Unlock()
	if t == nil {
		return nil, fmt.Errorf("checks: %s for test %d, which is not declared", op, i)
	}
	switch op {
	case "start":
		t.began = s.cfg.Now()
		t.State = Running
		s.emit(t.Event)
		return true, nil
	case "end":
		return true, s.end(t, raw)
	case "send":
		return s.send(ctx, t, raw)
	case "measure":
		return s.measure(ctx, t, raw)
	case "evict":
		return true, s.cfg.Door.Evict(ctx, t.project.key, s.fresh(t.project, t))
	case "tick":
		return s.tick(ctx, t, raw)
	case "enqueue":
		return s.enqueue(ctx, t, raw)
	case "upload":
		return s.upload(ctx, t, raw)
	case "call":
		return s.callExport(ctx, t, raw)
	case "kill":
		var name string
		if err := arg(op, raw, 1, &name); err != nil {
			return nil, err
		}
		p, err := s.killed(ctx, t.project, name)
		if err == nil {
			t.project = p
		}
		return true, err
	case "box":
		return s.box(ctx, t, raw)
	case "pool":
		return s.pool(raw)
	case "lab":
		return s.lab(ctx, raw)
	case "export":
		return s.export()
	case "wait":
		var ms float64
		if err := arg(op, raw, 1, &ms); err != nil {
			return nil, err
		}
		if ms < 0 || ms > 5000 {
			return nil, misuse("wait takes 0 to 5000 ms")
		}
		select {
		case <-time.After(time.Duration(ms * float64(time.Millisecond))):
			return true, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	case "note":
		var text string
		if err := arg(op, raw, 1, &text); err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(t.Notes) == maxNotes {
			return nil, misuse(fmt.Sprintf("a check has at most %d notes", maxNotes))
		}
		t.Notes = append(t.Notes, text)
		return true, nil
	}
	return nil, misuse("there is no helper " + op)
}

// What one script may have this process keep: it may be anybody's who teaches here.
const (
	maxTests = 500
	maxNotes = 20
)

// begin takes the declared tests and gives what every test may read.
func (s *session) begin(raw []json.RawMessage) (any, error) {
	var tests []struct{ Name, Kind string }
	if err := arg("begin", raw, 0, &tests); err != nil {
		return nil, err
	}
	if len(tests) > maxTests {
		return nil, misuse(fmt.Sprintf("checks.js declares %d tests; %d is the most", len(tests), maxTests))
	}
	s.mu.Lock()
	for i, d := range tests {
		if s.cfg.Only != nil && !has(s.cfg.Only, i) {
			continue
		}
		s.tests[i] = &running{Event: Event{Index: i, Name: d.Name, Kind: d.Kind, Task: lessons.TaskOf(d.Name)}, project: s.main}
		s.order = append(s.order, i)
	}
	s.mu.Unlock()
	files := map[string]string{}
	for name, b := range s.files {
		if utf8.Valid(b) {
			files[name] = string(b)
		}
	}
	answers := s.cfg.Answers
	if answers == nil {
		answers = map[string][]string{}
	}
	out := map[string]any{"files": files, "answers": answers, "nonce": nonce(s.cfg.Learner, s.lesson.ID)}
	if s.cfg.Only != nil {
		out["only"] = s.cfg.Only
	}
	return out, nil
}

// nonce is a word of one learner and one lesson: the same in each run, and of
// no use to find out who the learner is.
func nonce(learner, lesson string) string {
	sum := sha256.Sum256([]byte("coldstart nonce\n" + learner + "\n" + lesson))
	return hex.EncodeToString(sum[:6])
}

func has(list []int, n int) bool {
	for _, v := range list {
		if v == n {
			return true
		}
	}
	return false
}

// end closes a test.
func (s *session) end(t *running, raw []json.RawMessage) error {
	var e struct {
		Passed   bool
		Kind     string
		Name     string
		Message  string
		Expected string
		Got      string
		Stack    string
	}
	if err := arg("end", raw, 1, &e); err != nil {
		return err
	}
	s.mu.Lock()
	t.Took = s.cfg.Now().Sub(t.began)
	t.State = Passed
	if !e.Passed {
		t.State = Failed
		f := &Failure{Message: e.Message, Expected: e.Expected, Got: e.Got, Request: t.request, Logs: t.logs}
		if e.Kind != "failure" {
			f.Author = place(e.Stack)
			f.Message = "The check itself stopped: " + e.Message
			if e.Kind == "thrown" {
				f.Message = "The check itself stopped: " + e.Name + ": " + e.Message
			}
		}
		if t.fault != nil {
			f.Fault = t.fault
			// The exception explains more than the 500 that it caused.
			line := faultLine(t.fault)
			if e.Got == "" || e.Got == line {
				f.Got = line
			} else {
				f.Got = fmt.Sprintf("%s (%s)", e.Got, line)
			}
			if len(t.fault.Frames) > 0 {
				f.Frame = &t.fault.Frames[0]
			}
		}
		t.Failure = f
	}
	ev := t.Event
	s.mu.Unlock()
	s.emit(ev)
	return nil
}

func faultLine(f *trace.Fault) string {
	if f.Name != "" && !strings.HasPrefix(f.Message, f.Name) {
		return f.Name + ": " + f.Message
	}
	return f.Message
}

var stackPlace = regexp.MustCompile(`checks\.js:(\d+):(\d+)`)

// place finds the first place of a stack that is in checks.js itself.
func place(stack string) *trace.Frame {
	for _, m := range stackPlace.FindAllStringSubmatch(stack, -1) {
		line, _ := strconv.Atoi(m[1])
		col, _ := strconv.Atoi(m[2])
		if line > preludeLines {
			return &trace.Frame{File: "checks.js", Line: line - preludeLines, Column: col}
		}
	}
	return nil
}

// fresh is the namespace of a test: isolates and storage of its own.
func (s *session) fresh(p *project, t *running) string {
	name := s.id + "-" + strconv.Itoa(t.Index)
	s.mu.Lock()
	p.fresh[name] = true
	s.mu.Unlock()
	return name
}

// sendOptions are the options of send and measure.
type sendOptions struct {
	Method  string      `json:"method"`
	Headers [][2]string `json:"headers"`
	Body    *string     `json:"body"`
	Base64  *string     `json:"base64"`
	Worker  string      `json:"worker"`
	Cold    bool        `json:"cold"`
	Against string      `json:"against"` // measure: "starter", or a file that is the entry instead
	Of      string      `json:"of"`      // measure: "starter" instead of the learner's
	Routed  bool        `json:"routed"`  // curl: only the route table decides
}

// site is the address that a learner's Worker sees when a check names a path only.
const site = "https://site.example"

// run makes a sandbox run of `POST /path` and options.
func (s *session) run(p *project, t *running, request string, o sendOptions) (sandbox.Run, error) {
	if err := p.has(o.Worker); err != nil {
		return sandbox.Run{}, err
	}
	method, target := "GET", strings.TrimSpace(request)
	if m, rest, ok := strings.Cut(target, " "); ok {
		method, target = m, strings.TrimSpace(rest)
	}
	if o.Method != "" {
		method = o.Method
	}
	switch {
	case strings.HasPrefix(target, "/"):
		target = site + target
	case strings.Contains(target, "://"):
	default:
		return sandbox.Run{}, misuse(fmt.Sprintf("send %q: write a path, \"/hello\", or a method and a path, \"POST /hello\"", request))
	}
	r := sandbox.Run{Key: p.key, Worker: o.Worker, Method: method, URL: target, Headers: o.Headers, Length: 0, Cold: o.Cold, Fresh: s.fresh(p, t), Weigh: true}
	var body []byte
	switch {
	case o.Base64 != nil:
		b, err := base64.StdEncoding.DecodeString(*o.Base64)
		if err != nil {
			return r, misuse("send: the body's bytes did not arrive whole")
		}
		body = b
	case o.Body != nil:
		body = []byte(*o.Body)
	default:
		return r, nil
	}
	r.Body, r.Length = strings.NewReader(string(body)), int64(len(body))
	return r, nil
}

// answered is a response with everything that its run told.
type answered struct {
	head    trace.ResponseHead
	body    []byte
	result  []byte
	summary *trace.Summary
	logs    []trace.Log
}

// maxBody is how much of a response body a check reads.
const maxBody = 4 << 20

// invoke performs one run to its end, waitUntil included.
func (s *session) invoke(ctx context.Context, r sandbox.Run) (*answered, error) {
	a := &answered{}
	done := make(chan struct{})
	r.Watch = func(e trace.Event) {
		switch e.Kind {
		case trace.KindLog:
			if e.Log != nil {
				a.logs = append(a.logs, *e.Log)
			}
		case trace.KindDone:
			close(done)
		}
	}
	resp, err := s.cfg.Door.Invoke(ctx, r)
	if err != nil {
		return nil, err
	}
	a.head, a.result = resp.Head, resp.Result
	if resp.Body != nil {
		a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody))
		_ = resp.Body.Close()
		if err != nil && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	if a.summary, err = resp.Summary(ctx); err != nil {
		return nil, err
	}
	select { // the log lines are all there once the last event is
	case <-done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if resp.Result != nil {
		a.result = resp.Result
	}
	return a, nil
}

// remember keeps what a failure of this test will show.
func (s *session) remember(t *running, request string, a *answered) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if request != "" {
		t.request = request
	}
	t.fault = a.summary.Fault
	t.logs = append(t.logs, a.logs...)
	if n := len(t.logs); n > maxLogs {
		t.logs = t.logs[n-maxLogs:]
	}
}

func (s *session) send(ctx context.Context, t *running, raw []json.RawMessage) (any, error) {
	var request string
	var o sendOptions
	if err := errors.Join(arg("send", raw, 1, &request), arg("send", raw, 2, &o)); err != nil {
		return nil, misuse("send takes a request such as \"POST /hello\" and options such as { json: { name: \"Ada\" } }")
	}
	r, err := s.run(t.project, t, request, o)
	if err != nil {
		return nil, err
	}
	a := s.unrouted(t.project, r, o)
	if a == nil {
		if a, err = s.invoke(ctx, r); err != nil {
			return nil, err
		}
	}
	s.remember(t, describe(r, o), a)
	return a.json(), nil
}

// unrouted is the answer to a curl whose address leads to no Worker, nil for
// others: the door would fall back to the first Worker, as it does for
// projects without routes.
func (s *session) unrouted(p *project, r sandbox.Run, o sendOptions) *answered {
	if !o.Routed || o.Worker != "" {
		return nil
	}
	m := platform.RoutesOf(p.deploy.Workers).Match(r.URL)
	if m.Worker != "" {
		return nil
	}
	return &answered{
		head: trace.ResponseHead{Status: 404}, body: []byte(m.Why),
		summary: &trace.Summary{Outcome: "ok", Status: 404, Route: m.Pattern},
	}
}

// describe is a request as a failure shows it.
func describe(r sandbox.Run, o sendOptions) string {
	s := r.Method + " " + strings.TrimPrefix(r.URL, site)
	for _, h := range o.Headers {
		s += "\n" + h[0] + ": " + h[1]
	}
	if o.Body != nil && *o.Body != "" {
		body := *o.Body
		if len(body) > 500 {
			body = body[:500] + "…"
		}
		s += "\n\n" + body
	}
	return s
}

// json is the response as the prelude takes it.
func (a *answered) json() map[string]any {
	m := a.event()
	headers := a.head.Headers
	if headers == nil {
		headers = [][2]string{}
	}
	m["status"], m["statusText"], m["headers"] = a.head.Status, a.head.StatusText, headers
	m["body"], m["base64"] = strings.ToValidUTF8(string(a.body), "\uFFFD"), base64.StdEncoding.EncodeToString(a.body)
	return m
}

// event is what a run told, for events without a response.
func (a *answered) event() map[string]any {
	logs := make([]map[string]any, 0, len(a.logs))
	for _, l := range a.logs {
		logs = append(logs, map[string]any{"level": l.Level, "text": l.Text, "args": l.Args, "frame": l.Frame})
	}
	m := map[string]any{"logs": logs, "trace": traceOf(a.summary), "outcome": a.summary.Outcome}
	if a.summary.Fault != nil {
		m["fault"] = a.summary.Fault
	}
	if a.result != nil && json.Valid(a.result) {
		m["result"] = json.RawMessage(a.result)
	}
	return m
}

// traceOf is the summary in the units that checks use: milliseconds, bytes.
func traceOf(s *trace.Summary) map[string]any {
	phases := map[string]float64{}
	for _, p := range trace.Phases {
		phases[string(p)] = ms(s.Phase(p))
	}
	calls := make([]map[string]any, 0, len(s.Calls))
	for _, c := range s.Calls {
		calls = append(calls, map[string]any{"kind": c.Kind, "name": c.Name, "ms": ms(c.End - c.Start), "status": c.Status, "error": c.Error, "worker": c.Worker})
	}
	return map[string]any{
		"temperature": s.Temperature, "phases": phases, "ms": served(s), "cpu": ms(s.CPU), "load_cpu": ms(s.LoadCPU), "memory": s.Memory, "wall": ms(s.Wall),
		"route": s.Route, "worker": s.Worker, "isolate": s.Isolate, "isolates": s.Isolates, "engine": s.Engine, "calls": calls, "outcome": s.Outcome,
	}
}

func ms(us int64) float64 { return float64(us) / 1000 }

// served is the time that the visitor's wait was the code's doing: start,
// load, handle and stream, in ms. Building and queueing are left out.
func served(s *trace.Summary) float64 {
	return ms(s.Phase(trace.PhaseStart) + s.Phase(trace.PhaseLoad) + s.Phase(trace.PhaseHandle) + s.Phase(trace.PhaseStream))
}
