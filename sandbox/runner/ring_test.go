package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"coldstart/sandbox/query"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

func TestHello(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	p := first(t, ring)
	h := newRecorder()
	begin(t, ring, p, "/hello", h, func(j *Job) { j.Run = "r7" })
	head := within(t, h.heads, 5*time.Second)
	body, err := io.ReadAll(head.Body)
	if err != nil || string(body) != "hello r7" || head.Status != 200 || head.Length != 8 {
		t.Errorf("got %q %v %+v", body, err, head)
	}
	end := within(t, h.ends, 5*time.Second)
	if end.Lost != NotLost || end.Summary.Outcome != "ok" || end.Summary.CPU != 7 || end.Private != 4096 {
		t.Errorf("end %+v", end)
	}
}

func TestFewFrames(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	p := first(t, ring)
	h := newRecorder()
	var j Job
	begin(t, ring, p, "/hello", h, func(x *Job) { j = *x })
	within(t, h.ends, 5*time.Second)
	before := p.received.Load() + p.conn.count()
	<-h.heads
	const n = 50
	for i := range n {
		j.New, j.Run = false, fmt.Sprint(i)
		if _, err := p.Start(j, h); err != nil {
			t.Fatal(err)
		}
		within(t, h.ends, 5*time.Second)
		<-h.heads
	}
	if per := float64(p.received.Load()+p.conn.count()-before) / n; per > 4 {
		t.Errorf("%v frames a run, want at most 4", per)
	}
}

func TestEventsInOrder(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	h := newRecorder()
	begin(t, ring, first(t, ring), "/log", h)
	within(t, h.ends, 5*time.Second)
	if len(h.events) != 100 {
		t.Fatalf("%d events", len(h.events))
	}
	for i, e := range h.events {
		if e.Log.Text != fmt.Sprint(i) || e.At < 0 {
			t.Fatalf("event %d is %+v", i, e)
		}
	}
}

// slowReader gives n bytes, a few at a time.
type pattern struct{ at, n int }

func (p *pattern) Read(b []byte) (int, error) {
	if p.at == p.n {
		return 0, io.EOF
	}
	n := min(len(b), p.n-p.at)
	for i := range n {
		b[i] = byte((p.at + i) * 7)
	}
	p.at += n
	return n, nil
}
func (p *pattern) Close() error { return nil }

