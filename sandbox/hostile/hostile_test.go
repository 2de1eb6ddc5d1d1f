package hostile

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"coldstart/sandbox/trace"
)

var (
	corpus = flag.String("corpus", "", "another folder that directly holds the cases' *.json")
	only   *regexp.Regexp // from -run, when it names a case instead of a test
)

// TestMain lets -run name a case: `go test ./sandbox/hostile -run net-loopback`.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.run"); f.Value.String() != "" && !strings.HasPrefix(f.Value.String(), "Test") && !strings.HasPrefix(f.Value.String(), "^") {
		only = regexp.MustCompile(f.Value.String())
		_ = f.Value.Set("^TestHostile$")
	}
	os.Exit(m.Run())
}

// TestHostile plays the corpus against a real server: each case alone; without
// -short also eight at a time in random order, then everything three times.
func TestHostile(t *testing.T) {
	dirs := []string{"testdata", filepath.Join("testdata", "own")}
	if *corpus != "" {
		dirs = []string{*corpus}
	}
	cases, err := Load(dirs...)
	if err != nil {
		t.Fatal(err)
	}
	if only != nil {
		cases = slices.DeleteFunc(cases, func(c Case) bool { return !only.MatchString(c.Name) })
	}
	if len(cases) == 0 {
		t.Fatalf("no case matches %v", only)
	}
	w := newWorld(t)
	s := startServer(t, w)
	p := &player{t: t, w: w, s: s, control: newControl(t, s)}
	p.startBenign(t)
	if err := s.spares(); err != nil {
		t.Fatal(err)
	}

	p.pass("alone", cases, 1)
	if !testing.Short() {
		shuffled := slices.Clone(cases)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		p.pass("eight at a time", shuffled, 8)
		for round := range 3 {
			p.pass(fmt.Sprintf("round %d of 3", round+1), cases, 1)
		}
	}
	p.after(t)
	fmt.Printf("%d passed, %d failed\n", p.passed, p.failed)
}

type player struct {
	t *testing.T
	w *world
	s *server

	control        *control
	benign         benign
	crowd          int // how many cases are played at a time
	passed, failed int
	peak           atomic.Int64 // most that the server and its children held, as far as anybody looked
	again          int          // cases that were begun again, as their learners were told to
	mu             sync.Mutex
}

// patience is a bound on waiting for a program that shares the machine with
// the others of its pass: the corpus' bounds are for one that has two processors.
// A program in one request at a time uses one of them, all its share of the
// machine while others are there; one with several at a time uses both, so its
// share of them shrinks twice as much.
func (p *player) patience(c Case, d time.Duration) time.Duration {
	if c.Concurrent {
		return d * time.Duration(p.crowd)
	}
	return d * time.Duration(max(1, p.crowd/2))
}

// wallOfOthers is the wall limit, in milliseconds, of a program that must not run
// into it, and what it may take on a machine that others use: of each of its many
// short turns it waits for theirs to end, however small their share.
const wallOfOthers = 20_000

// longest is patience with a case on the machine as it was since then. A bound
// that shows containment is stretched by what others took and no more.
func (p *player) longest(c Case, d time.Duration, since time.Time) time.Duration {
	d = p.control.within(p.patience(c, d), since)
	if waits(c) && p.control.share(since) < 0.95 {
		d = max(d, wallOfOthers*time.Millisecond)
	}
	return d
}

// waits reports whether none of a case's requests may run into a time limit.
func waits(c Case) bool {
	return !allowed(c.Must.Outcome, "timeout") && !allowed(c.Must.FirstOutcome, "timeout")
}

// lost reports whether a learner was told that a runner was stopped for another's
// code, which cannot be while one case is played alone.
func (p *player) lost(outcome, text string) bool {
	return p.crowd > 1 && trace.FaultKind(outcome) == trace.FaultPlatform && strings.Contains(text, "Our runner stopped. It was not your code.")
}

// cutOff is what a program catches, or not, whose call was in a runner that was stopped.
const cutOff = "The execution context which hosted this callback is no longer running."

