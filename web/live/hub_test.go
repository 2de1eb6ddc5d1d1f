package live

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"golang.org/x/sys/unix"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/doortest"
)

// world is a hub with one learner and one saved project, "p".
type world struct {
	t      testing.TB
	door   *doortest.Door
	store  *classroom.Store
	hub    *Hub
	key    sandbox.Key
	url    string
	member atomic.Bool
	begun  atomic.Int32 // projects that a run asked to have begun
}

func newWorld(t testing.TB, handle func(*doortest.Call), change ...func(*Config)) *world {
	t.Helper()
	store, err := classroom.Open(t.Context(), classroom.Config{Path: filepath.Join(t.TempDir(), "c.db")})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, door: &doortest.Door{Handle: handle}, store: store}
	w.member.Store(true)
	if err := store.CreateWorkspace(t.Context(), "learner", classroom.NewToken()); err != nil {
		t.Fatal(err)
	}
	w.key = sandbox.Key{Learner: "learner", Project: "p"}
	w.save("export default {}")
	c := Config{Door: w.door, Store: store, RunRate: 1000, RunBurst: 1000}
	for _, f := range change {
		f(&c)
	}
	c = c.withDefaults()
	c.Deployer = NewDeployer(w.door, store, c.Logger, trace.Ceiling(), "test")
	w.hub = NewHub(c)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.hub.Open(rw, r, Learner{
			Workspace: "learner",
			Member:    func(context.Context) bool { return w.member.Load() },
			Begin: func(ctx context.Context, project string) error {
				w.begun.Add(1)
				return nil
			},
		})
	}))
	w.url = "ws" + strings.TrimPrefix(server.URL, "http")
	t.Cleanup(func() {
		w.hub.Close(context.Background())
		c.Deployer.Close()
		server.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) save(code string) classroom.Project {
	w.t.Helper()
	p, err := w.store.Save(w.t.Context(), w.key.Learner, w.key.Project, classroom.Change{
		Base: classroom.AnyRevision, Files: classroom.Files{"src/index.js": []byte(code)}, Lesson: "l",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// page is a browser's side of one socket.
type page struct {
	t       testing.TB
	conn    *websocket.Conn
	pending []ServerMessage
}

// dial connects and says hello; resume is "" for a fresh page.
func (w *world) dial(stream string, after uint64) (*page, ServerMessage) {
	w.t.Helper()
	p := w.connect()
	p.send(ClientMessage{Type: "hello", Project: "p", Stream: stream, After: after})
	return p, p.want("welcome")
}

func (w *world) connect() *page {
	w.t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial(w.url, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	return &page{t: w.t, conn: conn}
}

func (p *page) send(m ClientMessage) {
	p.t.Helper()
	if err := p.conn.WriteJSON(m); err != nil {
		p.t.Fatal(err)
	}
}

// read gives the next message, or the error that ended the socket.
func (p *page) read() (ServerMessage, error) {
	for len(p.pending) == 0 {
		if err := p.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			return ServerMessage{}, err
		}
		_, frame, err := p.conn.ReadMessage()
		if err != nil {
			return ServerMessage{}, err
		}
		for line := range strings.SplitSeq(string(frame), "\n") {
			var m ServerMessage
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				return m, fmt.Errorf("frame line %q: %w", line, err)
			}
			p.pending = append(p.pending, m)
		}
	}
	m := p.pending[0]
	p.pending = p.pending[1:]
	return m, nil
}

func (p *page) next() ServerMessage {
	p.t.Helper()
	m, err := p.read()
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

// want skips to the next message of a type.
func (p *page) want(kind string) ServerMessage {
	p.t.Helper()
	for {
		if m := p.next(); m.Type == kind {
			return m
		}
	}
}

// until collects events up to and with the done of a run.
func (p *page) until(run string) []trace.Event {
	p.t.Helper()
	var all []trace.Event
	for {
		m := p.next()
		if m.Type == "error" {
			p.t.Fatalf("error: %s", m.Message)
		}
		if m.Event == nil {
			continue
		}
		if m.Seq != m.Event.Seq {
			p.t.Errorf("message %d holds event %d", m.Seq, m.Event.Seq)
		}
		all = append(all, *m.Event)
		if m.Event.Kind == trace.KindDone && m.Event.Run == run {
			return all
		}
	}
}

// closeCode reads until the socket ends and gives the close code.
func (p *page) closeCode() int {
	p.t.Helper()
	for {
		_, err := p.read()
		var ce *websocket.CloseError
		if errors.As(err, &ce) {
			return ce.Code
		}
		if err != nil {
			p.t.Fatalf("ended without a close code: %v", err)
		}
	}
}

func kinds(events []trace.Event) string {
	var b strings.Builder
	for i, e := range events {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(e.Kind))
	}
	return b.String()
}

func get(path string) *Request { return &Request{Method: "GET", Path: path} }

func TestRunShowsWhatHappens(t *testing.T) {
	w := newWorld(t, func(c *doortest.Call) {
		body := ""
		if c.Run.Body != nil {
			data, err := io.ReadAll(c.Run.Body)
			if err != nil {
				t.Error(err)
			}
			body = string(data)
		}
		c.Log("hello")
		c.Head(201, [2]string{"X-A", "1"}, [2]string{"X-A", "2"})
		fmt.Fprintf(c, "%s %s %s %v", c.Run.Method, c.Run.URL, body, c.Run.Headers)
	})
	project := w.save("one")
	p, welcome := w.dial("", 0)
	if welcome.Revision != project.Revision || welcome.Seq != 0 || len(welcome.Stream) != 12 || welcome.Missed {
		t.Errorf("welcome %+v", welcome)
	}
	p.send(ClientMessage{Type: "run", ID: "r1", Request: &Request{Method: "POST", Path: "/a b?q=é#f", Headers: [][2]string{{"x-h", "v"}}, Body: "sent"}})
	events := p.until("r1")
	if got, want := kinds(events), "isolate log response body done"; got != want {
		t.Errorf("events %s, want %s", got, want)
	}
	for i, e := range events {
		if e.Seq != uint64(i+1) || e.Run != "r1" {
			t.Errorf("event %d has number %d and run %q", i, e.Seq, e.Run)
		}
	}
	want := "POST https://" + project.Slug + ".example/a%20b?q=%C3%A9 sent [[x-h v]]"
	if got := string(events[3].Body.Data); got != want {
		t.Errorf("body %q, want %q", got, want)
	}
	sum := events[4].Summary
	if sum.Run != "r1" || sum.Status != 201 || sum.Temperature != trace.Cold || sum.Outcome != "ok" {
		t.Errorf("summary %+v", sum)
	}
	kept := waitRun(t, w, "r1")
	if string(kept.Body) != want || kept.Head.Status != 201 || len(kept.Logs) != 1 || kept.Summary.Outcome != "ok" || kept.Revision != project.Revision {
		t.Errorf("kept %+v", kept)
	}
}

// waitRun polls the store: results are kept after the page knows them.
func waitRun(t *testing.T, w *world, id string) classroom.Run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := w.store.Run(ctx, w.key.Learner, w.key.Project, id)
		if err == nil {
			return r
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("run %s was not kept: %v", id, err)
		}
	}
}

// The first line must be on the page while the code still runs.
func TestLogArrivesWhileCodeRuns(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, func(c *doortest.Call) {
		c.Log("first")
		<-release
	})
	p, _ := w.dial("", 0)
	p.send(ClientMessage{Type: "run", ID: "r1", Request: get("/")})
	for {
		if m := p.next(); m.Event != nil && m.Event.Kind == trace.KindLog {
			break
		}
	}
	close(release)
	p.until("r1")
}