func TestStreamsBothWays(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	p := first(t, ring)
	h := newRecorder()
	const size = 5<<20 + 17
	begin(t, ring, p, "/echo", h, func(j *Job) { j.Request.Body = &pattern{n: size} })
	head := within(t, h.heads, 5*time.Second)
	got, err := io.ReadAll(head.Body)
	if err != nil || len(got) != size {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	for i, b := range got {
		if b != byte(i*7) {
			t.Fatalf("byte %d is %d", i, b)
		}
	}
	if end := within(t, h.ends, 5*time.Second); end.Summary.Outcome != "ok" {
		t.Errorf("end %+v", end)
	}
}

func TestBigHead(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	h := newRecorder()
	begin(t, ring, first(t, ring), "/big", h)
	head := within(t, h.heads, 5*time.Second)
	got, err := io.ReadAll(head.Body)
	if err != nil || len(got) != 3<<20 || head.Length != 3<<20 {
		t.Fatalf("%d bytes, %v, length %d", len(got), err, head.Length)
	}
	within(t, h.ends, 5*time.Second)
}

// A reader that stops reading holds at most the window, and one that closes
// ends the run.
func TestReaderGoesAway(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	h := newRecorder()
	begin(t, ring, first(t, ring), "/endless", h)
	head := within(t, h.heads, 5*time.Second)
	if _, err := io.CopyN(io.Discard, head.Body, 1<<20); err != nil {
		t.Fatal(err)
	}
	in := head.Body.(*inStream)
	in.mu.Lock()
	held := len(in.buf)
	in.mu.Unlock()
	if held > window {
		t.Errorf("%d bytes held", held)
	}
	_ = head.Body.Close()
	if end := within(t, h.ends, 5*time.Second); end.Lost != NotLost {
		t.Errorf("end %+v", end)
	}
}

func TestCallAndFetch(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	h := newRecorder()
	h.onCall = func(op string, args []any, done func(any, error)) {
		done([]any{op, fmt.Sprint(args), []byte("b")}, nil)
	}
	begin(t, ring, first(t, ring), "/call", h)
	b, _ := io.ReadAll(within(t, h.heads, 5*time.Second).Body)
	if want := "[kv.get [key 3 [1] <nil> true 1.5] [98]] <nil>"; string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
	for path, why := range map[string]error{"/deep": errDeep, "/long": errMany} { // the parent would take them for a broken protocol
		h = newRecorder()
		begin(t, ring, first(t, ring), path, h)
		b, _ = io.ReadAll(within(t, h.heads, 5*time.Second).Body)
		if want := "<nil> " + why.Error(); string(b) != want {
			t.Errorf("got %s, want %s", b, want)
		}
	}
	h = newRecorder()
	begin(t, ring, first(t, ring), "/heads", h)
	if b, _ = io.ReadAll(within(t, h.heads, 5*time.Second).Body); string(b) != "told" {
		t.Errorf("got %s", b)
	}
	h = newRecorder()
	h.onCall = func(op string, _ []any, done func(any, error)) { done([]any{make([]any, listMax+1)}, nil) }
	begin(t, ring, first(t, ring), "/call", h) // the child would
	b, _ = io.ReadAll(within(t, h.heads, 5*time.Second).Body)
	if want := "the answer cannot be given"; !strings.Contains(string(b), want) {
		t.Errorf("got %s, want %s", b, want)
	}
	h = newRecorder()
	h.onSub = func(to webapi.Target, q *webapi.Request, done func(*webapi.Response, error)) {
		go func() {
			n, err := io.Copy(io.Discard, q.Body)
			if n != 400_000 || err != nil {
				done(nil, fmt.Errorf("read %d: %w", n, err))
				return
			}
			done(&webapi.Response{Head: trace.ResponseHead{Status: 201}, Body: &pattern{n: 300_000}}, nil)
		}()
	}
	begin(t, ring, first(t, ring), "/fetch", h)
	b, _ = io.ReadAll(within(t, h.heads, 5*time.Second).Body)
	if want := "201 300000 <nil>"; string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
	h = newRecorder()
	h.onSub = func(_ webapi.Target, _ *webapi.Request, done func(*webapi.Response, error)) {
		done(nil, errors.New("closed"))
	}
	begin(t, ring, first(t, ring), "/fetch", h)
	b, _ = io.ReadAll(within(t, h.heads, 5*time.Second).Body)
	if string(b) != "Error: closed" {
		t.Errorf("got %s", b)
	}
}

// What a run or a script asks beyond the calls that may be open waits, in order,
// in its child: the parent takes more for a broken protocol and kills the child.
func TestCallsWait(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	p := first(t, ring)
	slot, _ := p.Slot()
	for _, who := range []struct {
		name string
		open int
	}{{"/flood/kv.put", openCalls}, {"/flood/storage.put", openCalls}, {"script", runCalls}} {
		const n = 1000
		var held []func(any, error)
		next := 0
		h := newRecorder()
		h.onCall = func(_ string, args []any, done func(any, error)) {
			if fmt.Sprint(args[0]) != fmt.Sprint(next) {
				t.Errorf("%s: call %v, want %d", who.name, args[0], next)
			}
			next++
			if next < who.open { // so that only one more may be open
				held = append(held, done)
				return
			}
			go done("ok", nil)
			if next == n {
				for _, done := range held {
					go done("ok", nil)
				}
			}
		}
		got := ""
		if who.name == "script" {
			if _, err := p.StartScript(ScriptJob{Code: "flood", Slot: slot, Limits: trace.Default()}, h); err != nil {
				t.Fatal(err)
			}
		} else {
			begin(t, ring, p, who.name, h)
			b, _ := io.ReadAll(within(t, h.heads, 20*time.Second).Body)
			got = strconv.Quote(string(b))
		}
		if end := within(t, h.ends, 20*time.Second); got == "" {
			got = string(end.Result)
		}
		if want := strconv.Quote(fmt.Sprint(map[string]int{"ok": n})); got != want {
			t.Errorf("%s: got %.200s, want %s", who.name, got, want)
		}
	}
}

func TestSocket(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	h := newRecorder()
	begin(t, ring, first(t, ring), "/socket", h, func(j *Job) { j.Upgrade = true })
	head := within(t, h.heads, 5*time.Second)
	got := make(chan string, 10)
	head.Socket.Receive(func(data []byte, binary bool) { got <- fmt.Sprint(string(data), binary) }, func(code int, reason string, clean bool) {
		got <- fmt.Sprint(code, reason, clean)
	})
	_ = head.Socket.Send([]byte("a"), false)
	_ = head.Socket.Send([]byte("b"), true)
	head.Socket.Close(1000, "now")
	for _, want := range []string{"a!false", "b!true", "1000bye nowtrue"} {
		if s := within(t, got, 5*time.Second); s != want {
			t.Errorf("got %s, want %s", s, want)
		}
	}
	within(t, h.ends, 5*time.Second)
}

func TestRefusedAndSpent(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	p := first(t, ring)
	h := newRecorder()
	begin(t, ring, p, "/hello", h, func(j *Job) { j.New = false })
	if end := within(t, h.ends, 5*time.Second); end.Lost != LostRefused {
		t.Errorf("end %+v", end)
	}
	h = newRecorder()
	var j Job
	begin(t, ring, p, "/spent", h, func(x *Job) { j = *x })
	if end := within(t, h.ends, 5*time.Second); !end.Spent || end.Summary.Outcome != "memory" {
		t.Errorf("end %+v", end)
	}
	j.New, j.Run = false, "again"
	if _, err := p.Start(j, h); err != nil {
		t.Fatal(err)
	}
	if end := within(t, h.ends, 5*time.Second); end.Lost != LostRefused {
		t.Errorf("end %+v", end)
	}
}

func TestIsolateDoesNotStart(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	h := newRecorder()
	begin(t, ring, first(t, ring), "/hello", h, func(j *Job) { j.Worker = &trace.Worker{Version: "bad", Code: "fail"} })
	end := within(t, h.ends, 5*time.Second)
	if !end.Spent || end.Summary.Fault == nil || end.Summary.Fault.Kind != trace.FaultPlatform {
		t.Errorf("end %+v", end)
	}
	h = newRecorder()
	begin(t, ring, first(t, ring), "/hello", h, func(j *Job) { j.Worker = &trace.Worker{Version: "broken", Code: "broken"} })
	end = within(t, h.ends, 5*time.Second)
	if !end.Spent || end.Summary.Fault == nil || end.Summary.Fault.Kind != trace.FaultStartup || len(h.events) != 1 || h.events[0].Span.Phase != trace.PhaseStart {
		t.Errorf("end %+v, events %+v", end, h.events)
	}
}

// A run that never yields loses its runner. Others on it may end first, for a
// while; what does not is told apart. The spare serves at once.
func TestStuck(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	p := first(t, ring)
	spare := waitSpare(t, ring)
	quick, slow, stuck, object := newRecorder(), newRecorder(), newRecorder(), newRecorder()
	leaving := begin(t, ring, p, "/wait", quick)
	begin(t, ring, p, "/wait", slow)
	begin(t, ring, p, "/wait", object, func(j *Job) { j.Object = "one" })
	at := time.Now()
	begin(t, ring, p, "/spin", stuck, func(j *Job) { j.Limits.CPU, j.Limits.StartCPU = 50*time.Millisecond, 50*time.Millisecond })
	if end := within(t, stuck.ends, 10*time.Second); end.Lost != LostGuilty {
		t.Errorf("end %+v", end)
	}
	t.Log("killed after", time.Since(at))
	if end := within(t, object.ends, 10*time.Second); end.Lost != LostInnocent {
		t.Errorf("end of the object's run %+v", end)
	}
	p.mu.Lock()
	if p.gone { // it may be made anew elsewhere at once, so it must not have gone on beside the stuck run
		t.Error("the object's run went on until its runner was killed")
	}
	p.mu.Unlock()
	<-p.Left()
	if _, err := p.Start(Job{Worker: &trace.Worker{Version: "v"}}, newRecorder()); err == nil {
		t.Error("a runner that is to be killed takes another run")
	}
	// Nothing had to be started for the next.
	if q := ring.Peek(0); q != spare {
		t.Error("the spare does not serve")
	}
	h := newRecorder()
	begin(t, ring, spare, "/hello", h)
	within(t, h.heads, 10*time.Second)
	leaving.Cancel("over")
	if end := within(t, quick.ends, 5*time.Second); end.Lost != NotLost {
		t.Errorf("end of a run that had time %+v", end)
	}
	if end := within(t, slow.ends, 10*time.Second); end.Lost != LostInnocent {
		t.Errorf("end of a run that had none %+v", end)
	}
	<-p.Dead()
	if waitSpare(t, ring) == spare { // before anybody asks for one
		t.Error("no new spare stands by")
	}
}

func waitSpare(t testing.TB, r *Ring) (p *Runner) {
	t.Helper()
	eventually(t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		p = r.spares[RoleRun]
		return p != nil
	})
	return p
}

