package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coldstart/sandbox/query"

	"coldstart/sandbox/trace"
)

func testPlatform(t *testing.T, invoke func(context.Context, Event) (*trace.Summary, []byte, error)) (*Platform, Caller) {
	t.Helper()
	return testPlatformAt(t, nil, invoke)
}

// testPlatformAt is testPlatform with a clock of its own.
func testPlatformAt(t *testing.T, now func() time.Time, invoke func(context.Context, Event) (*trace.Summary, []byte, error)) (*Platform, Caller) {
	t.Helper()
	store := NewMemory()
	if now != nil {
		store.now = now
	}
	p := New(Config{Store: store, Invoke: invoke, Now: now})
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &trace.Worker{Name: "w", Limits: trace.Default(), Bindings: []trace.Binding{
		{Name: "KV", Type: "kv", ID: "ns"}, {Name: "DB", Type: "d1", ID: "db"}, {Name: "B", Type: "r2", ID: "bucket"}, {Name: "Q", Type: "queue", ID: "q"},
	}}
	return p, Caller{Project: Project{Learner: "l", Project: "p"}, Worker: w}
}

func call(t *testing.T, p *Platform, c Caller, op string, args ...any) any {
	t.Helper()
	v, err := p.Call(t.Context(), c, op, args)
	if err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	return v
}

func show(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	if l, ok := v.([]any); ok {
		var s []string
		for _, e := range l {
			s = append(s, show(e))
		}
		return "[" + strings.Join(s, " ") + "]"
	}
	return fmt.Sprint(v)
}

func TestKV(t *testing.T) {
	var seconds atomic.Int64
	seconds.Store(1000)
	p, c := testPlatformAt(t, func() time.Time { return time.Unix(seconds.Load(), 0) }, nil)
	call(t, p, c, "kv.put", "ns", "a", []byte("1"), 0.0, "")
	call(t, p, c, "kv.put", "ns", "ab", []byte("2"), 1060.0, `{"m":1}`)
	call(t, p, c, "kv.put", "ns", "b", []byte("3"), 0.0, "")
	for _, k := range []struct {
		op   string
		args []any
		want string
	}{
		{"kv.get", []any{"ns", "a"}, "[1 <nil>]"},
		{"kv.get", []any{"ns", "ab"}, `[2 {"m":1}]`},
		{"kv.get", []any{"ns", "none"}, "<nil>"},
		{"kv.getMany", []any{"ns", []any{"a", "none"}}, "[[1 <nil>] <nil>]"},
		{"kv.list", []any{"ns", "a", 1000.0, ""}, `[ a 0 <nil> ab 1060 {"m":1}]`},
		{"kv.list", []any{"ns", "", 1.0, ""}, `[YQ a 0 <nil>]`},
		{"kv.list", []any{"ns", "", 1.0, "YQ"}, `[YWI ab 1060 {"m":1}]`},
	} {
		if got := show(call(t, p, c, k.op, k.args...)); got != k.want {
			t.Errorf("%s %v: %s, want %s", k.op, k.args, got, k.want)
		}
	}
	seconds.Store(1061)
	if got := show(call(t, p, c, "kv.get", "ns", "ab")); got != "<nil>" {
		t.Errorf("expired: %s", got)
	}
	other := c
	other.Project.Learner = "other"
	if got := show(call(t, p, other, "kv.get", "ns", "a")); got != "<nil>" {
		t.Errorf("another learner reads %s", got)
	}
	for _, bad := range [][]any{{"kv.get", "foreign", "a"}, {"kv.put", "ns", "", []byte("x")}, {"kv.put", "ns", strings.Repeat("k", 513), []byte("x")}, {"kv.put", "ns", "big", make([]byte, 9<<20)}, {"kv.list", "ns", "", 1.0, "***"}, {"nonsense"}} {
		if _, err := p.Call(t.Context(), c, bad[0].(string), bad[1:]); err == nil {
			t.Errorf("%v is accepted", bad[:1])
		}
	}
}