func TestSeriesAndTwoPages(t *testing.T) {
	w := newWorld(t, nil)
	a, _ := w.dial("", 0)
	b, _ := w.dial("", 0)
	a.send(ClientMessage{Type: "run", ID: "r", Request: get("/"), Cold: true, Times: 20})
	first, second := a.until("r.20"), b.until("r.20")
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("two pages saw different things:\n%s", diff)
	}
	isolates := map[string]bool{}
	for _, e := range first {
		if e.Kind == trace.KindDone {
			isolates[e.Summary.Isolate] = true
			if e.Summary.Temperature != trace.Cold {
				t.Errorf("run %s was %s", e.Run, e.Summary.Temperature)
			}
		}
	}
	if len(isolates) != 20 {
		t.Errorf("20 cold runs met %d isolates", len(isolates))
	}
	a.send(ClientMessage{Type: "run", ID: "s", Request: get("/"), Times: 20})
	for _, e := range a.until("s.20") {
		if e.Kind == trace.KindDone && e.Summary.Temperature != trace.Warm {
			t.Errorf("run %s was %s", e.Run, e.Summary.Temperature)
		}
	}
	if builds, deploys := w.door.Counts(); builds != 1 || deploys != 1 {
		t.Errorf("40 runs of one revision built %d times and deployed %d times", builds, deploys)
	}
}