// eventually polls, because what it waits for happens in other processes.
func eventually(t testing.TB, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("it did not happen")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestDeaths(t *testing.T) {
	said := &tail{}
	ring := testRing(t, Config{Runners: 1, Memory: 300 << 20, Log: slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelError}))})
	for path, want := range map[string]Lost{"/exit": LostSuspect, "/crash": LostSuspect, "/starve": LostSuspect, "/eat": LostGuilty, "kill": LostInnocent} {
		t.Run(path, func(t *testing.T) {
			p := first(t, ring)
			h := newRecorder()
			if path == "kill" {
				begin(t, ring, p, "/wait", h)
				q, err := os.FindProcess(p.PID())
				if err != nil {
					t.Fatal(err)
				}
				if err := q.Kill(); err != nil {
					t.Fatal(err)
				}
			} else {
				begin(t, ring, p, path, h)
			}
			if end := within(t, h.ends, 20*time.Second); end.Lost != want || end.Full != (path == "/eat" || path == "/starve") {
				t.Errorf("end %+v, want %d", end, want)
			}
			h = newRecorder()
			eventually(t, func() bool { return first(t, ring) != p })
			begin(t, ring, first(t, ring), "/hello", h)
			within(t, h.ends, 5*time.Second)
			if path == "/crash" { // somebody should look
				eventually(t, func() bool {
					return strings.Contains(said.String(), `msg="child crashed" pid=`+fmt.Sprint(p.PID())+" role=run ")
				})
			}
		})
	}
}