func TestD1(t *testing.T) {
	p, c := testPlatform(t, nil)
	call(t, p, c, "d1.exec", "db", "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET v = v || '!' WHERE id = new.id; END;")
	got := show(call(t, p, c, "d1.query", "db", []any{"INSERT INTO t (v) VALUES (?)", []any{"a;b"}, "SELECT * FROM t", []any{}}))
	if !strings.Contains(got, "[[id v] 1 0 1 0") || !strings.HasSuffix(got, " 1 a;b!]]") {
		t.Errorf("got %s", got)
	}
	if _, err := p.Call(t.Context(), c, "d1.query", []any{"db", []any{"INSERT INTO t (v) VALUES ('x')", []any{}, "SELEC", []any{}}}); err == nil {
		t.Error("a batch with a mistake is accepted")
	}
	if got := show(call(t, p, c, "d1.query", "db", []any{"SELECT count(*) FROM t", []any{}})); !strings.HasSuffix(got, " 1]]") {
		t.Errorf("a batch is not undone: %s", got)
	}
	var used atomic.Int64
	p.lanes.charge = func(learner string, cpu time.Duration) {
		if learner != "l" {
			t.Errorf("%q is charged", learner)
		}
		used.Add(int64(cpu))
	}
	for _, text := range []string{"SELECT zeroblob(1000000000)", "PRAGMA journal_mode=wal", "ATTACH 'x' AS y", "SELECT randomblob(900000000)", "BEGIN", "CREATE TABLE big AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT randomblob(100000) FROM c"} {
		before := used.Load()
		if _, err := p.Call(t.Context(), c, "d1.query", []any{"db", []any{text, []any{}}}); err == nil {
			t.Errorf("%s is accepted", text)
		}
		if took := time.Duration(used.Load() - before); took <= 0 || took > 2*query.Wall {
			t.Errorf("%s is charged with %v", text, took)
		}
	}
	// Closed and opened again, it is still there.
	if err := p.sql.close(); err != nil {
		t.Fatal(err)
	}
	if got := show(call(t, p, c, "d1.query", "db", []any{"SELECT count(*) FROM t", []any{}})); !strings.HasSuffix(got, " 1]]") {
		t.Errorf("after opening again: %s", got)
	}
}

func TestR2(t *testing.T) {
	p, c := testPlatform(t, nil)
	for _, k := range []string{"a/1", "a/2", "b", "c/1"} {
		call(t, p, c, "r2.put", "bucket", k, []byte("0123456789"), `{"contentType":"text/plain"}`, "", "")
	}
	got := call(t, p, c, "r2.get", "bucket", "b", 2.0, 3.0, "").([]any)
	if show(got[1]) != "234" {
		t.Errorf("range: %s", show(got))
	}
	etag := got[0].([]any)[3].(string)
	if got := call(t, p, c, "r2.get", "bucket", "b", 0.0, -1.0, `{"etagDoesNotMatch":"`+etag+`"}`).([]any); got[1] != nil {
		t.Errorf("condition: %s", show(got))
	}
	if got := call(t, p, c, "r2.put", "bucket", "b", []byte("x"), "", "", `{"etagMatches":"other"}`); got != nil {
		t.Errorf("condition: %s", show(got))
	}
	list := call(t, p, c, "r2.list", "bucket", "", 100.0, "", "/", "").([]any)
	if show(list[1]) != "[a/ c/]" || len(list) != 3 {
		t.Errorf("list: %s", show(list))
	}
	call(t, p, c, "r2.delete", "bucket", []any{"b", "none"})
	if got := call(t, p, c, "r2.head", "bucket", "b"); got != nil {
		t.Errorf("deleted: %s", show(got))
	}
}

// A list goes on over what it reads at a time, and its cursor over what it gives.
func TestR2ListsByPage(t *testing.T) {
	p, c := testPlatform(t, nil)
	const n = 2*r2Page + 7
	for i := range n {
		call(t, p, c, "r2.put", "bucket", fmt.Sprintf("k/%04d/x", i), []byte{}, "", "", "")
	}
	call(t, p, c, "r2.put", "bucket", "l", []byte{}, "", "", "")
	if list := call(t, p, c, "r2.list", "bucket", "", 100.0, "", "/", "").([]any); show(list[1]) != "[k/]" || len(list) != 3 || list[0] != "" {
		t.Errorf("groups over pages: %s", show(list[:2]))
	}
	var got []string
	for cursor := ""; ; {
		list := call(t, p, c, "r2.list", "bucket", "k/", 999.0, cursor, "/", "").([]any)
		for _, g := range list[1].([]any) {
			got = append(got, g.(string))
		}
		if cursor = list[0].(string); cursor == "" {
			break
		}
	}
	if len(got) != n || !slices.IsSorted(got) || got[n-1] != fmt.Sprintf("k/%04d/", n-1) {
		t.Errorf("got %d groups, want %d", len(got), n)
	}
}