// TestResumeIsExact cuts the socket again and again while a run logs, and
// demands every message once, in order.
func TestResumeIsExact(t *testing.T) {
	const lines = 2000
	var invoked atomic.Int32
	step := make(chan struct{})
	w := newWorld(t, func(c *doortest.Call) {
		invoked.Add(1)
		for i := range lines {
			if i%100 == 0 {
				<-step // lets the page be away while things happen
			}
			c.Log(fmt.Sprint(i))
		}
	})
	p, welcome := w.dial("", 0)
	p.send(ClientMessage{Type: "run", ID: "r1", Request: get("/")})
	var seen []ServerMessage
	var after uint64
	cuts, steps := 0, 0
	give := func() {
		if steps < lines/100 {
			step <- struct{}{}
			steps++
		}
	}
	for done := false; !done; {
		if len(seen) == 1+100*steps { // everything so far has arrived: the isolate's birth and the lines
			give()
		}
		m, err := p.read()
		if err != nil {
			t.Fatal(err)
		}
		if m.Seq == 0 || m.Event == nil {
			continue
		}
		seen = append(seen, m)
		after = m.Seq
		done = m.Event.Kind == trace.KindDone
		if len(seen)%97 == 0 {
			// Not a closing handshake: the network is cut, with messages under way.
			if err := p.conn.NetConn().(*net.TCPConn).SetLinger(0); err != nil {
				t.Fatal(err)
			}
			p.conn.Close()
			goesOn := steps < lines/100
			give() // 100 lines more while nobody listens
			goesOn = goesOn && steps < lines/100
			var again ServerMessage
			p, again = w.dial(welcome.Stream, after)
			cuts++
			if again.Stream != welcome.Stream || again.Missed {
				t.Fatalf("after cut %d: welcome %+v", cuts, again)
			}
			if goesOn && len(again.Running) != 1 {
				t.Errorf("after cut %d the run is not said to go on: %v", cuts, again.Running)
			}
		}
	}
	logged := 0
	for i, m := range seen {
		if m.Seq != uint64(i+1) {
			t.Fatalf("message %d has number %d", i+1, m.Seq)
		}
		if m.Event.Kind == trace.KindLog {
			if m.Event.Log.Text != fmt.Sprint(logged) {
				t.Fatalf("line %d is %q", logged, m.Event.Log.Text)
			}
			logged++
		}
	}
	if logged != lines || cuts < 10 || invoked.Load() != 1 {
		t.Errorf("%d lines of %d, %d cuts, %d runs", logged, lines, cuts, invoked.Load())
	}
}

func TestWhatIsGoneIsSaidToBeMissed(t *testing.T) {
	w := newWorld(t, func(c *doortest.Call) {
		if strings.HasSuffix(c.Run.URL, "/many") {
			for i := range keepMessages + 100 {
				c.Log(fmt.Sprint(i))
			}
		}
	})
	p, welcome := w.dial("", 0)
	p.send(ClientMessage{Type: "run", ID: "r0", Request: get("/")})
	p.until("r0")
	p.conn.Close()
	if _, err := w.hub.Run(t.Context(), w.key, RunSpec{ID: "r1", Request: *get("/many")}); err != nil {
		t.Fatal(err)
	}
	p, again := w.dial(welcome.Stream, 3)
	if !again.Missed || again.Stream != welcome.Stream || again.Seq < keepMessages {
		t.Errorf("welcome %+v", again)
	}
	if _, other := w.dial("another", 3); !other.Missed {
		t.Errorf("a page of another stream is welcomed with %+v", other)
	}
	if _, ahead := w.dial(welcome.Stream, again.Seq+1); !ahead.Missed {
		t.Errorf("a page that is ahead of the stream is welcomed with %+v", ahead)
	}
	// What comes next is numbered on.
	p.send(ClientMessage{Type: "run", ID: "r2", Request: get("/")})
	if m := p.want("event"); m.Seq != again.Seq+1 {
		t.Errorf("next message is %d after %d", m.Seq, again.Seq)
	}
}

func TestRunSurvivesItsPage(t *testing.T) {
	release := make(chan struct{})
	started := make(chan struct{})
	w := newWorld(t, func(c *doortest.Call) {
		close(started)
		<-release
		c.Log("after the page went")
	})
	p, _ := w.dial("", 0)
	p.send(ClientMessage{Type: "run", ID: "r1", Request: get("/")})
	<-started
	p.conn.Close()
	close(release)
	if r := waitRun(t, w, "r1"); r.Summary.Outcome != "ok" || len(r.Logs) != 1 {
		t.Errorf("kept %+v", r)
	}
}

func TestRunIsNotStartedTwice(t *testing.T) {
	var invoked atomic.Int32
	w := newWorld(t, func(*doortest.Call) { invoked.Add(1) })
	p, _ := w.dial("", 0)
	p.send(ClientMessage{Type: "run", ID: "r1", Request: get("/")})
	p.until("r1")
	p.send(ClientMessage{Type: "run", ID: "r1", Request: get("/")})
	if m := p.want("error"); m.ID != "r1" || !strings.Contains(m.Message, "not started twice") {
		t.Errorf("error %+v", m)
	}
	if invoked.Load() != 1 {
		t.Errorf("%d runs", invoked.Load())
	}
}