// playAgain is play, and again where a run had had an effect when its runner was
// stopped for another's code: it was told so, to run again, and does.
func (p *player) playAgain(c Case) (r result) {
	for begin := time.Now(); time.Since(begin) < time.Minute; {
		if r = p.play(c, p.crowd == 1); !r.lost || len(r.bad) > 0 {
			return r
		}
		p.mu.Lock()
		p.again++
		p.mu.Unlock()
	}
	r.failf("its runner was stopped for another's code again and again for a minute")
	return r
}

// benign is the innocent third session, asked five times a second.
type benign struct {
	slug  string
	bytes string
	mu    sync.Mutex
	waits []time.Duration
	wrong []string
}

func (p *player) startBenign(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	x := p.s.newSession()
	if err := x.open(ctx); err != nil {
		t.Fatal(err)
	}
	b := &p.benign
	b.bytes = "benign " + token()
	proj := &Project{Main: "worker.js", Files: map[string]string{
		"worker.js": "export default { fetch() { return new Response(" + strconv.Quote(b.bytes) + "); } };\n",
	}}
	status, slug, err := x.put(ctx, "benign", "benign", proj, Limits{}, strings.NewReplacer())
	if err != nil || status != http.StatusOK || slug == "" {
		t.Fatalf("storing the benign project: status %d, slug %q, %v", status, slug, err)
	}
	b.slug = slug
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			begin := time.Now()
			rctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			r, err := raw(rctx, p.s, slug, Request{Method: "GET", Path: "/"}, "", strings.NewReplacer())
			cancel()
			b.mu.Lock()
			b.waits = append(b.waits, time.Since(begin))
			if err != nil {
				b.wrong = append(b.wrong, err.Error())
			} else if string(r.body) != b.bytes {
				b.wrong = append(b.wrong, fmt.Sprintf("%d %.100q", r.status, r.body))
			}
			b.mu.Unlock()
		}
	})
	t.Cleanup(func() { close(stop); wg.Wait() })
}

// take returns what the benign session saw since the last call.
func (b *benign) take() (waits []time.Duration, wrong []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	waits, wrong = b.waits, b.wrong
	b.waits, b.wrong = nil, nil
	return waits, wrong
}