// The same key may be asked for as often as an answer carries.
func TestAnswersOfOneKey(t *testing.T) {
	p, c := testPlatform(t, nil)
	call(t, p, c, "kv.put", "ns", "k", make([]byte, 3<<20), 0.0, "")
	o := c
	o.Class, o.Object = "O", strings.Repeat("a", 64)
	call(t, p, o, "storage.put", o.Object, []any{"k", strings.Repeat("x", 3<<20)})
	for n, fits := range map[int]bool{5: true, 6: false} {
		keys := make([]any, n)
		for i := range keys {
			keys[i] = "k"
		}
		_, err := p.Call(t.Context(), c, "kv.getMany", []any{"ns", keys})
		_, stored := p.Call(t.Context(), o, "storage.get", []any{o.Object, keys})
		if (err == nil) != fits || (stored == nil) != fits {
			t.Errorf("%d times 3 MiB: %v, %v", n, err, stored)
		}
	}
}

// A message that always fails goes to the dead letters after its retries.
func TestQueueRetries(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	dead := make(chan string, 1)
	var p *Platform
	p, c := testPlatform(t, func(_ context.Context, e Event) (*trace.Summary, []byte, error) {
		var in struct {
			Queue    string
			Messages []struct {
				ID, Encoded string
				Attempts    int
			}
		}
		if err := json.Unmarshal(e.Payload, &in); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, m := range in.Messages {
			seen = append(seen, fmt.Sprint(in.Queue, m.Encoded, m.Attempts))
		}
		if in.Queue == "dlq" {
			dead <- in.Messages[0].Encoded
			return &trace.Summary{}, []byte(`{"outcome":"ok","ackAll":true}`), nil
		}
		return &trace.Summary{}, []byte(`{"outcome":"ok","retryMessages":["` + in.Messages[0].ID + `"],"retryDelays":[null]}`), nil
	})
	w := *c.Worker
	w.Consumers = []trace.Consumer{{Queue: "q", BatchSize: 1, Retries: 2, DeadLetter: "dlq"}, {Queue: "dlq", BatchSize: 1}}
	p.Deploy(c.Project, &trace.Deployment{Workers: []trace.Worker{w}})
	call(t, p, c, "queue.send", "q", "m", "json", -1.0)
	select {
	case <-dead:
	case <-time.After(10 * time.Second):
		t.Fatal("no dead letter")
	}
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(seen, " "); got != "qm1 qm2 qm3 dlqm1" {
		t.Errorf("delivered %s", got)
	}
}

func TestCron(t *testing.T) {
	at := time.Date(2026, 11, 21, 15, 30, 0, 0, time.UTC) // a Saturday
	for expr, want := range map[string]bool{
		"* * * * *": true, "30 15 * * *": true, "*/15 * * * *": true, "31 * * * *": false, "0-30/10 15 21 NOV *": true, "* * * * SAT": true, "* * * * 7": true, "* * * * MON-FRI": false,
		"30 15 1 * SAT": true, "* * L * *": false, "* * 20W * *": false, "* * * * SAT#3": true, "* * * * 7L": false, "nonsense": false, "61 * * * *": false, "": false,
	} {
		if got := CronMatches(expr, at); got != want {
			t.Errorf("%q: %v, want %v", expr, got, want)
		}
	}
}

func TestRateLimit(t *testing.T) {
	p, c := testPlatform(t, nil)
	var got []any
	for range 3 {
		got = append(got, call(t, p, c, "ratelimit", "id", "key", 2.0, 60.0))
	}
	if show(got) != "[true true false]" {
		t.Errorf("got %s", show(got))
	}
}

// Whoever counts more keys than are kept loses its own counters and nobody else's.
func TestRateLimitIsOfAProject(t *testing.T) {
	p, c := testPlatform(t, nil)
	other := c
	other.Project.Learner = "other"
	call(t, p, c, "ratelimit", "id", "key", 1.0, 60.0)
	for i := range 3 * rateKeys {
		call(t, p, other, "ratelimit", "id", fmt.Sprint(i), 1.0, 60.0)
	}
	if got := call(t, p, c, "ratelimit", "id", "key", 1.0, 60.0); got != false {
		t.Error("another learner's keys reset the count")
	}
	p.mu.Lock()
	if n := len(p.rates[other.Project].keys); n > rateKeys {
		t.Errorf("%d keys of a project are counted", n)
	}
	p.mu.Unlock()
	for i := range rateProjects + 10 {
		other.Project.Project = fmt.Sprint(i)
		call(t, p, other, "ratelimit", "id", "key", 1.0, 60.0)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.rates); n > rateProjects {
		t.Errorf("%d projects are counted", n)
	}
}

