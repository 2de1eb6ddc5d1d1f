package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstart/sandbox/query"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// The test binary is also its own children: the fake engines below obey the
// path of each request, so that every way to end can be produced at will.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		role := strings.TrimPrefix(os.Args[2], "--role=")
		os.Exit(ChildMain(role, Setup{
			Engines: func(Inherited) (Engines, error) { return fakeEngines{}, nil },
			Builder: func() (Builder, error) { return fakeBuilder{}, nil },
			Querier: func(int64) (Querier, error) { return fakeQuerier{}, nil },
		}))
	}
	if len(os.Args) > 1 {
		switch os.Args[1] { // processes of walls_test.go
		case "mute":
			time.Sleep(time.Hour)
		case "rude": // says the right thing in a frame of another kind
			var b bytes.Buffer
			_ = appendFrame(&b, kindPong, 0, readyMsg{})
			_, _ = os.NewFile(3, "socket").Write(b.Bytes())
			time.Sleep(time.Hour)
		case "parent":
			os.Exit(parent())
		case "wall":
			os.Exit(raiseAlone(os.Args[2], os.Args[3]))
		}
	}
	os.Exit(m.Run())
}

type fakeEngines struct{}

// fakeQuerier does what the text of the first query says.
type fakeQuerier struct{}

func (fakeQuerier) Do(ctx context.Context, q query.Request) query.Reply {
	text := q.Queries[0].Text
	if what, ok := strings.CutPrefix(text, "climb "); ok {
		text = climb(what)
	}
	switch text {
	case "die":
		os.Exit(3)
	case "race":
		var wg sync.WaitGroup
		n := 0
		for range 2 {
			wg.Go(func() { n++ })
		}
		wg.Wait()
	case "hang":
		<-ctx.Done()
	case "eat":
		eat()
	case "lie":
		return query.Reply{Results: make([]query.Result, 2)}
	}
	return query.Reply{Results: []query.Result{{Columns: []string{"said"}, Values: []any{text}}}}
}

func (fakeEngines) NewWorker(s WorkerSpec) (Started, error) {
	switch s.Worker.Code {
	case "fail":
		return Started{}, errors.New("no memory")
	case "broken":
		return Started{Fault: &trace.Fault{Kind: trace.FaultStartup, Message: "thrown at the top level"}, Start: time.Millisecond}, nil
	}
	return Started{Worker: &fakeWorker{spec: s, runs: map[string]webapi.Sink{}}}, nil
}

func (fakeEngines) Script(ctx context.Context, s ScriptSpec) ([]byte, *trace.Fault) {
	if s.Code == "spin" {
		runtime.LockOSThread()
		s.Enter()
		spin()
	}
	if s.Code == "flood" {
		return fmt.Appendf(nil, "%q", flood(s.Call)), nil
	}
	got := make(chan any, 1)
	args := []any{s.Code}
	if s.Code == "deep" {
		for range 1000 {
			args = []any{args}
		}
	}
	s.Call("echo", args, func(v any, err error) {
		if err != nil {
			v = err
		}
		got <- v
	})
	return fmt.Appendf(nil, "%q", <-got), nil
}

// flood makes a thousand calls without waiting for an answer, and says what
// they were answered.
func flood(call func(op string, args []any, done func(any, error))) string {
	const n = 1000
	got := make(chan string, n)
	for i := range n {
		call("flood", []any{int64(i)}, func(v any, err error) {
			if err != nil {
				v = err
			}
			got <- fmt.Sprint(v)
		})
	}
	all := map[string]int{}
	for range n {
		all[<-got]++
	}
	return fmt.Sprint(all)
}

type fakeWorker struct {
	spec WorkerSpec
	mu   sync.Mutex
	runs map[string]webapi.Sink
	dead bool
	deaf bool // to Cancel
	seen int
}

var starved []byte