// pass plays every case once, n at a time, and prints one line a case.
func (p *player) pass(name string, cases []Case, n int) {
	fmt.Printf("== %s\n", name)
	begin := time.Now()
	p.crowd, p.again = n, 0
	if n > 1 {
		defer p.sample(&p.peak)()
	}
	sem := make(chan struct{}, n)
	var wg sync.WaitGroup
	for _, c := range cases {
		sem <- struct{}{}
		wg.Go(func() {
			defer func() { <-sem }()
			r := p.playAgain(c)
			if n == 1 {
				p.neighbour(c, &r)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			verdict := "pass"
			if len(r.bad) == 0 {
				p.passed++
			} else {
				p.failed++
				verdict = "FAIL"
				p.t.Errorf("%s: %s: %s", name, c.Name, strings.Join(r.bad, "; "))
			}
			first := ""
			if len(r.bad) > 0 {
				first = "  " + r.bad[0]
			}
			fmt.Printf("%s %-34s %-8s %5d ms %4d MB, neighbour %4d ms%s\n", verdict, c.Name, r.outcome, r.wall.Milliseconds(), r.growth>>20, percentile(r.waits, 100).Milliseconds(), first)
		})
	}
	wg.Wait()
	if p.again > 0 {
		fmt.Printf("%d begun again: their runner was stopped for another's code after they had had an effect\n", p.again)
	}
	if waits, wrong := p.benign.take(); n > 1 {
		if len(wrong) > 0 {
			p.t.Errorf("%s: the benign session got %d wrong answers, first %s", name, len(wrong), wrong[0])
		}
		if d := percentile(waits, 95); d > p.control.within(benignMax, begin) {
			p.t.Errorf("%s: the benign session's p95 was %v", name, d)
		}
	}
}

// benignMax bounds the 95th percentile of what the benign session waits.
const benignMax = 500 * time.Millisecond

// neighbour judges what the benign session waited while a case was played alone.
// Of fewer than twenty waits a 95th percentile is the longest, which one hiccup
// of the machine makes: a case that looks slow is played until there are as many.
func (p *player) neighbour(c Case, r *result) {
	slow := func() bool { return percentile(r.waits, 95) > p.control.within(benignMax, r.begin) }
	for begin := time.Now(); slow() && len(r.waits) < 20 && time.Since(begin) < time.Minute; {
		again := p.playAgain(c)
		r.waits = append(r.waits, again.waits...)
		r.bad = append(r.bad, again.bad...)
	}
	if slow() {
		r.failf("the benign session's p95 was %v, its waits %v", percentile(r.waits, 95), r.waits)
	}
}

// percentile is by nearest rank; 0 of nothing.
func percentile(d []time.Duration, p int) time.Duration {
	if len(d) == 0 {
		return 0
	}
	s := slices.Clone(d)
	slices.Sort(s)
	return s[(len(s)*p+99)/100-1]
}

// result of one case.
type result struct {
	begin   time.Time
	outcome string
	wall    time.Duration
	growth  int64
	bad     []string
	waits   []time.Duration // of the benign session, when it was played alone
	lost    bool            // a run was stopped for another's code, and told so
}

func (r *result) failf(format string, args ...any) {
	r.bad = append(r.bad, fmt.Sprintf(format, args...))
}

// one is what became of one request.
type one struct {
	outcome string
	status  int
	header  [][2]string
	body    []byte
	wall    time.Duration
	logs    []trace.Log
	logSize int
	text    string // fault sentence
}

// play runs one case. alone adds the checks that need the machine to itself.
func (p *player) play(c Case, alone bool) (r result) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*time.Minute)
	defer cancel()
	r.begin = time.Now()
	hits, upMark, logMark := p.w.canaryHits.Load(), len(p.w.seen(0)), len(p.s.loggedSince(0))
	secrets := map[string]string{"PEER_TOKEN": "peer" + token(), "SESSION_TOKEN": "session" + token(), "SESSION_COOKIE": "cookie" + token()}
	_, hostPort, _ := strings.Cut(p.s.addr, ":")
	names := strings.NewReplacer(
		"{{CANARY_PORT}}", strconv.Itoa(p.w.canaryPort), "{{HOST_PORT}}", hostPort,
		"{{CANARY_TOKEN}}", p.w.canaryToken, "{{CANARY_FILE}}", p.w.canaryFile,
		"{{PEER_TOKEN}}", secrets["PEER_TOKEN"], "{{SESSION_TOKEN}}", secrets["SESSION_TOKEN"],
		"{{SESSION_COOKIE}}", secrets["SESSION_COOKIE"])

	var before stats
	var memBefore int64
	var peak atomic.Int64
	stopSampling := func() {}
	if alone {
		// A child that the case before cost is back: what it weighs is not this case's.
		if err := p.s.spares(); err != nil {
			r.failf("%v", err)
		}
		before, _ = p.s.stats()
		memBefore = p.s.memory()
		if c.Must.MaxRSSGrowth > 0 {
			stopSampling = p.sample(&peak)
		}
		p.benign.take()
	}

	x := p.s.newSession()
	x.remember(secrets["SESSION_COOKIE"])
	id := "case-" + token()[:12]
	runs := p.requests(ctx, &r, c, x, id, names)
	stopSampling()
	p.peak.Store(max(p.peak.Load(), peak.Load()))
	if len(runs) > 0 && !r.lost {
		last := runs[len(runs)-1]
		r.outcome = last.outcome
		p.must(ctx, &r, c, x, id, runs, names)
	}
	if n := p.w.canaryHits.Load() - hits; n > int64(c.Must.CanaryHits) {
		r.failf("the canary was reached %d times", n)
	}
	p.upstream(&r, c, alone, upMark, names)
	if c.Must.NoFileOutside {
		p.noFileOutside(&r)
	}
	if peak.Load() > memBefore && c.Must.MaxRSSGrowth > 0 {
		r.growth = peak.Load() - memBefore
		if r.growth > int64(c.Must.MaxRSSGrowth)<<20 {
			r.failf("grew by %d MB, allowed %d", r.growth>>20, c.Must.MaxRSSGrowth)
		}
	}
	p.host(ctx, &r, c, x, alone, before, memBefore)
	p.quiet(&r, c, secrets, names, logMark)
	return r
}

