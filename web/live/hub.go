package live

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
)

// Store is what the hub needs of the classroom.
type Store interface {
	Project(ctx context.Context, workspace, id string, revision int64) (classroom.Project, error)
	Revision(ctx context.Context, workspace, id string) (int64, error)
	SaveRuns(ctx context.Context, workspace, project string, runs ...classroom.Run) error
	SaveChecks(ctx context.Context, workspace, lesson string, checks []classroom.Check, end classroom.ChecksEnd) error
	SaveDeployment(ctx context.Context, workspace, id string, d classroom.Deployment) error
	Deployment(ctx context.Context, workspace, id string) (classroom.Deployment, error)
}

// Checker runs the checks of a project's lesson and calls emit for each step,
// from one goroutine; the last one has Done set. A project without checks is
// an *InputError.
type Checker interface {
	Check(ctx context.Context, p classroom.Project, emit func(CheckEvent)) error
}

// Config is what a Hub works with. Door, Store and Deployer are needed.
type Config struct {
	Door     sandbox.Door
	Store    Store
	Deployer *Deployer
	Checker  Checker      // nil: checks are refused with a sentence
	Labs     Labs         // nil: so are labs
	Logger   *slog.Logger // nil: nothing is logged
	Now      func() time.Time
	// RunRate is how many runs and checks one workspace may start a second,
	// RunBurst how many at once. Zero means 4 and 15, so that the twentieth click
	// of a second is one too many. ×20 counts as one.
	RunRate  float64
	RunBurst int
	// Silence is how long a page may say nothing, pongs included, before it
	// counts as gone: a network that fell away closes no socket. 0 means a minute.
	Silence time.Duration
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.RunRate == 0 {
		c.RunRate = 4
	}
	if c.Silence == 0 {
		c.Silence = time.Minute
	}
	if c.RunBurst == 0 {
		c.RunBurst = 15
	}
	return c
}

// Hub owns the runs and the streams.
type Hub struct {
	Config
	ctx  context.Context // ends when the hub closes: runs end with it, not with a page
	stop context.CancelCauseFunc
	wg   sync.WaitGroup

	jobs sync.WaitGroup // runs and checks, a part of wg

	mu      sync.Mutex
	closed  bool
	streams map[sandbox.Key]*stream
	total   atomic.Int64             // bytes that the streams keep
	rates   map[string]*rate.Limiter // by workspace
	open    map[*session]bool
	sockets map[string]int // open sessions by workspace
}

// Why a run was ended from outside.
var (
	errCanceled = errors.New("canceled by the page")
	errClosing  = errors.New("the server is closing")
)

// NewHub makes a hub; the caller closes it.
func NewHub(c Config) *Hub {
	h := &Hub{Config: c.withDefaults(), streams: map[sandbox.Key]*stream{}, rates: map[string]*rate.Limiter{}, open: map[*session]bool{}, sockets: map[string]int{}}
	h.ctx, h.stop = context.WithCancelCause(context.Background())
	h.wg.Go(h.sweep)
	return h
}

// Close stops taking runs, lets those under way end until ctx is done, keeps
// their results, and tells every page that the server restarts.
func (h *Hub) Close(ctx context.Context) {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return
	}
	h.closed = true
	h.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.jobs.Wait()
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	h.stop(errClosing)
	<-ended
	h.mu.Lock()
	pages := slices.Collect(maps.Keys(h.open))
	h.mu.Unlock()
	for _, x := range pages {
		x.close(closeRestart, "The server restarts.")
	}
	h.wg.Wait()
}

// Sockets is how many pages are connected.
func (h *Hub) Sockets() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.open)
}

// stream finds or makes the stream of a project. The hub's lock is held, and
// kept until the stream has a job or a session, so that it is not forgotten in
// between. Locks are taken in the order hub, session, stream.
func (h *Hub) stream(key sandbox.Key) *stream {
	s := h.streams[key]
	if s == nil {
		s = newStream(key, h.Now(), &h.total)
		h.streams[key] = s
	}
	return s
}

// known is the stream of a project if there is one.
func (h *Hub) known(key sandbox.Key) *stream {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.streams[key]
}

// sweep forgets streams that nobody needs any more.
func (h *Hub) sweep() {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-tick.C:
			h.forget()
		}
	}
}

