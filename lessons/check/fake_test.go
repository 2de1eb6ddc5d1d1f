package check

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"

	"coldstart/sandbox"
	"coldstart/sandbox/bundle"
	"coldstart/sandbox/trace"

	"github.com/dop251/goja"
)

// fakeDoor keeps the door's rules without a sandbox: scripts run on goja in
// this process, and a Worker is a Go function chosen by the project's files.
type fakeDoor struct {
	worker func(w *fakeRun)
	build  func(p trace.Project) *trace.Fault

	mu       sync.Mutex
	deployed map[sandbox.Key]trace.Project
	isolates map[string]map[string]any // state by namespace
	evicted  int
	runs     []sandbox.Run
}

// fakeRun is one event in a fake Worker.
type fakeRun struct {
	sandbox.Run
	Files   map[string]string
	State   map[string]any // of the isolate; empty when cold
	Cold    bool
	Path    string
	Query   url.Values
	Body    string
	Status  int
	Headers [][2]string
	Out     string
	Logs    []string
	Fault   *trace.Fault
	Load    int64 // µs of the load phase when cold
	Handle  int64
	Memory  int64
}

func (d *fakeDoor) Build(_ context.Context, _ sandbox.Key, p trace.Project) (*trace.Deployment, error) {
	if d.build != nil {
		if f := d.build(p); f != nil {
			return &trace.Deployment{Fault: f}, nil
		}
	}
	files, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return &trace.Deployment{Workers: []trace.Worker{{Name: "main", Version: "1", Code: string(files), Routes: []string{"shop.example/*"}, Consumers: []trace.Consumer{{Queue: "jobs"}}}}}, nil
}

func (d *fakeDoor) Deploy(_ context.Context, key sandbox.Key, dep *trace.Deployment) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.deployed == nil {
		d.deployed, d.isolates = map[sandbox.Key]trace.Project{}, map[string]map[string]any{}
	}
	var p trace.Project
	if err := json.Unmarshal([]byte(dep.Workers[0].Code), &p); err != nil {
		p.Files = map[string][]byte{"killed": nil}
	}
	d.deployed[key] = p
	return nil
}

func (d *fakeDoor) Invoke(_ context.Context, r sandbox.Run) (*sandbox.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, ok := d.deployed[r.Key]
	if !ok {
		return nil, errors.New("not deployed")
	}
	d.runs = append(d.runs, r)
	ns := r.Key.Project + "|" + r.Fresh
	state, warm := d.isolates[ns]
	if r.Cold || !warm {
		state, warm = map[string]any{}, false
		d.isolates[ns] = state
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, err
	}
	f := &fakeRun{Run: r, Files: map[string]string{}, State: state, Cold: !warm, Path: u.Path, Query: u.Query(), Status: 200, Handle: 50, Memory: 256 << 10}
	for name, b := range p.Files {
		f.Files[name] = string(b)
	}
	if r.Body != nil {
		b, _ := io.ReadAll(r.Body)
		f.Body = string(b)
	}
	if _, dead := p.Files["killed"]; dead {
		f.Status, f.Fault = 500, &trace.Fault{Kind: trace.FaultException, Name: "Error", Message: "This Worker was stopped by the check."}
	} else {
		d.worker(f)
	}
	sum := &trace.Summary{Status: f.Status, Outcome: "ok", Temperature: trace.Warm, CPU: f.Handle, Memory: f.Memory, Isolate: ns, Worker: "main", Fault: f.Fault}
	at := int64(0)
	span := func(ph trace.Phase, us int64) {
		sum.Spans = append(sum.Spans, trace.Span{Phase: ph, Start: at, End: at + us})
		at += us
	}
	if f.Cold {
		sum.Temperature = trace.Cold
		span(trace.PhaseStart, 100)
		span(trace.PhaseLoad, f.Load)
	}
	span(trace.PhaseHandle, f.Handle)
	if f.Fault != nil {
		sum.Outcome, sum.Status, f.Status = string(f.Fault.Kind), 500, 500
	}
	if r.Watch != nil {
		for _, l := range f.Logs {
			r.Watch(trace.Event{Kind: trace.KindLog, Log: &trace.Log{Level: "log", Text: l}})
		}
		r.Watch(trace.Event{Kind: trace.KindDone, Summary: sum})
	}
	body := f.Out
	if r.Method == "HEAD" {
		body = ""
	}
	return &sandbox.Response{
		Head: trace.ResponseHead{Status: f.Status, Headers: f.Headers}, Body: io.NopCloser(strings.NewReader(body)),
		Summary: func(context.Context) (*trace.Summary, error) { return sum, nil },
	}, nil
}

func (d *fakeDoor) Evict(_ context.Context, key sandbox.Key, fresh string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.evicted++
	delete(d.isolates, key.Project+"|"+fresh)
	return nil
}

func (d *fakeDoor) KeepWarm(sandbox.Key, bool)                {}
func (d *fakeDoor) Isolates(sandbox.Key) []trace.IsolateState { return nil }
func (d *fakeDoor) Pages(context.Context, sandbox.Key, string) ([]byte, error) {
	return nil, nil
}

func (d *fakeDoor) Stats() sandbox.Stats {
	return sandbox.Stats{Runners: []sandbox.RunnerStats{{Role: "run", RSS: 12 << 20}, {Role: "build", RSS: 40 << 20}}}
}
func (d *fakeDoor) Close() error { return nil }

// Script runs a script as a run child does: lowered by esbuild, then on goja.
func (d *fakeDoor) Script(ctx context.Context, s sandbox.Script) ([]byte, *trace.Fault, error) {
	code, sourceMap, fault := bundle.Lower(ctx, s.Name, s.Source)
	if fault != nil {
		return nil, fault, nil
	}
	code += "\n//# sourceMappingURL=data:application/json;base64," + base64.StdEncoding.EncodeToString(sourceMap)
	vm := goja.New()
	host := vm.NewObject()
	turns := make(chan func()) // what other goroutines want done on this one
	waiting := 0
	_ = host.Set("call", func(c goja.FunctionCall) goja.Value {
		args := make([]any, 0, len(c.Arguments))
		for _, a := range c.Arguments[1:] {
			args = append(args, a.Export())
		}
		promise, resolve, reject := vm.NewPromise()
		op := c.Argument(0).String()
		waiting++
		go func() {
			v, err := s.Call(ctx, op, args)
			turns <- func() {
				if err != nil {
					_ = reject(vm.NewGoError(err))
					return
				}
				_ = resolve(vm.ToValue(v))
			}
		}()
		return vm.ToValue(promise)
	})
	_ = vm.Set("host", host)
	v, err := vm.RunScript(s.Name, code)
	var ex *goja.Exception
	if errors.As(err, &ex) {
		f := &trace.Fault{Kind: trace.FaultException, Message: ex.Value().String()}
		for _, fr := range ex.Stack() {
			f.Frames = append(f.Frames, trace.Frame{File: fr.SrcName(), Line: fr.Position().Line, Column: fr.Position().Column})
		}
		return nil, f, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for ; waiting > 0; waiting-- {
		(<-turns)()
	}
	if p, ok := v.ToObject(vm).Get("default").Export().(*goja.Promise); ok {
		switch p.State() {
		case goja.PromiseStatePending:
			return []byte("null"), nil, nil
		case goja.PromiseStateRejected:
			return nil, &trace.Fault{Kind: trace.FaultException, Message: fmt.Sprint(p.Result())}, nil
		}
		v = p.Result()
	}
	out, err := json.Marshal(v.Export())
	return out, nil, err
}