func TestCancel(t *testing.T) {
	started := make(chan struct{})
	w := newWorld(t, func(c *doortest.Call) {
		close(started)
		<-c.Done()
	})
	p, _ := w.dial("", 0)
	p.send(ClientMessage{Type: "run", ID: "r1", Request: get("/"), Times: 20})
	<-started
	p.send(ClientMessage{Type: "cancel", ID: "r1"})
	events := p.until("r1.1")
	last := events[len(events)-1]
	if last.Summary.Outcome != string(trace.FaultCanceled) {
		t.Errorf("summary %+v", last.Summary)
	}
	if r := waitRun(t, w, "r1.1"); r.Summary.Outcome != string(trace.FaultCanceled) {
		t.Errorf("kept %+v", r)
	}
	if runs, err := w.store.Runs(t.Context(), w.key.Learner, "p", 50); err != nil || len(runs) != 1 {
		t.Errorf("%d runs of the series were kept, %v", len(runs), err)
	}
}

func TestBuildErrorIsAFaultAndADone(t *testing.T) {
	w := newWorld(t, nil)
	w.save("syntax error")
	p, _ := w.dial("", 0)
	for _, id := range []string{"r1", "r2"} {
		p.send(ClientMessage{Type: "run", ID: id, Request: get("/")})
		events := p.until(id)
		if kinds(events) != "fault done" || events[0].Fault.Frames[0].File != "src/index.js" || events[1].Summary.Outcome != "build" {
			t.Errorf("%s: %s %+v", id, kinds(events), events)
		}
	}
	if builds, _ := w.door.Counts(); builds != 1 {
		t.Errorf("one broken revision was built %d times", builds)
	}
	w.save("fixed")
	p.send(ClientMessage{Type: "run", ID: "r3", Request: get("/")})
	if events := p.until("r3"); events[len(events)-1].Summary.Outcome != "ok" {
		t.Errorf("after the fix: %+v", events)
	}
}

func TestLongFaultsAreCut(t *testing.T) {
	w := newWorld(t, func(c *doortest.Call) {
		c.Fail(&trace.Fault{Kind: trace.FaultException, Name: "Error", Message: strings.Repeat("é", 5<<20), Frames: make([]trace.Frame, 1000)})
	})
	p, _ := w.dial("", 0)
	p.send(ClientMessage{Type: "run", ID: "r1", Request: get("/")})
	for _, e := range p.until("r1") {
		f := e.Fault
		if e.Summary != nil {
			f = e.Summary.Fault
		}
		if f != nil && (len(f.Message) > clipMessage+4 || !strings.HasPrefix(f.Message, "éé") || !strings.HasSuffix(f.Message, "é…") || len(f.Frames) > clipFrames) {
			t.Errorf("%s: a message of %d bytes and %d frames", e.Kind, len(f.Message), len(f.Frames))
		}
	}
}

func TestNonsenseIsAnsweredInOneSentence(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.dial("", 0)
	long := strings.Repeat("x", maxPath+1)
	tests := []struct {
		name string
		m    ClientMessage
		want string
	}{
		{"no id", ClientMessage{Request: get("/")}, "needs an id"},
		{"reserved id", ClientMessage{ID: "w-1", Request: get("/")}, "needs an id"},
		{"no path", ClientMessage{ID: "a", Request: get("")}, "must begin with /"},
		{"no request", ClientMessage{ID: "a"}, "must begin with /"},
		{"other scheme", ClientMessage{ID: "a", Request: get("file:///etc/passwd")}, "must begin with /"},
		{"long path", ClientMessage{ID: "a", Request: get("/" + long)}, "longer than 16 kB"},
		{"method", ClientMessage{ID: "a", Request: &Request{Method: "G T", Path: "/"}}, "not an HTTP method"},
		{"connect", ClientMessage{ID: "a", Request: &Request{Method: "CONNECT", Path: "/"}}, "never reaches"},
		{"header name", ClientMessage{ID: "a", Request: &Request{Method: "GET", Path: "/", Headers: [][2]string{{"a b", "c"}}}}, "not a header name"},
		{"header value", ClientMessage{ID: "a", Request: &Request{Method: "GET", Path: "/", Headers: [][2]string{{"a", "c\r\nd: e"}}}}, "no header may hold"},
		{"times", ClientMessage{ID: "a", Request: get("/"), Times: 21}, "20 times, not 21"},
		{"revision", ClientMessage{ID: "a", Request: get("/"), Revision: 999}, "not kept any more"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.m.Type = "run"
			p.send(test.m)
			if m := p.want("error"); m.ID != test.m.ID || !strings.Contains(m.Message, test.want) {
				t.Errorf("error %+v", m)
			}
		})
	}
	p.send(ClientMessage{Type: "check", ID: "c"})
	if m := p.want("error"); m.ID != "c" || m.Message != "This project has no checks." {
		t.Errorf("check without a checker: %+v", m)
	}
	if _, _, ok := func() (int, int, bool) { b, d := w.door.Counts(); return b, d, b == 0 }(); !ok {
		t.Error("nonsense reached the sandbox")
	}
}