// quiet demands that the log says nothing of what a case made or was given, and
// holds no byte that drives a terminal. Metrics and profiles are looked at too.
func (p *player) quiet(r *result, c Case, secrets map[string]string, names *strings.Replacer, mark int) {
	never := []string{p.w.canaryToken}
	for _, s := range secrets {
		never = append(never, s)
	}
	seen := map[string]string{"log": p.s.loggedSince(mark)}
	for _, path := range []string{"/metrics", "/debug/pprof/goroutine?debug=2"} {
		text, err := p.s.figures(path)
		if err != nil || len(text) < 1000 {
			r.failf("%s: %d bytes, %v", path, len(text), err)
		}
		seen[path] = text
	}
	for _, project := range []*Project{&c.Project, c.Peer} {
		if project == nil {
			continue
		}
		for _, text := range project.Files {
			for line := range strings.Lines(text) {
				if line = strings.TrimSpace(names.Replace(line)); len(line) >= 24 {
					never = append(never, line[:min(len(line), 60)])
				}
			}
		}
	}
	for where, text := range seen {
		for _, s := range never {
			if strings.Contains(text, s) || strings.Contains(text, jsonText(s)) {
				r.failf("%s holds %q", where, s)
			}
		}
	}
	if i := strings.IndexFunc(seen["log"], func(c rune) bool { return c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) }); i >= 0 {
		r.failf("the log holds a control byte: %q", seen["log"][max(0, i-40):min(len(seen["log"]), i+10)])
	}
}

// sample watches the memory of the whole tree every 10 ms.
func (p *player) sample(peak *atomic.Int64) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if m := p.s.memory(); m > peak.Load() {
					peak.Store(m)
				}
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// requests stores the project and its peer and sends the requests in order, or all at once.
func (p *player) requests(ctx context.Context, r *result, c Case, x *session, id string, names *strings.Replacer) []one {
	if err := x.open(ctx); err != nil {
		r.failf("opening the site: %v", err)
		return nil
	}
	title := c.Title
	if title == "" {
		title = c.Name
	}
	begin := time.Now()
	limits := c.Limits
	if limits.WallMs > 0 && waits(c) { // it may wait for a machine that others take too
		limits.WallMs = max(limits.WallMs, wallOfOthers)
	}
	status, slug, err := x.put(ctx, id, title, &c.Project, limits, names)
	if err != nil {
		r.failf("storing the project: %v", err)
		return nil
	}
	if status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge || status == http.StatusUnprocessableEntity {
		r.wall = time.Since(begin)
		refused := one{outcome: "error", status: status, wall: r.wall}
		if !slices.Contains(strings.Split(c.Must.Outcome, "|"), "error") {
			refused.outcome = "blocked"
		}
		return []one{refused}
	}
	if status != http.StatusOK {
		r.failf("storing the project: status %d", status)
		return nil
	}
	sk, err := x.dial(ctx, id)
	if err != nil {
		r.failf("%v", err)
		return nil
	}
	defer sk.close()
	var peer *socket
	var peerSlug string
	if c.Peer != nil {
		y := p.s.newSession()
		if err := y.open(ctx); err != nil {
			r.failf("opening the site: %v", err)
			return nil
		}
		if status, peerSlug, err = y.put(ctx, "peer", "peer", c.Peer, Limits{}, names); err != nil || status != http.StatusOK {
			r.failf("storing the peer: status %d, %v", status, err)
			return nil
		}
		if peer, err = y.dial(ctx, "peer"); err != nil {
			r.failf("%v", err)
			return nil
		}
		defer peer.close()
	}
	runs := make([]one, len(c.Requests))
	send := func(i int) {
		to, toSlug := sk, slug
		if c.Requests[i].To == "peer" {
			to, toSlug = peer, peerSlug
		}
		runs[i] = p.send(ctx, r, to, toSlug, c.Requests[i], c.Must, names)
	}
	if c.Concurrent {
		var wg sync.WaitGroup
		for i := range c.Requests {
			wg.Go(func() { send(i) })
		}
		wg.Wait()
	} else {
		for i := range c.Requests {
			send(i)
		}
	}
	for _, o := range runs {
		r.wall = max(r.wall, o.wall)
	}
	return runs
}