func (h *Hub) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.Now()
	for key, s := range h.streams {
		if s.idle(now) {
			delete(h.streams, key)
			s.drop()
		}
	}
	for workspace, l := range h.rates {
		if l.TokensAt(now) >= float64(h.RunBurst) {
			delete(h.rates, workspace)
		}
	}
}

// Allow counts one run of a workspace. When it is one too many, wait says
// after how long another may be tried.
func (h *Hub) Allow(workspace string) (wait time.Duration, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.rates[workspace]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(h.RunRate), h.RunBurst)
		h.rates[workspace] = l
	}
	now := h.Now()
	r := l.ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return wait, false
	}
	return 0, true
}

// Tell sends a message beside the streams to every page of a workspace.
func (h *Hub) Tell(workspace string, m ServerMessage) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for x := range h.open {
		if x.workspace == workspace && x.following() != nil {
			x.say(m)
		}
	}
}

// Connected lists the workspaces that have a page open.
func (h *Hub) Connected() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.sockets))
}

// Saved tells the other pages of a project that a newer revision is there.
func (h *Hub) Saved(p classroom.Project) {
	if s := h.known(Key(p)); s != nil {
		s.tell(ServerMessage{Type: "saved", Revision: p.Revision})
	}
}

// Outside gives a Watch for one request that came in through the project's
// public address, nil when no page would see it. Its run's id begins with
// "w-"; bodies are not shown.
func (h *Hub) Outside(key sandbox.Key) func(trace.Event) { return h.watch(key, "w-") }

// Own does the same for an event of the platform itself: a queue's batch, a
// cron trigger or an alarm. Its run's id begins with "w-", the type and ".".
func (h *Hub) Own(key sandbox.Key, typ string) func(trace.Event) { return h.watch(key, "w-"+typ+".") }

func (h *Hub) watch(key sandbox.Key, prefix string) func(trace.Event) {
	s := h.known(key)
	if s == nil || !s.watched() || !s.outside.AllowN(h.Now(), 1) {
		return nil
	}
	id := prefix + classroom.NewID(8)
	return func(e trace.Event) {
		if e.Kind == trace.KindBody {
			return
		}
		s.event(named(e, id))
	}
}

// Isolates lists a project's live isolates.
func (h *Hub) Isolates(key sandbox.Key) []trace.IsolateState { return h.Door.Isolates(key) }

// IsolateChanged tells the project's pages what isolates it has now, because
// one was evicted or killed outside a run. It returns at once and may be called
// from inside the sandbox.
func (h *Hub) IsolateChanged(key sandbox.Key) {
	s := h.known(key)
	if s == nil || !s.watched() || !s.stale.CompareAndSwap(false, true) {
		return
	}
	h.background(func(ctx context.Context) {
		select { // a class that evicts a hundred isolates at once is one message
		case <-ctx.Done():
			return
		case <-time.After(gather):
		}
		s.stale.Store(false)
		s.tell(ServerMessage{Type: "isolates", Isolates: h.Door.Isolates(key)})
	})
}

// gather is how long changes of isolates are collected into one message.
const gather = 100 * time.Millisecond

// named gives an event the run id that the page knows, and bounds the texts
// that a learner's code can make as long as it likes.
func named(e trace.Event, id string) trace.Event {
	e.Run = id
	e.Fault = clipFault(e.Fault)
	if e.Summary != nil {
		sum := *e.Summary
		sum.Run, sum.Fault = id, clipFault(sum.Fault)
		e.Summary = &sum
	}
	return e
}

// The most of a fault that is shown and kept, in bytes.
const (
	clipName    = 200
	clipMessage = 4 << 10
	clipCode    = 8 << 10
	clipFrames  = 50
)

func clipFault(f *trace.Fault) *trace.Fault {
	if f == nil || len(f.Name) <= clipName && len(f.Message) <= clipMessage && len(f.Hint) <= clipMessage && len(f.Code) <= clipCode && len(f.Frames) <= clipFrames {
		return f
	}
	out := *f
	out.Name, out.Message, out.Hint, out.Code = clip(f.Name, clipName), clip(f.Message, clipMessage), clip(f.Hint, clipMessage), clip(f.Code, clipCode)
	out.Frames = f.Frames[:min(len(f.Frames), clipFrames)]
	return &out
}

// clip cuts a text at a character's end and marks the cut.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