// Who dies with nothing beside them is to blame for it, unless it was killed
// from outside; the next gets a child that lives.
func TestAlone(t *testing.T) {
	ring := testRing(t, Config{Runners: 1, Memory: 300 << 20})
	var last *Runner
	for _, c := range []struct {
		path string
		want Lost
		full bool
	}{{"/hello", NotLost, false}, {"/crash", LostGuilty, false}, {"/eat", LostGuilty, true}, {"kill", LostInnocent, false}, {"/hello", NotLost, false}} {
		p, back, err := ring.Alone(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h := newRecorder()
		if c.path != "kill" {
			begin(t, ring, p, c.path, h)
		} else {
			begin(t, ring, p, "/wait", h)
			q, err := os.FindProcess(p.PID())
			if err != nil {
				t.Fatal(err)
			}
			_ = q.Kill()
		}
		if end := within(t, h.ends, 20*time.Second); end.Lost != c.want || end.Full != c.full {
			t.Errorf("%s: end %+v", c.path, end)
		}
		back()
		last = p
	}
	p, back, err := ring.Alone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if q, second, err := ring.Alone(t.Context()); err != nil || p != last && q != last {
		t.Errorf("the child that is left was not used again: %v", err)
	} else {
		second()
	}
	back()
	// It goes when nothing was tried for a while.
	for range cellMax {
		c := <-ring.cells
		if c.p != nil {
			c.idle.Reset(0)
			within(t, c.p.Dead(), 10*time.Second)
		}
		ring.cells <- c
	}
	if list, _, _ := ring.Snapshot(); slices.ContainsFunc(list, func(i Info) bool { return i.Alone }) {
		t.Errorf("children that nobody uses: %+v", list)
	}
}

func TestRunDoesNotEnd(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	h := newRecorder()
	// The fake ends a run that is cancelled, so its fault is the child's word.
	begin(t, ring, first(t, ring), "/wait", h, func(j *Job) { j.Limits.Wall = 10 * time.Millisecond })
	if end := within(t, h.ends, 10*time.Second); end.Lost != NotLost || end.Summary.Outcome != string(trace.FaultCanceled) {
		t.Errorf("end %+v", end)
	}
}

// A run that does not end when it is told to costs its child, and one whose
// child hangs altogether, whoever's code that was, is told so.
func TestHardDeadlines(t *testing.T) {
	t.Run("a run that does not listen", func(t *testing.T) {
		t.Parallel()
		ring := testRing(t, Config{Runners: 1})
		h := newRecorder()
		begin(t, ring, first(t, ring), "/deaf", h, func(j *Job) { j.Limits.Wall = 10 * time.Millisecond })
		if end := within(t, h.ends, 10*time.Second); end.Lost != LostGuilty || end.Why != "a run did not end" {
			t.Errorf("end %+v", end)
		}
	})
	t.Run("a child that hangs", func(t *testing.T) {
		t.Parallel()
		ring := testRing(t, Config{Runners: 1})
		p := first(t, ring)
		h := newRecorder()
		begin(t, ring, p, "/wait", h)
		if err := unix.Kill(p.PID(), unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		if end := within(t, h.ends, 10*time.Second); end.Lost != LostSuspect || end.Why != "it fell silent" {
			t.Errorf("end %+v", end)
		}
	})
	t.Run("a child that begins with something else", func(t *testing.T) {
		t.Parallel()
		ring, err := New(t.Context(), Config{Args: []string{"rude"}})
		if err == nil {
			_ = ring.Close()
		}
		if !errors.Is(err, errProtocol) {
			t.Errorf("it was used: %v", err)
		}
	})
	t.Run("a child that is never ready", func(t *testing.T) {
		t.Parallel()
		ring, err := New(t.Context(), Config{Args: []string{"mute"}, ReadyWall: 100 * time.Millisecond})
		if err == nil {
			_ = ring.Close()
			t.Error("it was used")
		}
	})
}

// The owner of a child's isolates hears that it is nearly full before it is killed.
func TestCrowdedIsTold(t *testing.T) {
	told := make(chan int64, 100)
	ring := testRing(t, Config{Runners: 1, Memory: 400 << 20, Crowded: func(_ *Runner, over int64) { told <- over }})
	h := newRecorder()
	begin(t, ring, first(t, ring), "/fill", h)
	if over := within(t, told, 10*time.Second); over <= 0 || over > 100<<20 {
		t.Errorf("over by %d MiB", over>>20)
	}
	for range len(told) { // while it grew
		<-told
	}
	time.Sleep(10 * crowdedEvery)
	if n := len(told); n < 1 || n > 11 {
		t.Errorf("told %d times within %v", n, 10*crowdedEvery)
	}
	select {
	case end := <-h.ends:
		t.Errorf("end %+v", end)
	default:
	}
}

// Who is at work when a child has too much is not to blame for what was there before.
func TestLittleIsNotToBlame(t *testing.T) {
	ring := testRing(t, Config{Runners: 1, Memory: 400 << 20})
	p := first(t, ring)
	h := newRecorder()
	run := begin(t, ring, p, "/hold/320", h)
	eventually(t, func() bool { return p.Private() > 320<<20 })
	run.Cancel("enough")
	within(t, h.ends, 10*time.Second)
	h = newRecorder()
	begin(t, ring, p, "/hold/110", h)
	if end := within(t, h.ends, 20*time.Second); end.Lost != LostSuspect || !end.Full {
		t.Errorf("end %+v", end)
	}
}

// What builds and what runs SQL may hold as little as what runs code.
func TestMemoryOfEveryRole(t *testing.T) {
	ring := testRing(t, Config{Runners: 1, Memory: 200 << 20})
	for role, eat := range map[string]func() error{
		RoleBuild: func() error {
			_, err := ring.Build(t.Context(), trace.Project{Main: "eat"})
			return err
		},
		RoleSQL: func() error {
			_, err := ring.Query(t.Context(), query.Request{Op: query.Exec, Queries: []query.Query{{Text: "eat"}}})
			return err
		},
	} {
		p, err := ring.take(t.Context(), role, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := eat(); !errors.Is(err, ErrBuildDied) && !errors.Is(err, query.ErrDied) {
			t.Errorf("%s: %v", role, err)
		}
		p.mu.Lock()
		why, full := p.why, p.full
		p.mu.Unlock()
		held := 0
		if _, err := fmt.Sscanf(why, "it held %d MiB", &held); err != nil || !full || held > 600 {
			t.Errorf("%s: it ended because %s, full %v", role, why, full)
		}
	}
}

// All children together have a ceiling too; who can make room is told of it.
func TestTightIsTold(t *testing.T) {
	told := make(chan int64, 1000)
	ring := testRing(t, Config{Runners: 1, MemoryAll: 200 << 20, Tight: func(over int64) { told <- over }})
	begin(t, ring, first(t, ring), "/fill", newRecorder())
	for over := range told { // it grows until all is filled
		if over > 100<<20 {
			break
		}
	}
}

func TestBuild(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	d, err := ring.Build(t.Context(), trace.Project{Main: "m", Files: map[string][]byte{"a": []byte("code")}})
	if err != nil || d.Workers[0].Name != "m" || d.Workers[0].Code != "code" {
		t.Fatalf("%+v %v", d, err)
	}
	for name, want := range map[string]error{"exit": ErrBuildDied, "spin": ErrBuildTime} {
		at := time.Now()
		_, before, _ := ring.Snapshot()
		if _, err := ring.Build(t.Context(), trace.Project{Main: name}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		t.Log(name, time.Since(at))
		if _, after, _ := ring.Snapshot(); after != before+1 {
			t.Errorf("%s: %d children died of it", name, after-before)
		}
	}
	impatient := testRing(t, Config{Runners: 1, BuildWall: 100 * time.Millisecond})
	if _, err := impatient.Build(t.Context(), trace.Project{Main: "sleep"}); !errors.Is(err, ErrBuildLate) {
		t.Errorf("sleep: %v, want %v", err, ErrBuildLate)
	}
	code, m, fault, err := ring.Lower(t.Context(), "checks.js", "abc")
	if code != "ABC" || string(m) != "checks.js" || fault != nil || err != nil {
		t.Errorf("%q %q %v %v", code, m, fault, err)
	}
}

// A visitor who leaves does not end a build that others may wait for, and
// there is one at a time in a child.
func TestBuildsByThemselves(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := ring.Build(ctx, trace.Project{Main: "linger"}); err != nil {
			t.Error(err)
		}
	})
	busy := func() (n int) {
		ring.mu.Lock()
		defer ring.mu.Unlock()
		p := ring.places[RoleBuild][0]
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.jobs)
	}
	eventually(t, func() bool { return busy() == 1 })
	cancel()
	if _, err := ring.Build(ctx, trace.Project{Main: "none"}); !errors.Is(err, context.Canceled) {
		t.Errorf("a visitor who has left: %v", err)
	}
	wg.Go(func() {
		if _, err := ring.Build(t.Context(), trace.Project{Main: "exit"}); !errors.Is(err, ErrBuildDied) {
			t.Error(err)
		}
	})
	wg.Wait()
}

// A build child that something else stops gets no project blamed: the build is
// begun again in another, and only once that has gone on for long is it given up.
func TestBuildersKilledFromOutside(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	kill := func() {
		var p *Runner
		eventually(t, func() bool {
			ring.mu.Lock()
			defer ring.mu.Unlock()
			if p = ring.places[RoleBuild][0]; p == nil {
				return false
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			return len(p.jobs) == 1
		})
		if err := unix.Kill(p.PID(), unix.SIGKILL); err != nil {
			t.Error(err)
		}
		within(t, p.Dead(), 10*time.Second)
	}
	for deaths, want := range []error{nil, nil, nil, ErrBuildLost} {
		built := make(chan error, 1)
		go func() {
			d, err := ring.Build(t.Context(), trace.Project{Main: "linger"})
			if err == nil && d.Workers[0].Name != "linger" {
				err = errors.New("another project was built")
			}
			built <- err
		}()
		for range deaths {
			kill()
		}
		if err := within(t, built, 20*time.Second); !errors.Is(err, want) {
			t.Errorf("after %d deaths: %v, want %v", deaths, err, want)
		}
	}
}

func TestScript(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	p := first(t, ring)
	slot, _ := p.Slot()
	h := newRecorder()
	h.onCall = func(op string, args []any, done func(any, error)) { done(op+"="+args[0].(string), nil) }
	if _, err := p.StartScript(ScriptJob{Code: "1+1", Slot: slot, Limits: trace.Default()}, h); err != nil {
		t.Fatal(err)
	}
	if end := within(t, h.ends, 5*time.Second); string(end.Result) != `"echo=1+1"` {
		t.Errorf("end %+v", end)
	}
	if _, err := p.StartScript(ScriptJob{Code: "deep", Slot: slot, Limits: trace.Default()}, h); err != nil {
		t.Fatal(err)
	}
	if end := within(t, h.ends, 5*time.Second); !strings.Contains(string(end.Result), errDeep.Error()) {
		t.Errorf("end %+v", end)
	}
	if _, err := p.StartScript(ScriptJob{Code: "spin", Slot: slot, Limits: trace.Default()}, h); err != nil {
		t.Fatal(err)
	}
	if end := within(t, h.ends, 10*time.Second); end.Lost != LostGuilty {
		t.Errorf("end %+v", end)
	}
}

func TestPages(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	p := first(t, ring)
	h := newRecorder()
	var n uint64
	begin(t, ring, p, "/hello", h, func(j *Job) { n = j.Isolate })
	within(t, h.ends, 5*time.Second)
	b, err := p.Pages(t.Context(), n)
	if string(b) != "\x00\x01\x02" || err != nil {
		t.Errorf("%v %v", b, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Pages(ctx, 999); err == nil {
		t.Log("answered before the cancel was seen")
	}
}

func TestClosesClean(t *testing.T) {
	before := runtime.NumGoroutine()
	ring, err := New(t.Context(), Config{Runners: 2})
	if err != nil {
		t.Fatal(err)
	}
	h := newRecorder()
	begin(t, ring, first(t, ring), "/wait", h)
	if err := ring.Close(); err != nil {
		t.Fatal(err)
	}
	within(t, h.ends, 10*time.Second)
	eventually(t, func() bool { return runtime.NumGoroutine() <= before })
}

func TestManyAtOnce(t *testing.T) {
	ring := testRing(t, Config{Runners: 2})
	h := newRecorder()
	var j Job
	p := first(t, ring)
	begin(t, ring, p, "/hello", h, func(x *Job) { j = *x })
	within(t, h.ends, 5*time.Second)
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 200 {
				k := j
				k.New, k.Run = false, fmt.Sprint(g, "-", i)
				h := newRecorder()
				if _, err := p.Start(k, h); err != nil {
					t.Error(err)
					return
				}
				head := <-h.heads
				b, _ := io.ReadAll(head.Body)
				if string(b) != "hello "+k.Run {
					t.Errorf("swapped: %s for %s", b, k.Run)
				}
				<-h.ends
			}
		})
	}
	wg.Wait()
}

func BenchmarkHello(b *testing.B) {
	for _, at := range []int{1, 16} {
		b.Run(fmt.Sprint(at, "-at-once"), func(b *testing.B) {
			ring := testRing(b, Config{Runners: 1})
			p := first(b, ring)
			h := newRecorder()
			var j Job
			begin(b, ring, p, "/hello", h, func(x *Job) { j = *x })
			within(b, h.ends, 5*time.Second)
			b.ReportAllocs()
			before := p.received.Load() + p.conn.count()
			cpu := processCPU(p.PID()) + processCPU(os.Getpid())
			b.ResetTimer()
			var wg sync.WaitGroup
			work := make(chan int, b.N)
			for i := range b.N {
				work <- i
			}
			close(work)
			for range at {
				wg.Go(func() {
					for i := range work {
						k := j
						k.New, k.Run = false, fmt.Sprint(i)
						h := newRecorder()
						if _, err := p.Start(k, h); err != nil {
							b.Error(err)
							return
						}
						head := <-h.heads
						_, _ = io.Copy(io.Discard, head.Body)
						<-h.ends
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64(p.received.Load()+p.conn.count()-before)/float64(b.N), "frames/op")
			b.ReportMetric(float64(processCPU(p.PID())+processCPU(os.Getpid())-cpu)/float64(b.N)/1000, "cpu-us/op")
		})
	}
}

// Children that die as soon as they serve are started ever more slowly, so that
// a loop of crashes takes no processor from anybody, and at once again later.
func TestCrashLoopsAreBackedOff(t *testing.T) {
	last := time.Duration(0)
	for n := range 100 {
		wait := backoff(n)
		if n <= 8 && wait != 0 || n > 8 && (wait <= 0 || wait < last || wait > 2*time.Second) {
			t.Errorf("after %d deaths the next start waits %v, before it %v", n, wait, last)
		}
		last = wait
	}
	if last != 2*time.Second {
		t.Errorf("the longest wait is %v", last)
	}
	ring := testRing(t, Config{Runners: 1})
	deaths := 0
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		p, err := ring.Runner(ctx, 0)
		if err != nil {
			break
		}
		if q, err := os.FindProcess(p.PID()); err != nil || q.Kill() != nil {
			continue // dead already
		}
		deaths++
		within(t, p.Dead(), 10*time.Second)
	}
	// 8 for nothing, the spare, then 20, 40, 80 … ms apart.
	if deaths < 3 || deaths > 18 {
		t.Errorf("%d children were started and died within two seconds", deaths)
	}
	h := newRecorder()
	begin(t, ring, first(t, ring), "/hello", h)
	within(t, h.ends, 10*time.Second)
}

// Deaths of long ago hold back nobody.
func TestOldDeathsAreForgotten(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	waitSpare(t, ring)
	ring.mu.Lock()
	for range 100 {
		ring.deaths[RoleRun] = append(ring.deaths[RoleRun], time.Now().Add(-deathWindow))
	}
	ring.mu.Unlock()
	p := first(t, ring)
	if err := unix.Kill(p.PID(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	within(t, p.Dead(), 10*time.Second)
	ring.mu.Lock()
	n := len(ring.deaths[RoleRun])
	ring.mu.Unlock()
	if n != 1 {
		t.Errorf("%d deaths count", n)
	}
}

// counting counts the records with a message.
type counting struct {
	slog.Handler
	message string
	n       *atomic.Int64
}

func (c counting) Enabled(context.Context, slog.Level) bool { return true }
func (c counting) Handle(_ context.Context, r slog.Record) error {
	if r.Message == c.message {
		c.n.Add(1)
	}
	return nil
}

// A program that cannot be started any more, during an update for instance, is
// tried ever more slowly, and serves soon after it is there again.
func TestStartsThatFailAreBackedOff(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	var failed atomic.Int64
	ring := testRing(t, Config{Runners: 1, Executable: program, Log: slog.New(counting{slog.DiscardHandler, "child did not start", &failed})})
	waitSpare(t, ring)
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the one that serves and its spare
		p := first(t, ring)
		_ = unix.Kill(p.PID(), unix.SIGKILL)
		within(t, p.Dead(), 10*time.Second)
	}
	time.Sleep(time.Second)
	if n := failed.Load(); n < 2 || n > 24 { // of two roles, when the sql child had not been started
		t.Errorf("%d starts failed within a second", n)
	}
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := ring.Runner(ctx, 0); err != nil {
		t.Error(err)
	}
}

// However many learners' code has to be killed, the next child is not held back.
func TestKnownCulpritsAreNoCrashLoop(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	for n := range 15 {
		p := first(t, ring)
		p.condemn("stuck", uint64(n)+1)
		ring.mu.Lock()
		counted := len(ring.deaths[RoleRun])
		ring.mu.Unlock()
		if counted != 0 {
			t.Fatalf("child %d, killed for a learner's code, counts towards a crash loop", n)
		}
		within(t, p.Dead(), 10*time.Second)
	}
}

// Nor does a learner hold back others whose code ends each child that it has
// alone, or whose project ends each build child.
func TestOneLearnersCrashesHoldBackNobody(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	for n := range 12 {
		p, back, err := ring.Alone(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h := newRecorder()
		begin(t, ring, p, "/crash", h)
		if end := within(t, h.ends, 10*time.Second); end.Lost != LostGuilty {
			t.Errorf("crash %d: %+v", n, end)
		}
		back()
		if _, err := ring.Build(t.Context(), trace.Project{Main: "exit"}); !errors.Is(err, ErrBuildDied) {
			t.Errorf("build %d: %v", n, err)
		}
	}
	ring.mu.Lock()
	defer ring.mu.Unlock()
	for role, list := range ring.deaths {
		if len(list) > 0 {
			t.Errorf("%d deaths of %s children count towards a crash loop", len(list), role)
		}
	}
}