// send plays one request: from the page, and when bytes on the wire matter
// or the body is too large for a page, at the public URL.
func (p *player) send(ctx context.Context, r *result, sk *socket, slug string, q Request, must Must, names *strings.Replacer) one {
	body := q.body(names)
	if must.FramingValid || len(body) > 200<<10 {
		return p.sendRaw(ctx, r, sk.x, slug, q, must, body, names)
	}
	a, err := sk.run(ctx, q, body, names)
	if err != nil {
		p.fault(r, "%s %s: %v", q.Method, q.Path, err)
		return one{outcome: "none"}
	}
	o := one{wall: a.end.Sub(a.begin), body: a.body.Bytes(), logs: a.logs, logSize: a.logBytes}
	if a.head != nil {
		o.status, o.header = a.head.Status, a.head.Headers
	}
	switch {
	case a.refused != "":
		o.outcome, o.text = "blocked", a.refused
		if strings.Contains(a.refused, "socket closed") {
			o.outcome = "none"
			p.fault(r, "%s", a.refused)
		}
	default:
		if a.summary.Fault != nil {
			o.text = a.summary.Fault.Message
		}
		o.outcome = outcome(trace.FaultKind(a.summary.Outcome), o.body)
		if p.lost(a.summary.Outcome, o.text) || p.crowd > 1 && (strings.Contains(o.text, cutOff) || bytes.Contains(o.body, []byte(cutOff))) {
			p.mu.Lock()
			r.lost = true
			p.mu.Unlock()
		} else if o.outcome == "" {
			p.fault(r, "ended as %q: %s", a.summary.Outcome, o.text)
			o.outcome = "none"
		}
	}
	return o
}

func (p *player) sendRaw(ctx context.Context, r *result, x *session, slug string, q Request, must Must, body string, names *strings.Replacer) one {
	begin := time.Now()
	rep, err := raw(ctx, p.s, slug, q, body, names)
	if err != nil {
		p.fault(r, "%s %s: %v", q.Method, q.Path, err)
		return one{outcome: "none"}
	}
	x.output(string(rep.body))
	o := one{wall: time.Since(begin), status: rep.status, body: rep.body}
	for k, vs := range rep.header {
		for _, v := range vs {
			o.header = append(o.header, [2]string{k, v})
			x.output(k + ": " + v)
		}
	}
	switch {
	case rep.cut: // why is told on the page only
		o.outcome = "error"
		for _, stopped := range []string{"timeout", "memory"} {
			if !allowed(must.Outcome, o.outcome) && allowed(must.Outcome, stopped) {
				o.outcome = stopped
			}
		}
	case p.lost(rep.outcome, string(rep.body)):
		p.mu.Lock()
		r.lost = true
		p.mu.Unlock()
	case rep.worker:
		o.outcome = outcome(trace.FaultKind(rep.outcome), rep.body)
	case rep.status >= 500:
		p.fault(r, "%s %s: the site itself answered %d", q.Method, q.Path, rep.status)
		o.outcome = "none"
	default:
		o.outcome = "blocked"
	}
	return o
}

func (p *player) fault(r *result, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.failf(format, args...)
}