type checker func(ctx context.Context, p classroom.Project, emit func(CheckEvent)) error

func (c checker) Check(ctx context.Context, p classroom.Project, emit func(CheckEvent)) error {
	return c(ctx, p, emit)
}

func TestChecksAreShownAndKept(t *testing.T) {
	w := newWorld(t, nil, func(c *Config) {
		c.Checker = checker(func(_ context.Context, p classroom.Project, emit func(CheckEvent)) error {
			emit(CheckEvent{Task: 1, Name: "1: greets", State: "running"})
			emit(CheckEvent{Task: 1, Name: "1: greets", State: "passed"})
			emit(CheckEvent{Task: 2, Name: "2: warm", State: "failed", Message: "Both calls should meet one isolate"})
			emit(CheckEvent{Done: true, Passed: 1, Total: 2})
			return nil
		})
	})
	p, _ := w.dial("", 0)
	p.send(ClientMessage{Type: "check", ID: "c1"})
	for i := range 4 {
		m := p.want("check")
		if m.ID != "c1" || m.Check.Run != "c1" || m.Seq != uint64(i+1) || m.Check.Done != (i == 3) {
			t.Errorf("check message %d: %+v %+v", i, m, m.Check)
		}
	}
	w.hub.Close(t.Context())
	checks, err := w.store.Checks(t.Context(), w.key.Learner, "l")
	if err != nil || len(checks) != 2 || !checks[0].Passed || checks[1].Passed || checks[0].CodeHash == "" {
		t.Errorf("kept %+v, %v", checks, err)
	}
	if progress, err := w.store.Progress(t.Context(), w.key.Learner); err != nil || !progress["l"].Done.IsZero() {
		t.Errorf("a lesson with a failed check is done: %+v, %v", progress, err)
	}
}

func TestBrokenCheckEnds(t *testing.T) {
	w := newWorld(t, nil, func(c *Config) {
		c.Checker = checker(func(context.Context, classroom.Project, func(CheckEvent)) error { return errors.New("goja fell over") })
	})
	p, _ := w.dial("", 0)
	p.send(ClientMessage{Type: "check", ID: "c1"})
	m := p.want("check")
	if !m.Check.Done || m.Check.Fault == nil || m.Check.Fault.Kind != trace.FaultPlatform || strings.Contains(m.Check.Fault.Message, "goja") {
		t.Errorf("check %+v", m.Check)
	}
}

func TestIsolateControls(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.dial("", 0)
	p.send(ClientMessage{Type: "run", ID: "r1", Request: get("/")})
	p.until("r1")
	p.send(ClientMessage{Type: "keep", On: true})
	m := p.want("isolates")
	if len(m.Isolates) != 1 || !m.Isolates[0].Kept {
		t.Fatalf("after keep: %+v", m)
	}
	p.send(ClientMessage{Type: "pages", Isolate: m.Isolates[0].ID})
	if m := p.want("pages"); string(m.Pages) != "\x00\x01\x02\x01" {
		t.Errorf("pages %+v", m)
	}
	p.send(ClientMessage{Type: "evict"})
	if m := p.want("isolates"); len(m.Isolates) != 0 {
		t.Errorf("after evict: %+v", m)
	}
	p.send(ClientMessage{Type: "pages", Isolate: "gone"})
	if m := p.want("error"); !strings.Contains(m.Message, "gone") {
		t.Errorf("pages of no isolate: %+v", m)
	}
	p.send(ClientMessage{Type: "ping"})
	p.want("pong")
}

func TestIsolatesThatChangeByThemselves(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.dial("", 0)
	p.send(ClientMessage{Type: "run", ID: "r1", Request: get("/")})
	p.until("r1")
	if err := w.door.Evict(t.Context(), w.key, ""); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		w.hub.IsolateChanged(w.key)
	}
	if m := p.want("isolates"); len(m.Isolates) != 0 {
		t.Errorf("isolates %+v", m)
	}
	p.send(ClientMessage{Type: "ping"})
	if m := p.next(); m.Type != "pong" {
		t.Errorf("100 changes at once became more than one message: %+v", m)
	}
	w.hub.IsolateChanged(sandbox.Key{Learner: "nobody", Project: "p"})
}

func TestSavedIsToldToPages(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.dial("", 0)
	saved := w.save("from another device")
	w.hub.Saved(saved)
	if m := p.want("saved"); m.Revision != saved.Revision {
		t.Errorf("saved %+v", m)
	}
}

