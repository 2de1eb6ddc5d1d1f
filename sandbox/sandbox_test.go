package sandbox

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
)

// The test binary is also its own children.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		os.Exit(Main(strings.TrimPrefix(os.Args[2], "--role=")))
	}
	code := m.Run()
	shared.mu.Lock()
	if shared.image != nil {
		_ = shared.image.Close()
	}
	os.Exit(code)
}

var shared struct {
	mu    sync.Mutex
	image *os.File
	cache string
}

// open makes a sandbox with real children.
// imaged is a Config with the engine's snapshot, which is made once.
func imaged(t testing.TB) Config {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock() // whatever fails: the next test is not to wait
	if shared.image == nil {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		shared.cache = cache + "/coldstart-test"
		if shared.image, err = runner.Image(t.Context(), shared.cache); err != nil {
			t.Fatal(err)
		}
	}
	return Config{Image: shared.image, Cache: shared.cache}
}

func open(t testing.TB, change ...func(*Config)) *Sandbox {
	t.Helper()
	cfg := imaged(t)
	for _, f := range change {
		f(&cfg)
	}
	s, err := New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func key(learner string) Key { return Key{Learner: learner, Project: "p"} }

// deploy builds and deploys files for a learner; one file without a name is worker.js.
func deploy(t testing.TB, s *Sandbox, k Key, files map[string]string, limits ...trace.Limits) *trace.Deployment {
	t.Helper()
	p := trace.Project{Files: map[string][]byte{}}
	for name, text := range files {
		p.Files[name] = []byte(text)
	}
	if len(limits) > 0 {
		p.Limits = limits[0]
	}
	if p.Limits.Wall == 0 {
		p.Limits.Wall = 25 * time.Second // a busy machine takes long to use up some CPU time
	}
	d, err := s.Build(t.Context(), k, p)
	if err != nil {
		t.Fatal(err)
	}
	if d.Fault != nil {
		t.Fatalf("build: %+v", d.Fault)
	}
	if err := s.Deploy(t.Context(), k, d); err != nil {
		t.Fatal(err)
	}
	return d
}

func worker(code string) map[string]string { return map[string]string{"worker.js": code} }

// answer is everything that came of a run.
type answer struct {
	status int
	body   string
	sum    *trace.Summary
	events []trace.Event
	resp   *Response
}

// get performs a GET and waits for its end.
func get(t testing.TB, s *Sandbox, k Key, path string, change ...func(*Run)) answer {
	t.Helper()
	a, err := try(s, k, path, change...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func try(s *Sandbox, k Key, path string, change ...func(*Run)) (answer, error) {
	var a answer
	done := make(chan struct{})
	r := Run{Key: k, Method: "GET", URL: "https://site.example" + path, Length: -1, Watch: func(e trace.Event) {
		a.events = append(a.events, e)
		if e.Kind == trace.KindDone {
			close(done)
		}
	}}
	for _, f := range change {
		f(&r)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	resp, err := s.Invoke(ctx, r)
	if err != nil {
		return a, err
	}
	a.resp, a.status = resp, resp.Head.Status
	if resp.Body != nil {
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			a.body = "broken: " + err.Error()
		} else {
			a.body = string(b)
		}
		_ = resp.Body.Close()
	}
	if a.sum, err = resp.Summary(ctx); err != nil {
		return a, err
	}
	select {
	case <-done:
	case <-ctx.Done():
		return a, fmt.Errorf("no done event: %v", a.events)
	}
	return a, nil
}

const hello = `export default { fetch(request) { return new Response("hello " + new URL(request.url).pathname); } };`

func TestHello(t *testing.T) {
	s := open(t)
	deploy(t, s, key("a"), worker(hello))
	a := get(t, s, key("a"), "/x")
	if a.status != 200 || a.body != "hello /x" || a.sum.Outcome != "ok" || a.sum.Temperature != trace.Cold {
		t.Fatalf("%d %q %+v", a.status, a.body, a.sum)
	}
	checkSpans(t, a, "route queue start load handle stream")
	b := get(t, s, key("a"), "/y")
	if b.body != "hello /y" || b.sum.Temperature != trace.Warm || b.sum.Isolate != a.sum.Isolate {
		t.Fatalf("%q %+v", b.body, b.sum)
	}
	checkSpans(t, b, "route queue handle stream")
	t.Logf("cold %d us, warm %d us; %+v", a.sum.Wall, b.sum.Wall, b.sum.Spans)
	c := get(t, s, key("a"), "/z", func(r *Run) { r.Cold = true; r.Built = 1234 })
	if c.sum.Temperature != trace.Cold || c.sum.Isolate == a.sum.Isolate || c.sum.Phase(trace.PhaseBuild) != 1234 {
		t.Fatalf("%+v", c.sum)
	}
	deploy(t, s, key("b"), worker(hello))
	if d := get(t, s, key("b"), "/"); d.sum.Isolate == c.sum.Isolate {
		t.Error("two learners share an isolate")
	}
	st := s.Stats()
	t.Logf("%+v", st)
	if st.Isolates != 2 || st.Running != 0 || st.Queued != 0 {
		t.Errorf("%+v", st)
	}
}

// checkSpans checks the phases of a run: these, in order, without gaps going back.
func checkSpans(t testing.TB, a answer, want string) {
	t.Helper()
	var names []string
	last := int64(0)
	for _, sp := range a.sum.Spans {
		names = append(names, string(sp.Phase))
		if sp.Start < last || sp.End < sp.Start {
			t.Errorf("spans overlap: %+v", a.sum.Spans)
		}
		last = sp.End
	}
	if got := strings.Join(names, " "); got != want {
		t.Errorf("phases %q, want %q", got, want)
	}
	if a.sum.Wall < last {
		t.Errorf("wall %d before the last phase's end: %+v", a.sum.Wall, a.sum.Spans)
	}
	at := int64(-1)
	for i, e := range a.events {
		if e.Run != a.sum.Run {
			t.Errorf("event of run %q in %q", e.Run, a.sum.Run)
		}
		if (e.Kind == trace.KindDone) != (i == len(a.events)-1) {
			t.Errorf("done is event %d of %d", i, len(a.events))
		}
		if e.Kind == trace.KindPhase {
			if e.At < at {
				t.Errorf("phase events go back: %+v", a.events)
			}
			at = e.At
		}
	}
}