// outcome translates the platform's word for how a run ended; "" when it is none of the five.
func outcome(kind trace.FaultKind, body []byte) string {
	switch kind {
	case "", "ok":
		if bytes.HasPrefix(body, []byte("BLOCKED")) {
			return "blocked"
		}
		return "ok"
	case trace.FaultCPU, trace.FaultWall, trace.FaultHung, trace.FaultRunner:
		return "timeout"
	case trace.FaultMemory:
		return "memory"
	case trace.FaultBuild, trace.FaultConfig, trace.FaultException, trace.FaultStartup, trace.FaultHandler, trace.FaultLimit:
		return "error"
	case trace.FaultBusy:
		return "blocked"
	}
	return ""
}

// allowed says whether an outcome is among those listed. A refusal counts as
// an error where the program was stopped before it ran.
func allowed(list, got string) bool { return slices.Contains(strings.Split(list, "|"), got) }

func (p *player) must(ctx context.Context, r *result, c Case, x *session, id string, runs []one, names *strings.Replacer) {
	first, last := runs[0], runs[len(runs)-1]
	if !allowed(c.Must.Outcome, last.outcome) {
		r.failf("outcome %s, want %s (status %d, %q, body %.120q)", last.outcome, c.Must.Outcome, last.status, last.text, last.body)
	}
	if c.Must.FirstOutcome != "" && !allowed(c.Must.FirstOutcome, first.outcome) {
		r.failf("first outcome %s, want %s", first.outcome, c.Must.FirstOutcome)
	}
	if d := time.Duration(c.Must.MaxWallMs) * time.Millisecond; d > 0 && r.wall > p.longest(c, d, r.begin) {
		r.failf("took %v, allowed %v", r.wall.Round(time.Millisecond), d)
	}
	if d := time.Duration(c.Must.LastMaxWallMs) * time.Millisecond; d > 0 && last.wall > p.control.within(p.patience(c, d), r.begin) {
		r.failf("the last took %v, allowed %v", last.wall.Round(time.Millisecond), d)
	}
	wire, out := x.said()
	holds := func(said, s string) bool { return strings.Contains(said, s) || strings.Contains(said, jsonText(s)) }
	if holds(wire, p.w.canaryToken) {
		r.failf("the canary's token reached the learner")
	}
	for _, s := range c.Must.NotInOutput {
		if s = names.Replace(s); holds(out, s) {
			at := strings.Index(out, s)
			r.failf("output holds %.60q: %.120q", s, out[max(at-40, 0):])
		}
	}
	if c.Must.BodyContains != "" && !strings.Contains(strings.ToValidUTF8(string(last.body), "\uFFFD"), names.Replace(c.Must.BodyContains)) {
		r.failf("body %.120q lacks %q", last.body, c.Must.BodyContains)
	}
	if c.Must.BodyMaxKB > 0 && len(last.body) > c.Must.BodyMaxKB<<10 {
		r.failf("body has %d kB, allowed %d", len(last.body)>>10, c.Must.BodyMaxKB)
	}
	if c.Must.LogMaxKB > 0 && last.logSize > c.Must.LogMaxKB<<10 {
		r.failf("logs have %d kB, allowed %d", last.logSize>>10, c.Must.LogMaxKB)
	}
	if n := c.Must.LogRecords; n != nil && len(last.logs) != *n {
		r.failf("%d log records, want %d", len(last.logs), *n)
	}
	for _, l := range last.logs {
		if !utf8.ValidString(l.Text) {
			r.failf("a log record is not UTF-8")
		}
	}
	for _, raw := range c.Must.NotInLogBytes {
		if raw = names.Replace(raw); strings.Contains(p.s.logged(), raw) {
			r.failf("the server's log holds %q", raw)
		}
	}
	for _, o := range runs {
		for _, h := range o.header {
			if slices.ContainsFunc(c.Must.HeaderAbsent, func(name string) bool { return strings.EqualFold(name, h[0]) }) {
				r.failf("response header %s: %s", h[0], h[1])
			}
		}
	}
	if len(c.Must.HeaderAppOrig) > 0 || c.Must.Browser != "" {
		p.appOrigin(ctx, r, c, x, names)
	}
	if len(c.Must.NotInHTML) > 0 || c.Must.Browser != "" {
		p.html(ctx, r, c, x, id, names)
	}
}

