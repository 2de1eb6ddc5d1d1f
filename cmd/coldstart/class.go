package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"coldstart/sandbox/trace"
)

// classPlan is a class that begins: everybody opens one lesson, changes its
// program and presses Run within Burst; then they go on at Rate runs a second.
type classPlan struct {
	Learners int
	Burst    time.Duration
	Steady   time.Duration
	Rate     float64
	DB       string // of the server that is started for it
	Lesson   string // address of the lesson's page below /learn/
}

// check refuses what no class is.
func (p classPlan) check() error {
	switch {
	case p.Learners < 1 || p.Learners > 2000:
		return errors.New("class: --class wants 1 to 2000 learners")
	case p.Burst < 0 || p.Steady < 0 || p.Burst > time.Hour || p.Steady > time.Hour:
		return errors.New("class: --burst and --steady want a time up to 1h, such as 2s")
	case !(p.Rate > 0 && p.Rate <= 10_000):
		return errors.New("class: --rate wants 1 to 10000 runs a second")
	}
	return nil
}

// thousandths are quantiles in milliseconds.
type thousandths struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
	N   int     `json:"n"`
}

func milliseconds(all []time.Duration) thousandths {
	if len(all) == 0 {
		return thousandths{}
	}
	ms := make([]float64, len(all))
	for i, d := range all {
		ms[i] = float64(d.Microseconds()) / 1e3
	}
	slices.Sort(ms)
	return thousandths{quantile(ms, .5), quantile(ms, .95), quantile(ms, .99), ms[len(ms)-1], len(ms)}
}

// classResult is what a class met.
type classResult struct {
	Learners int                    `json:"learners"`
	Burst    thousandths            `json:"burst_ms"`  // Run pressed to its last event, everybody at once
	Steady   thousandths            `json:"steady_ms"` // the same, afterwards
	Page     thousandths            `json:"page_ms"`   // pages of the site, whole, all the time
	Join     thousandths            `json:"join_ms"`   // page, save and socket of one learner
	Save     thousandths            `json:"save_ms"`   // of a joining learner's change
	Socket   thousandths            `json:"socket_ms"` // until the server welcomes it
	Phases   map[string]thousandths `json:"phases_ms"` // of the burst's runs: where their time went
	Waits    classWaits             `json:"waits"`
	Errors   int                    `json:"errors"`
	First    string                 `json:"first_error,omitempty"`
	Machine  string                 `json:"machine"`
}

// classWaits compares what waiting learners read with what came.
type classWaits struct {
	Shown int         `json:"shown"`    // runs that read a place in line
	Place int         `json:"place"`    // the last place anybody read
	Rises int         `json:"rises"`    // runs whose place got worse while they waited
	Late  thousandths `json:"late_ms"`  // the wait beyond the newest estimate, 0 when it was over sooner
	Early thousandths `json:"early_ms"` // the estimate beyond the wait
}

// siteProcess is a server of its own, which a bench ends.
type siteProcess struct {
	cmd  *exec.Cmd
	url  string
	out  lockedBuffer
	dir  string
	done chan struct{}
}

type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

var greeted = regexp.MustCompile(`Coldstart +(http://\S+)`)

// startSite starts this program as a server with an empty data folder and waits
// until it takes visitors.
func startSite(ctx context.Context, g *globals, args ...string) (*siteProcess, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "coldstart-class-*")
	if err != nil {
		return nil, err
	}
	if g.Cache != "" {
		args = append(args, "--cache", g.Cache)
	}
	s := &siteProcess{dir: dir, done: make(chan struct{})}
	s.cmd = exec.Command(exe, append([]string{"serve", "--addr", "127.0.0.1:0", "--data", dir, "--log-level", "error"}, args...)...)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	s.cmd.WaitDelay = time.Second
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	go func() {
		_ = s.cmd.Wait() // what it said tells why
		close(s.done)
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if m := greeted.FindStringSubmatch(s.out.String()); m != nil {
			s.url = m[1]
			resp, err := http.Get(s.url + "/readyz")
			if err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		select {
		case <-tick.C:
		case <-s.done:
			return nil, errors.Join(fmt.Errorf("the server ended:\n%s", s.out.String()), os.RemoveAll(dir))
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), s.stop())
		}
	}
}

func (s *siteProcess) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-s.done:
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	return os.RemoveAll(s.dir)
}

// classRoom gathers what the learners of one simulation meet.
type classRoom struct {
	plan   classPlan
	site   string
	client *http.Client
	files  map[string]string // the lesson's starter
	id     string            // of its project

	mu                                      sync.Mutex
	burst, steady, page, join, save, socket []time.Duration
	phases                                  map[trace.Phase][]time.Duration
	rest                                    []time.Duration
	late, early                             []time.Duration
	waits                                   classWaits
	errors                                  int
	first                                   error
}

func (r *classRoom) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.errors++; r.first == nil {
		r.first = err
	}
}

// simulateClass plays the plan against a server of its own.
func simulateClass(ctx context.Context, g *globals, plan classPlan, say io.Writer) (result classResult, err error) {
	var args []string
	if plan.DB != "" {
		args = append(args, "--db", plan.DB)
	}
	site, err := startSite(ctx, g, args...)
	if err != nil {
		return result, fmt.Errorf("class: %w", err)
	}
	defer func() { err = errors.Join(err, site.stop()) }()
	r := &classRoom{
		plan: plan, site: site.url, phases: map[trace.Phase][]time.Duration{},
		client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 2 * plan.Learners}},
	}
	if err := r.starter(ctx); err != nil {
		return result, fmt.Errorf("class: %w", err)
	}
	looking, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { r.look(looking) })
	fmt.Fprintf(say, "%d learners join and press Run within %v\n", plan.Learners, plan.Burst)
	learners := r.everybody(ctx)
	if plan.Steady > 0 {
		fmt.Fprintf(say, "%.0f runs a second for %v\n", plan.Rate, plan.Steady)
		r.goOn(ctx, learners)
	}
	stop()
	wg.Wait()
	for _, l := range learners {
		l.leave()
	}
	if ctx.Err() != nil {
		return result, ctx.Err()
	}
	return r.result(), nil
}