func TestOutsideRunsAreShown(t *testing.T) {
	w := newWorld(t, nil)
	if w.hub.Outside(w.key) != nil {
		t.Error("events are wanted though nobody looks")
	}
	p, _ := w.dial("", 0)
	watch := w.hub.Outside(w.key)
	watch(trace.Event{Run: "door", Kind: trace.KindLog, Log: &trace.Log{Text: "from curl"}})
	watch(trace.Event{Run: "door", Kind: trace.KindBody, Body: &trace.BodyChunk{}})
	watch(trace.Event{Run: "door", Kind: trace.KindDone, Summary: &trace.Summary{Run: "door"}})
	a, b := p.next().Event, p.next().Event
	if !strings.HasPrefix(a.Run, "w-") || a.Log.Text != "from curl" || b.Kind != trace.KindDone || b.Summary.Run != a.Run {
		t.Errorf("events %+v %+v", a, b)
	}
}

func TestRunRate(t *testing.T) {
	w := newWorld(t, nil, func(c *Config) {
		c.RunRate, c.RunBurst = 0, 0
		now := time.Now()
		c.Now = func() time.Time { return now }
	})
	p, _ := w.dial("", 0)
	refused := 0
	for i := range 20 {
		p.send(ClientMessage{Type: "run", ID: fmt.Sprint("r", i), Request: &Request{Method: "CONNECT", Path: "/"}})
		if m := p.want("error"); m.Retry > 0 {
			refused++
			if m.Message != tooFast {
				t.Errorf("error %+v", m)
			}
		}
	}
	if refused != 5 {
		t.Errorf("of 20 runs at once %d were refused", refused)
	}
}