func TestCacheFreshness(t *testing.T) {
	now := time.Unix(0, 0)
	for header, want := range map[string]time.Duration{
		"": 0, "cache-control\nmax-age=60": time.Minute, "cache-control\ns-maxage=5, max-age=60": 5 * time.Second, "cache-control\nno-store": 0,
		"cache-control\nprivate": 0, "set-cookie\na=b": 0, "set-cookie\na=b\ncache-control\nprivate=Set-Cookie, max-age=9": 9 * time.Second, "expires\nThu, 01 Jan 1970 00:01:00 GMT": time.Minute, "expires\n0": 0,
	} {
		if got := freshness(200, lines(header), now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

// TestOwnEventsArePaced checks that a project which keeps itself busy gets a
// burst and then a trickle.
func TestOwnEventsArePaced(t *testing.T) {
	var mu sync.Mutex
	rang := 0
	var p *Platform
	var c Caller
	started := make(chan struct{})
	p, c = testPlatform(t, func(_ context.Context, e Event) (*trace.Summary, []byte, error) {
		<-started
		mu.Lock()
		rang++
		mu.Unlock()
		o := Caller{Project: e.Project, Worker: c.Worker, Class: e.Class, Object: e.Object}
		_, err := p.Call(context.Background(), o, "storage.setAlarm", []any{e.Object, float64(time.Now().UnixMilli())})
		return &trace.Summary{}, nil, err
	})
	close(started)
	for i := range 5 {
		o := c
		o.Class, o.Object = "O", fmt.Sprint("o", i)
		call(t, p, o, "storage.setAlarm", o.Object, float64(time.Now().UnixMilli()))
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return rang
	}
	begin := time.Now()
	for count() < paceBurst {
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("only %d alarms rang", count())
		}
		<-time.After(time.Millisecond)
	}
	<-time.After(1500 * time.Millisecond)
	if n, most := count(), paceBurst+int(time.Since(begin)/paceEvery)+1; n > most {
		t.Errorf("%d own events, want at most %d", n, most)
	}
}

// An event that computes for long counts as several: a consumer that feeds itself
// is slow after a second of CPU time, not after a hundred batches.
func TestLongEventsCountAsSeveral(t *testing.T) {
	const cost = 10
	var rang atomic.Int32
	var p *Platform
	var c Caller
	started := make(chan struct{})
	p, c = testPlatform(t, func(_ context.Context, e Event) (*trace.Summary, []byte, error) {
		<-started
		rang.Add(1)
		o := Caller{Project: e.Project, Worker: c.Worker, Class: e.Class, Object: e.Object}
		_, err := p.Call(context.Background(), o, "storage.setAlarm", []any{e.Object, float64(time.Now().UnixMilli())})
		return &trace.Summary{CPU: cost * paceCPU.Microseconds()}, nil, err
	})
	close(started)
	o := c
	o.Class, o.Object = "O", "o"
	begin := time.Now()
	call(t, p, o, "storage.setAlarm", o.Object, float64(begin.UnixMilli()))
	for rang.Load() < paceBurst/cost {
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("only %d alarms rang", rang.Load())
		}
		<-time.After(time.Millisecond)
	}
	<-time.After(time.Second)
	if n, most := int(rang.Load()), paceBurst/cost+int(time.Since(begin)/paceEvery)+1; n > most {
		t.Errorf("%d long events, want at most %d", n, most)
	}
}

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// A thousand projects that a learner leaves behind, each of which would go on for
// ever, cost less and less: an event in 2 s after twenty minutes, and few in an hour.
func TestAbandonedProjectsFallQuiet(t *testing.T) {
	c := &clock{at: time.Unix(1e9, 0)}
	p, _ := testPlatformAt(t, c.now, nil)
	count := func(during, step time.Duration) (n int) {
		for range during / step {
			c.move(step)
			for i := range 1000 {
				if wait, _ := p.early(Project{Learner: "l", Project: fmt.Sprint(i)}); wait == 0 {
					n++
				}
			}
		}
		return n
	}
	if n := count(time.Minute, 10*time.Second); n > learnerBurst+int(time.Minute/learnerEvery) {
		t.Errorf("%d events in the first minute", n)
	}
	count(19*time.Minute, 10*time.Second)
	if n := count(10*time.Minute, 10*time.Second); n > int(10*time.Minute/paceEvery) {
		t.Errorf("%d events in ten minutes", n)
	}
	count(24*time.Hour, 10*time.Minute)
	if n := count(time.Hour, time.Minute); n == 0 || n > 15 {
		t.Errorf("%d events in an hour of the second day, want a few", n)
	}
	visited := Project{Learner: "l", Project: "7"}
	if quiet := p.Asked(visited); quiet < 25*time.Hour {
		t.Errorf("nobody asked for %v, it says", quiet)
	}
	c.move(30 * time.Second)
	if wait, _ := p.early(visited); wait > 0 {
		t.Errorf("a project that is visited again waits for %v", wait)
	}
}

// An alarm that waits at an abandoned project's pace rings as soon as somebody
// asks; one that somebody watches keeps its pace.
func TestAskedBringsBackThePace(t *testing.T) {
	c := &clock{at: time.Now()}
	rang := make(chan string, 9)
	p, caller := testPlatformAt(t, c.now, func(_ context.Context, e Event) (*trace.Summary, []byte, error) {
		rang <- e.Object
		return &trace.Summary{}, nil, nil
	})
	pr := caller.Project
	for wait := time.Duration(0); wait == 0; {
		wait, _ = p.early(pr)
	}
	c.move(10 * time.Hour)
	for wait := time.Duration(0); wait == 0; { // what came back meanwhile
		wait, _ = p.early(pr)
	}
	o := caller
	o.Class, o.Object = "O", "o"
	call(t, p, o, "storage.setAlarm", o.Object, float64(c.now().UnixMilli()))
	held := func() (n int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, a := range p.alarms {
			if a.held {
				n++
			}
		}
		return n
	}
	for end := time.Now().Add(20 * time.Second); held() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the alarm is not held back")
		}
	}
	woken := make(chan bool)
	go func() { woken <- p.turn(pr) }()
	if quiet := p.Asked(pr); quiet != 10*time.Hour {
		t.Errorf("nobody asked for %v, it says", quiet)
	}
	c.move(2 * paceEvery)
	if quiet := p.Asked(pr); quiet != 0 {
		t.Errorf("it was quiet for %v again", quiet)
	}
	for got := 0; got < 2; got++ {
		select {
		case <-rang:
		case ok := <-woken:
			if !ok {
				t.Error("the platform closed")
			}
		case <-time.After(20 * time.Second):
			t.Fatal("what was held back does not go on")
		}
	}
}