func jsonText(s string) string {
	b, _ := json.Marshal(s)
	return string(b[1 : len(b)-1])
}

// appOrigin asks at the public URL on the site's own host, where a Worker's
// headers must not weaken the site.
func (p *player) appOrigin(ctx context.Context, r *result, c Case, x *session, names *strings.Replacer) {
	status, slug, err := x.put(ctx, "origin-"+token()[:8], c.Name, &c.Project, c.Limits, names)
	if err != nil || status != http.StatusOK {
		r.failf("storing it again: status %d, %v", status, err)
		return
	}
	rep, err := raw(ctx, p.s, slug, c.Requests[len(c.Requests)-1], "", names)
	if err != nil {
		r.failf("%v", err)
		return
	}
	for _, h := range c.Must.HeaderAppOrig {
		if v, ok := rep.header[http.CanonicalHeaderKey(h)]; ok {
			r.failf("on the site's own origin: %s: %s", h, v)
		}
	}
	if csp := rep.header.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") {
		r.failf("on the site's own origin without a sandboxing policy: %q", csp)
	}
}

// html fetches the pages that show this learner's project and looks for markup that came through.
// That a Worker's page in a browser has an opaque origin and no hold on the page
// around it is for web/e2e: here it is its headers that are looked at.
func (p *player) html(ctx context.Context, r *result, c Case, x *session, id string, names *strings.Replacer) {
	for _, path := range []string{"/", "/p/" + id, "/progress", "/you", "/learn/workers/read-the-request"} {
		_, b, err := x.do(ctx, http.MethodGet, path, nil)
		if err != nil {
			r.failf("GET %s: %v", path, err)
			continue
		}
		for _, s := range c.Must.NotInHTML {
			if path == "/p/"+id && !strings.Contains(s, "<") {
				continue // the editor there shows the program, and this is no markup
			}
			if s = names.Replace(s); bytes.Contains(b, []byte(s)) {
				r.failf("page %s holds %q", path, s)
			}
		}
	}
}

// upstream looks at what allowed.test was asked; how often is known only while
// no other case asks it.
func (p *player) upstream(r *result, c Case, alone bool, mark int, names *strings.Replacer) {
	seen := p.w.seen(mark)
	if n := c.Must.UpstreamHits; n != nil && alone && len(seen) > *n {
		r.failf("the upstream was asked %d times, allowed %d", len(seen), *n)
	}
	if n := c.Must.FollowMax; n > 0 && alone && len(seen) > n+1 {
		r.failf("%d redirects were followed, allowed %d", len(seen)-1, n)
	}
	for _, s := range c.Must.UpstreamNot {
		for _, got := range seen {
			if strings.Contains(got, names.Replace(s)) {
				r.failf("the upstream saw %q", s)
			}
		}
	}
}