func TestSocketLimits(t *testing.T) {
	t.Run("frame too big", func(t *testing.T) {
		w := newWorld(t, nil)
		p, _ := w.dial("", 0)
		p.send(ClientMessage{Type: "run", ID: strings.Repeat("x", 1<<20)})
		if code := p.closeCode(); code != websocket.CloseMessageTooBig {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("flood", func(t *testing.T) {
		w := newWorld(t, nil)
		p, _ := w.dial("", 0)
		var wg sync.WaitGroup
		wg.Go(func() { // a page that reads all it gets: what is too much is what it sends
			if code := p.closeCode(); code != CloseFlood {
				t.Errorf("closed with %d", code)
			}
		})
		for range 400 {
			if p.conn.WriteJSON(ClientMessage{Type: "cancel", ID: "none"}) != nil {
				break
			}
		}
		wg.Wait()
	})
	t.Run("pings", func(t *testing.T) {
		w := newWorld(t, nil)
		p, _ := w.dial("", 0)
		var wg sync.WaitGroup
		wg.Go(func() {
			if code := p.closeCode(); code != CloseFlood {
				t.Errorf("closed with %d", code)
			}
		})
		for range 400 {
			if p.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)) != nil {
				break
			}
		}
		wg.Wait()
	})
	t.Run("pile", func(t *testing.T) { // of what a page does not take
		x := &session{ready: make(chan struct{}, 1)}
		for i := range maxQueued + 2 {
			x.say(ServerMessage{Type: "pong"})
			if slow := x.code == CloseSlow; slow != (i >= maxQueued) || len(x.queue) > maxQueued {
				t.Fatalf("after %d messages that nobody took: code %d, %d wait", i+1, x.code, len(x.queue))
			}
		}
	})
	t.Run("silent from the first", func(t *testing.T) {
		w := newWorld(t, nil, func(c *Config) { c.Silence = time.Second })
		p := w.connect()
		begin := time.Now()
		if code := p.closeCode(); code != CloseUnsaid { // it answers pings while it waits
			t.Errorf("closed with %d", code)
		}
		if d := time.Since(begin); d > 5*time.Second {
			t.Errorf("closed after %v", d)
		}
	})
	t.Run("no hello", func(t *testing.T) {
		w := newWorld(t, nil)
		p := w.connect()
		p.send(ClientMessage{Type: "run", ID: "r", Project: "p"})
		if code := p.closeCode(); code != CloseUnsaid {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("no message", func(t *testing.T) {
		w := newWorld(t, nil)
		p, _ := w.dial("", 0)
		if err := p.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"shutdown"}`)); err != nil {
			t.Fatal(err)
		}
		if code := p.closeCode(); code != CloseUnsaid {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("right lost", func(t *testing.T) {
		w := newWorld(t, nil)
		p, _ := w.dial("", 0)
		w.member.Store(false)
		begin := time.Now()
		if code := p.closeCode(); code != CloseDenied {
			t.Errorf("closed with %d", code)
		}
		if d := time.Since(begin); d > time.Second {
			t.Errorf("closed after %v", d)
		}
	})
	t.Run("51st socket", func(t *testing.T) {
		w := newWorld(t, nil)
		for range maxSockets {
			w.connect()
		}
		_, resp, err := websocket.DefaultDialer.Dial(w.url, nil)
		if err == nil || resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
			t.Errorf("the 51st socket: %v, %+v", err, resp)
		}
	})
}

// A page whose network fell away closes nothing and answers nothing. It gives
// its places back after a silence, while one that only has nothing to say stays.
func TestHalfOpenSocketGivesItsPlaceBack(t *testing.T) {
	w := newWorld(t, nil, func(c *Config) { c.Silence = 2 * time.Second })
	quiet, _ := w.dial("", 0)
	pongs := make(chan error, 1)
	go func() {
		_, _, err := quiet.conn.ReadMessage() // answers pings while it waits
		pongs <- err
	}()
	for range maxSockets - 1 {
		w.dial("", 0) // and never reads again
	}
	if _, resp, err := websocket.DefaultDialer.Dial(w.url, nil); err == nil || resp.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("one socket too many: %v", err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, _, err := websocket.DefaultDialer.Dial(w.url, nil)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal("no place is given back")
		}
	}
	select {
	case err := <-pongs:
		t.Errorf("the page that answers pings was closed: %v", err)
	default:
	}
}

// A network that falls away while much is being written to a page stops the
// writer, not only the reader. The place comes back all the same.
func TestBlockedWriterGivesItsPlaceBack(t *testing.T) {
	w := newWorld(t, func(c *doortest.Call) {
		for range 30_000 {
			c.Log(strings.Repeat("x", 1000))
		}
	}, func(c *Config) { c.Silence = 2 * time.Second })
	w.dial("", 0) // and never reads again
	if _, err := w.hub.Run(t.Context(), w.key, RunSpec{ID: "r1", Request: *get("/")}); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); w.hub.Sockets() > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the place is not given back")
		}
	}
}

// cpuTime is what this process has used: a bound on it holds on a busy machine too.
func cpuTime() time.Duration {
	var r unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// A page that stops reading costs itself, not the run and not the other page.
func TestSlowPageDoesNotStallARun(t *testing.T) {
	w := newWorld(t, func(c *doortest.Call) {
		for range 30_000 {
			c.Log(strings.Repeat("x", 1000))
		}
	})
	slow, _ := w.dial("", 0)
	begin, used := time.Now(), cpuTime()
	if _, err := w.hub.Run(t.Context(), w.key, RunSpec{ID: "r1", Request: *get("/")}); err != nil {
		t.Fatal(err)
	}
	if d := min(time.Since(begin), cpuTime()-used); d > 8*time.Second {
		t.Errorf("the run took %v", d)
	}
	for {
		_, err := slow.read()
		if err == nil {
			continue
		}
		var ce *websocket.CloseError
		if !errors.As(err, &ce) || ce.Code != CloseSlow {
			t.Errorf("the slow page ended with %v", err)
		}
		break
	}
	_, welcome := w.dial("", 0)
	if welcome.Seq < 30_000 {
		t.Errorf("the stream is at %d", welcome.Seq)
	}
}

func TestCloseKeepsResultsAndSaysRestart(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(c *doortest.Call) {
		close(started)
		<-release
	})
	p, _ := w.dial("", 0)
	p.send(ClientMessage{Type: "run", ID: "r1", Request: get("/")})
	<-started
	var wg sync.WaitGroup
	wg.Go(func() { w.hub.Close(context.Background()) })
	for { // until the hub takes no more
		if _, err := w.hub.Run(t.Context(), w.key, RunSpec{ID: "late" + classroom.NewID(4), Request: *get("/bad path"), Revision: 999}); err != nil && strings.Contains(err.Error(), "restarts") {
			break
		}
	}
	close(release)
	if code := p.closeCode(); code != websocket.CloseServiceRestart {
		t.Errorf("closed with %d", code)
	}
	wg.Wait()
	if r, err := w.store.Run(t.Context(), w.key.Learner, "p", "r1"); err != nil || r.Summary.Outcome != "ok" {
		t.Errorf("kept %+v, %v", r, err)
	}
}

func TestCloseEndsWhatDoesNotEnd(t *testing.T) {
	started := make(chan struct{})
	w := newWorld(t, func(c *doortest.Call) {
		close(started)
		<-c.Done()
	})
	p, _ := w.dial("", 0)
	p.send(ClientMessage{Type: "run", ID: "r1", Request: get("/")})
	<-started
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	w.hub.Close(ctx)
	r, err := w.store.Run(t.Context(), w.key.Learner, "p", "r1")
	if err != nil || r.Summary.Outcome == "ok" {
		t.Errorf("kept %+v, %v", r, err)
	}
}

func FuzzClientMessage(f *testing.F) {
	for _, seed := range []string{`{"type":"hello"}`, `{"type":"run","id":"a","request":{"path":"/"}}`, `[]`, `{`, `{"type":"run","times":1e99}`, "\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parse(websocket.TextMessage, data)
		if err != nil || m.Type != "run" || m.Request == nil {
			return
		}
		spec := RunSpec{ID: m.ID, Request: *m.Request, Times: m.Times}
		if spec.check() != nil {
			return
		}
		url := address("slug", spec.Request.Path)
		if strings.ContainsAny(url, " \r\n\t\x00#\"<>") || !strings.HasPrefix(url, "http") {
			t.Errorf("path %q gives the address %q", spec.Request.Path, url)
		}
		if strings.HasPrefix(spec.Request.Path, "/") && !strings.HasPrefix(url, "https://slug.example/") {
			t.Errorf("path %q leaves the project: %q", spec.Request.Path, url)
		}
	})
}

// FuzzSession plays bytes as the frames of a page, a line each, to a hub with
// all that is behind it. Whatever they say, what comes back is messages of the
// protocol, and then the answer to a ping or a close that says why.
func FuzzSession(f *testing.F) {
	w := newWorld(f, func(c *doortest.Call) {
		c.Log("logged")
		_, _ = io.WriteString(c, "answer")
	}, func(c *Config) {
		c.Checker = checker(func(_ context.Context, _ classroom.Project, emit func(CheckEvent)) error {
			emit(CheckEvent{Task: 1, Name: "1: a", State: "passed"})
			emit(CheckEvent{Done: true, Passed: 1, Total: 1})
			return nil
		})
		c.Labs = quickLab{}
	})
	// On a socket of the file system: there are more rounds than ports.
	path := filepath.Join(f.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		f.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.hub.Open(rw, r, Learner{
			Workspace: w.key.Learner, Member: func(context.Context) bool { return true },
			Begin: func(context.Context, string) error { return nil },
		})
	})}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(ln) })
	f.Cleanup(func() { server.Close(); wg.Wait() })
	d := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return net.Dial("unix", path) }}

	examples, err := os.ReadFile("testdata/client.json")
	if err != nil {
		f.Fatal(err)
	}
	var messages []json.RawMessage
	if err := json.Unmarshal(examples, &messages); err != nil {
		f.Fatal(err)
	}
	const hello = `{"type":"hello","project":"p"}`
	all := hello
	for _, m := range messages {
		f.Add([]byte(hello + "\n" + string(m)))
		all += "\n" + string(m)
	}
	f.Add([]byte(all))
	for _, seed := range []string{"", "{}", "\x00binary", hello + "\n" + hello, `{"type":"hello","project":"p","stream":"x","after":18446744073709551615}`, hello + "\n" + `{"type":"cancel"}`, hello + "\n" + `{"type":"run","id":"a","times":21}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 16<<10 {
			return
		}
		conn, _, err := d.Dial("ws://site.test/", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for i, line := range bytes.Split(data, []byte("\n")) {
			kind := websocket.TextMessage
			if len(line) > 0 && line[0] == 0 {
				kind = websocket.BinaryMessage
			}
			if i == 50 || conn.WriteMessage(kind, line) != nil {
				break
			}
		}
		_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"ping"}`)) // it may have been closed for what came before
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		var seq uint64
		for {
			_, frame, err := conn.ReadMessage()
			var ce *websocket.CloseError
			if errors.As(err, &ce) {
				if ce.Code != CloseUnsaid && ce.Code != CloseFlood && ce.Code != CloseSlow || ce.Text == "" || strings.ContainsAny(ce.Text, "{\n") {
					t.Errorf("closed with %d %q", ce.Code, ce.Text)
				}
				return
			}
			if err != nil {
				t.Fatalf("neither answered nor closed: %v", err)
			}
			for line := range bytes.SplitSeq(frame, []byte("\n")) {
				var m ServerMessage
				dec := json.NewDecoder(bytes.NewReader(line))
				dec.DisallowUnknownFields()
				if err := dec.Decode(&m); err != nil {
					t.Fatalf("line %q: %v", line, err)
				}
				if m.Type == "event" || m.Type == "check" || m.Type == "lab" {
					if m.Seq <= seq && seq > 0 {
						t.Errorf("message %d after %d", m.Seq, seq)
					}
					seq = m.Seq
				}
				if m.Type == "pong" {
					return
				}
			}
		}
	})
}

// quickLab answers what it is asked and ends.
type quickLab struct{}

func (quickLab) Lab(_ context.Context, r LabRun) error {
	r.Emit(LabEvent{HTML: "<p>drawn</p>", Figures: r.Values})
	return nil
}