// hold takes so many MiB for a minute, whatever becomes of its run.
func hold(mib int) {
	held := make([]byte, mib<<20)
	for i := 0; i < len(held); i += 4096 {
		held[i] = 1
	}
	time.Sleep(time.Minute)
	runtime.KeepAlive(held)
}

// eat takes more and more memory.
func eat() {
	var all [][]byte
	for {
		b := make([]byte, 8<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
		_ = all
		time.Sleep(time.Millisecond)
	}
}

//go:noinline
func spin() {
	n := 0
	for { //nolint:staticcheck // the point: it never yields to anyone
		n++
	}
}

func (w *fakeWorker) Invoke(inv webapi.Invocation, sink webapi.Sink) error {
	w.mu.Lock()
	if w.dead {
		w.mu.Unlock()
		return errors.New("gone")
	}
	w.runs[inv.Run] = sink
	w.seen++
	seen := w.seen
	w.mu.Unlock()
	path := inv.Type
	if inv.Request != nil {
		path = inv.Request.URL
	}
	w.mu.Lock()
	w.deaf = w.deaf || path == "/deaf"
	w.mu.Unlock()
	go w.serve(path, seen, inv, sink)
	return nil
}

func (w *fakeWorker) finish(run string, sink webapi.Sink, f *trace.Fault) {
	w.mu.Lock()
	delete(w.runs, run)
	w.mu.Unlock()
	s := trace.Summary{Run: run, Outcome: "ok", CPU: 7, Fault: f}
	if f != nil {
		s.Outcome = string(f.Kind)
	}
	sink.Done(s)
}

func (w *fakeWorker) serve(path string, seen int, inv webapi.Invocation, sink webapi.Sink) {
	text := func(s string) {
		_ = sink.Head(trace.ResponseHead{Status: 200, Headers: [][2]string{{"a", "b"}}, Length: int64(len(s))}, []byte(s), true)
	}
	switch path {
	case "/hello":
		text("hello " + inv.Run)
	case "/count":
		text(fmt.Sprint(seen))
	case "/env":
		text(strings.Join(os.Environ(), ","))
	case "/log":
		for i := range 100 {
			sink.Event(trace.Event{Kind: trace.KindLog, Log: &trace.Log{Level: "log", Text: fmt.Sprint(i)}})
		}
		text("logged")
	case "/echo":
		_ = sink.Head(trace.ResponseHead{Status: 200}, nil, false)
		buf := make([]byte, 100_000)
		ready := make(chan error, 1)
		for {
			n, err := inv.Request.Body.Read(buf)
			if n > 0 {
				if sink.Write(append([]byte(nil), buf[:n]...), func(err error) { ready <- err }) != nil || <-ready != nil {
					break
				}
			}
			if err != nil {
				if err == io.EOF {
					err = nil
				}
				sink.End(err)
				break
			}
		}
	case "/big":
		text(strings.Repeat("x", 3<<20))
	case "/heads": // too many, and too long, and then one
		for _, h := range []trace.ResponseHead{{Status: 200, Headers: make([][2]string, listMax+1)}, {Status: 200, Headers: [][2]string{{"a", strings.Repeat("b", callMax)}}}} {
			if err := sink.Head(h, nil, false); !errors.Is(err, errLongHead) {
				panic(err)
			}
		}
		text("told")
	case "/endless":
		_ = sink.Head(trace.ResponseHead{Status: 200}, nil, false)
		ready := make(chan error, 1)
		for sink.Write(make([]byte, 64<<10), func(err error) { ready <- err }) == nil && <-ready == nil {
		}
	case "/call":
		got := make(chan string)
		w.spec.Backend.Call(inv.Run, "kv.get", []any{"key", int64(3), []byte{1}, nil, true, 1.5}, func(v any, err error) {
			got <- fmt.Sprint(v, err)
		})
		text(<-got)
	case "/flood/kv.put", "/flood/storage.put":
		text(flood(func(_ string, args []any, done func(any, error)) {
			w.spec.Backend.Call(inv.Run, strings.TrimPrefix(path, "/flood/"), args, done)
		}))
	case "/deep", "/long":
		args := []any{"key"}
		for range 1000 {
			args = []any{args}
		}
		if path == "/long" {
			args = []any{[]any{make([]any, listMax+1)}}
		}
		got := make(chan string, 1)
		w.spec.Backend.Call(inv.Run, "kv.get", args, func(v any, err error) { got <- fmt.Sprint(v, err) })
		text(<-got)
	case "/fetch":
		got := make(chan string)
		body := io.NopCloser(strings.NewReader(strings.Repeat("up", 200_000)))
		w.spec.Backend.Fetch(inv.Run, webapi.Target{Type: "service", Worker: "b"}, &webapi.Request{Method: "PUT", URL: "http://b/", Body: body, Length: -1}, func(r *webapi.Response, err error) {
			go func() {
				if err != nil {
					got <- err.Error()
					return
				}
				b, err := io.ReadAll(r.Body)
				got <- fmt.Sprint(r.Head.Status, len(b), err)
			}()
		})
		text(<-got)
	case "/socket":
		inv.Socket.Receive(func(data []byte, binary bool) { _ = inv.Socket.Send(append(data, '!'), binary) }, func(code int, reason string, clean bool) {
			inv.Socket.Close(code, "bye "+reason)
			w.finish(inv.Run, sink, nil)
		})
		_ = sink.Head(trace.ResponseHead{Status: 101}, nil, true)
		return
	case "/wait", "/deaf":
		return // until Cancel
	case "/fill":
		hold(330)
	case "/spin":
		runtime.LockOSThread()
		w.spec.Enter()
		spin()
	case "/exit":
		os.Exit(3)
	case "/crash":
		go func() { panic("crashed on purpose") }()
		return
	case "/eat":
		eat()
	case "/starve":
		starved = make([]byte, 1<<44) // more than there is anywhere
	case "/cut": // half a frame, and the end
		var b bytes.Buffer
		appendRaw(&b, kindBody, 1, 0, 0, make([]byte, 1000))
		_, _ = w.spec.Backend.(*child).conn.w.Write(b.Bytes()[:500])
		os.Exit(0)
	case "/spent":
		w.mu.Lock()
		w.dead = true
		w.mu.Unlock()
		w.finish(inv.Run, sink, &trace.Fault{Kind: trace.FaultMemory, Message: "full"})
		return
	case "scheduled":
		sink.Result([]byte(`{"ok":true}`))
	default:
		if mib, ok := strings.CutPrefix(path, "/hold/"); ok {
			n, _ := strconv.Atoi(mib)
			hold(n)
			return
		}
		if what, ok := strings.CutPrefix(path, "/break/"); ok {
			if w.breakProtocol(what, inv.Run); !strings.HasPrefix(what, "forge/") {
				return
			}
			text("forged")
		}
		if what, ok := strings.CutPrefix(path, "/climb/"); ok {
			text(climb(what))
		}
		if abi, ok := strings.CutPrefix(path, "/abi/"); ok {
			text(foreign(abi))
		}
	}
	w.finish(inv.Run, sink, nil)
}

// breakProtocol sends the parent what a child that somebody took over might.
func (w *fakeWorker) breakProtocol(what, run string) {
	c := w.spec.Backend.(*child)
	head := headMsg{Head: trace.ResponseHead{Status: 200}, Body: []byte("forged"), End: true}
	var b bytes.Buffer
	n := c.run(run).n
	name, of, _ := strings.Cut(what, "/")
	if of != "" {
		_, _ = fmt.Sscan(of, &n)
	}
	switch name {
	case "heads":
		_ = appendFrame(&b, kindHead, n, head)
		_ = appendFrame(&b, kindHead, n, head)
	case "never": // of a run that never was
		_ = appendFrame(&b, kindHead, 1<<60, head)
	case "cut": // half a frame
		_ = appendFrame(&b, kindHead, n, head)
		b.Truncate(b.Len() / 2)
	case "forge": // another child's run
		_ = appendFrame(&b, kindHead, n, head)
		_ = appendFrame(&b, kindDone, n, doneMsg{Summary: trace.Summary{Outcome: "ok"}})
	}
	_, _ = c.conn.w.Write(b.Bytes()) // nobody else writes: all others wait
	if name == "cut" {
		os.Exit(0)
	}
}

func (w *fakeWorker) Cancel(run string, why error) {
	w.mu.Lock()
	sink := w.runs[run]
	deaf := w.deaf
	w.mu.Unlock()
	if sink != nil && !deaf {
		w.finish(run, sink, &trace.Fault{Kind: trace.FaultCanceled, Message: why.Error()})
	}
}
func (w *fakeWorker) Pages() []byte  { return []byte{0, 1, 2} }
func (w *fakeWorker) Private() int64 { return 4096 }
func (w *fakeWorker) Dead() bool     { w.mu.Lock(); defer w.mu.Unlock(); return w.dead }
func (w *fakeWorker) Close()         {}

type fakeBuilder struct{}

func (fakeBuilder) Build(_ context.Context, p trace.Project) (*trace.Deployment, error) {
	switch p.Main {
	case "exit":
		os.Exit(4)
	case "spin":
		spin()
	case "sleep":
		select {}
	case "eat":
		eat()
	case "linger":
		time.Sleep(300 * time.Millisecond)
	}
	return &trace.Deployment{Workers: []trace.Worker{{Name: p.Main, Code: string(p.Files["a"])}}}, nil
}

func (fakeBuilder) Lower(_ context.Context, name, source string) (string, []byte, *trace.Fault) {
	return strings.ToUpper(source), []byte(name), nil
}

// recorder is a Handler that keeps everything.
type recorder struct {
	heads  chan Head
	ends   chan End
	mu     sync.Mutex
	events []trace.Event
	onCall func(op string, args []any, done func(any, error))
	onSub  func(webapi.Target, *webapi.Request, func(*webapi.Response, error))
}

func newRecorder() *recorder {
	return &recorder{heads: make(chan Head, 1), ends: make(chan End, 1)}
}
func (r *recorder) Head(h Head)               { r.heads <- h }
func (r *recorder) Result([]byte)             {}
func (r *recorder) Body([]byte, bool, string) {}
func (r *recorder) Events(ev []trace.Event) {
	r.mu.Lock()
	r.events = append(r.events, ev...)
	r.mu.Unlock()
}
func (r *recorder) Call(op string, args []any, done func(any, error)) { r.onCall(op, args, done) }
func (r *recorder) Fetch(to webapi.Target, q *webapi.Request, done func(*webapi.Response, error)) {
	r.onSub(to, q, done)
}
func (r *recorder) End(e End) { r.ends <- e }

func testRing(t testing.TB, cfg Config) *Ring {
	t.Helper()
	r, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

var fakeCode = &trace.Worker{Name: "w", Version: "v1", Code: "code"}

// call begins a run in an isolate of its own, or a given one.
func begin(t testing.TB, ring *Ring, p *Runner, path string, h Handler, change ...func(*Job)) *Run {
	t.Helper()
	slot, ok := p.Slot()
	if !ok {
		t.Fatal("no place")
	}
	l := trace.Default()
	j := Job{
		Worker: fakeCode, Isolate: ring.NextIsolate(), New: true, Slot: slot, Limits: l, Run: fmt.Sprint("run-", ring.NextIsolate()), Type: "fetch", Origin: Monotonic(),
		Request: &webapi.Request{Method: "GET", URL: path, Length: -1},
	}
	for _, f := range change {
		f(&j)
	}
	run, err := p.Start(j, h)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func first(t testing.TB, ring *Ring) *Runner {
	t.Helper()
	p, err := ring.Runner(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func within[T any](t testing.TB, ch <-chan T, d time.Duration) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(d):
		t.Fatalf("nothing came within %v", d)
		panic("unreachable")
	}
}