// noFileOutside looks where a path with .. from the store could have landed.
func (p *player) noFileOutside(r *result) {
	for dir := filepath.Dir(p.s.data); ; dir = filepath.Dir(dir) {
		entries, err := os.ReadDir(dir)
		if err == nil {
			for _, e := range entries {
				if strings.Contains(e.Name(), "escape-canary") {
					r.failf("found %s", filepath.Join(dir, e.Name()))
				}
			}
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	_ = filepath.WalkDir(p.s.data, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.Contains(d.Name(), "escape-canary") {
			r.failf("a learner's file name reached the disk: %s", path)
		}
		return nil
	})
}

// host makes the checks that follow every case.
func (p *player) host(ctx context.Context, r *result, c Case, x *session, alone bool, before stats, memBefore int64) {
	if err := p.s.alive(); err != nil {
		r.failf("%v", err)
		return
	}
	begin := time.Now()
	resp, err := http.Get(p.s.base + "/healthz")
	if err != nil {
		r.failf("health: %v", err)
	} else {
		resp.Body.Close()
		if d := time.Since(begin); resp.StatusCode != http.StatusOK || d > p.control.within(250*time.Millisecond, begin) {
			r.failf("health: %s after %v", resp.Status, d)
		}
	}
	p.sameLearner(ctx, r, x)
	if !alone {
		return
	}
	waits, wrong := p.benign.take()
	if len(wrong) > 0 {
		r.failf("the benign session got %d wrong answers, first %s", len(wrong), wrong[0])
	}
	r.waits = waits
	p.settled(r, before, memBefore)
}

// sameLearner demands that a new project of the same learner works at once.
func (p *player) sameLearner(ctx context.Context, r *result, x *session) {
	ok := &Project{Main: "worker.js", Files: map[string]string{"worker.js": "export default { fetch() { return new Response('still here'); } };\n"}}
	status, slug, err := x.put(ctx, "after-"+token()[:8], "after", ok, Limits{}, strings.NewReplacer())
	if err != nil || status != http.StatusOK {
		r.failf("the same learner's next project: status %d, %v", status, err)
		return
	}
	rep, err := raw(ctx, p.s, slug, Request{Method: "GET", Path: "/"}, "", strings.NewReplacer())
	if err != nil || string(rep.body) != "still here" {
		if rep == nil {
			rep = &reply{}
		}
		r.failf("the same learner's next run: %v, %d %.100q", err, rep.status, rep.body)
	}
}

// settled waits up to 5 s for goroutines, descriptors, memory and CPU to be where they were.
func (p *player) settled(r *result, before stats, memBefore int64) {
	var why string
	begin := time.Now()
	late := func() bool {
		d := time.Since(begin)
		return d > 5*time.Second && d > p.control.within(5*time.Second, begin)
	}
	for tick := time.NewTicker(100 * time.Millisecond); !late(); <-tick.C {
		now, err := p.s.stats()
		if err != nil {
			why = err.Error()
			continue
		}
		switch {
		case now.Goroutines > before.Goroutines+10:
			why = fmt.Sprintf("%d goroutines, %d before", now.Goroutines, before.Goroutines)
			continue
		case now.FDs > before.FDs+10:
			why = fmt.Sprintf("%d descriptors, %d before: %s", now.FDs, before.FDs, p.s.descriptors())
			continue
		}
		if mem := p.s.memory(); mem > memBefore+64<<20 {
			if err := p.s.free(); err != nil {
				why = err.Error()
				continue
			}
			if mem = p.s.memory(); mem > memBefore+64<<20 {
				why = fmt.Sprintf("%d MB %v, %d MB before", mem>>20, p.s.memories(), memBefore>>20)
				continue
			}
		}
		why = ""
		break
	}
	if why != "" {
		r.failf("not settled after %v: %s", time.Since(begin).Round(100*time.Millisecond), why)
		if strings.Contains(why, "goroutines") {
			p.t.Log(p.s.goroutines())
		}
	}
}

// ceiling is what the server and all its children may hold, shared pages counted
// once: the children's 3 GiB, and as slack half of one for the server itself.
const ceiling = 7 << 29

// after demands, once everything has been played, that all held no more than the
// ceiling and that nothing still runs: under 5 % of a processor in an idle
// second, the benign session's five requests included.
func (p *player) after(t *testing.T) {
	t.Helper()
	if m := p.peak.Load(); m > ceiling {
		t.Errorf("the server and its children held %d MB at once, allowed %d", m>>20, ceiling>>20)
	} else {
		t.Logf("the server and its children held at most %d MB", m>>20)
	}
	var used int64
	var by map[int]int64
	for range 10 {
		before := p.s.cpus()
		<-time.After(time.Second)
		used, by = 0, p.s.cpus()
		for pid := range by {
			by[pid] -= before[pid]
			used += by[pid]
		}
		if used <= 5 {
			return
		}
	}
	t.Errorf("an idle server uses %d %% of a processor; by process, of which %d is the server: %v", used, p.s.cmd.Process.Pid, by)
}