// What a transaction puts waits in the server's memory, so all that are open may
// hold no more than the project may store.
func TestTransactionsAreBounded(t *testing.T) {
	p, c := testPlatform(t, nil)
	limits := trace.Default()
	limits.KVBytes = 1 << 20
	w := *c.Worker
	w.Limits = limits
	c.Worker = &w
	value, put := strings.Repeat("x", 100_000), 0
	for i := range 4 {
		o := c
		o.Class, o.Object = "O", fmt.Sprint("o", i)
		call(t, p, o, "storage.begin", o.Object)
		for n := range 10 {
			if _, err := p.Call(t.Context(), o, "storage.put", []any{o.Object, []any{fmt.Sprint("k", n), value}}); err != nil {
				if !strings.Contains(err.Error(), "are full") {
					t.Errorf("told %v", err)
				}
				break
			}
			put++
		}
	}
	if put != 10 {
		t.Errorf("%d values of 100 kB wait within 1 MiB", put)
	}
	o := c
	o.Class, o.Object = "O", "o0"
	call(t, p, o, "storage.put", o.Object, []any{"k0", "short"}) // what it replaces counts no more
	call(t, p, o, "storage.put", o.Object, []any{"k10", "short"})
	call(t, p, o, "storage.end", o.Object, true)
	if got := show(call(t, p, o, "storage.get", o.Object, []any{"k0", "k10"})); got != "[short short]" {
		t.Errorf("stored %s", got)
	}
}