// everybody lets the learners come, evenly over the burst, and waits until each
// has an answer or an error.
func (r *classRoom) everybody(ctx context.Context) []*classLearner {
	learners := make([]*classLearner, r.plan.Learners)
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range learners {
		learners[i] = &classLearner{room: r, n: i, runs: map[string]*classRun{}}
		wg.Go(func() {
			if !until(ctx, begin.Add(r.plan.Burst*time.Duration(i)/time.Duration(len(learners)))) {
				return
			}
			l := learners[i]
			came := time.Now()
			if err := l.enter(ctx); err != nil {
				r.failed(fmt.Errorf("learner %d: %w", i, err))
				return
			}
			r.add(&r.join, time.Since(came))
			run, err := l.run(ctx)
			if err != nil {
				r.failed(fmt.Errorf("learner %d: %w", i, err))
				return
			}
			r.add(&r.burst, run.took)
			r.explain(run)
		})
	}
	wg.Wait()
	return learners
}

// goOn presses Run at an even rate, whether earlier runs have ended or not.
func (r *classRoom) goOn(ctx context.Context, learners []*classLearner) {
	learners = slices.DeleteFunc(slices.Clone(learners), func(l *classLearner) bool { return l.conn == nil })
	if len(learners) == 0 {
		return
	}
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range int(r.plan.Steady.Seconds() * r.plan.Rate) {
		if !until(ctx, begin.Add(time.Duration(float64(i)/r.plan.Rate*float64(time.Second)))) {
			break
		}
		l := learners[i%len(learners)]
		wg.Go(func() {
			run, err := l.run(ctx)
			if err != nil {
				r.failed(fmt.Errorf("learner %d: %w", l.n, err))
				return
			}
			r.add(&r.steady, run.took)
		})
	}
	wg.Wait()
}

// until waits for a time of day; false when ctx ended first.
func until(ctx context.Context, at time.Time) bool {
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *classRoom) add(to *[]time.Duration, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*to = append(*to, d)
}

// explain notes where a run's time went and what its learner read meanwhile.
func (r *classRoom) explain(run *classRun) {
	r.mu.Lock()
	defer r.mu.Unlock()
	inside := time.Duration(0)
	for _, p := range trace.Phases {
		d := time.Duration(run.summary.Phase(p)) * time.Microsecond
		r.phases[p] = append(r.phases[p], d)
		inside += d
	}
	r.rest = append(r.rest, max(0, run.took-inside))
	if len(run.queued) == 0 {
		return
	}
	r.waits.Shown++
	rose := false
	for i, q := range run.queued {
		r.waits.Place = max(r.waits.Place, q.place)
		rose = rose || i > 0 && q.place > run.queued[i-1].place
	}
	if rose {
		r.waits.Rises++
	}
	// The wait ends when the run is routed into an isolate: after its queue phase.
	last := run.queued[len(run.queued)-1]
	over := last.waited + last.estimate - time.Duration(run.summary.Phase(trace.PhaseQueue))*time.Microsecond
	r.early, r.late = append(r.early, max(0, over)), append(r.late, max(0, -over))
}

func (r *classRoom) result() classResult {
	out := classResult{
		Learners: r.plan.Learners, Burst: milliseconds(r.burst), Steady: milliseconds(r.steady), Page: milliseconds(r.page), Join: milliseconds(r.join), Save: milliseconds(r.save), Socket: milliseconds(r.socket),
		Phases: map[string]thousandths{"other": milliseconds(r.rest)}, Waits: r.waits, Errors: r.errors, Machine: machine(),
	}
	for p, all := range r.phases {
		out.Phases[string(p)] = milliseconds(all)
	}
	out.Waits.Late, out.Waits.Early = milliseconds(r.late), milliseconds(r.early)
	if r.first != nil {
		out.First = r.first.Error()
	}
	return out
}

// print says it for people.
func (c classResult) print(w io.Writer) {
	row := func(name string, t thousandths) {
		fmt.Fprintf(w, "%-16s p50 %7.1f ms   p95 %7.1f ms   p99 %7.1f ms   max %7.1f ms   n=%d\n", name, t.P50, t.P95, t.P99, t.Max, t.N)
	}
	fmt.Fprintf(w, "machine          %s\n", c.Machine)
	row("burst", c.Burst)
	for _, p := range append(trace.Phases[:], "other") {
		row("  "+string(p), c.Phases[string(p)])
	}
	if c.Steady.N > 0 {
		row("steady", c.Steady)
	}
	row("pages", c.Page)
	row("joining", c.Join)
	row("  save", c.Save)
	row("  socket", c.Socket)
	fmt.Fprintf(w, "places in line   %d runs read one, the worst %d; %d saw theirs get worse; estimates were late by %.0f ms and early by %.0f ms (p95)\n", c.Waits.Shown, c.Waits.Place, c.Waits.Rises, c.Waits.Late.P95, c.Waits.Early.P95)
	fmt.Fprintf(w, "errors           %d", c.Errors)
	if c.First != "" {
		fmt.Fprintf(w, ", the first: %s", c.First)
	}
	fmt.Fprintln(w)
}

// decode reads one JSON answer.
func decode(resp *http.Response, into any) error {
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s %.200s", resp.Request.Method, resp.Request.URL.Path, resp.Status, data)
	}
	return json.Unmarshal(data, into)
}
