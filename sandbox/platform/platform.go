package platform

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/query"
	"coldstart/sandbox/trace"
)

// Event is what the platform itself sends to a Worker.
type Event struct {
	Project Project
	Worker  string
	Type    string // queue scheduled alarm
	Class   string // alarm: of the Durable Object
	Object  string
	Props   string
	Payload []byte // JSON
}

// Config is what a Platform is made from. Store is required.
type Config struct {
	Store Store
	// Invoke runs an event. An error means that the Worker could not be asked.
	Invoke func(ctx context.Context, e Event) (sum *trace.Summary, result []byte, err error)
	// Lease is for how long a batch of messages or an alarm belongs to the server
	// that runs it and says nothing more of it; default 30 s. Then another takes over.
	Lease time.Duration
	// SQL runs learners' queries; nil is in this process, for tests. Its errors are query's.
	SQL func(ctx context.Context, q query.Request) (query.Reply, error)
	// Charge is told of CPU time that a learner's SQL took; nil for nobody.
	Charge func(learner string, cpu time.Duration)
	Full   func() // told each time that a project's storage has no room; nil for nobody
	// Watched reports whether somebody looks at what a project does by itself; nil for never.
	Watched func(pr Project) bool
	Log     *slog.Logger
	Now     func() time.Time
}

// Platform answers binding operations.
type Platform struct {
	cfg  Config
	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu       sync.Mutex
	deployed map[Project]*trace.Deployment
	queues   map[Namespace]*queue
	alarms   map[alarmKey]*waiting
	open     map[Namespace]*transaction
	rates    map[Project]*rates
	paces    map[Project]*pace
	sql      databases
	lanes    *lanes
}

// New makes a Platform. The caller closes it.
func New(cfg Config) *Platform {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Charge == nil {
		cfg.Charge = func(string, time.Duration) {}
	}
	if cfg.SQL == nil {
		e := query.New()
		cfg.SQL = func(ctx context.Context, q query.Request) (query.Reply, error) { return e.Do(ctx, q), nil }
	}
	if cfg.Full == nil {
		cfg.Full = func() {}
	}
	if cfg.Watched == nil {
		cfg.Watched = func(Project) bool { return false }
	}
	if cfg.Lease <= 0 {
		cfg.Lease = 30 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	p := &Platform{
		cfg: cfg, deployed: map[Project]*trace.Deployment{}, queues: map[Namespace]*queue{}, alarms: map[alarmKey]*waiting{},
		open: map[Namespace]*transaction{}, rates: map[Project]*rates{}, paces: map[Project]*pace{},
	}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.sql.p, p.sql.flush = p, sqlFlush
	p.lanes = newLanes(cfg.Now, cfg.Charge)
	p.wg.Go(p.crons)
	p.wg.Go(p.sweeps)
	p.wg.Go(p.sql.tidy)
	return p
}

// Close stops what the platform does by itself and waits for it.
func (p *Platform) Close() error {
	p.stop()
	p.mu.Lock()
	for _, a := range p.alarms {
		a.timer.Stop()
	}
	clear(p.alarms) // a timer that goes off all the same finds its alarm gone
	p.mu.Unlock()
	p.wg.Wait()
	p.lanes.close()
	return p.sql.close()
}

// Caller is the Worker that performs an operation.
type Caller struct {
	Project Project
	Worker  *trace.Worker
	Class   string // of the Durable Object that runs, "" outside one
	Object  string // its id
	Props   string // what its caller knew of it: "=" and its name
}

// operation performs one kind of call; args are what a child sent.
type operation func(ctx context.Context, p *Platform, c Caller, args args) (any, error)

// operations are all calls by name. The names and shapes are listed in
// sandbox/webapi/ops.go.
var operations = map[string]struct {
	f     operation
	reads bool // it changes nothing, so a run that did only such can be done again
}{
	"kv.get":     {kvGet, true},
	"kv.getMany": {kvGetMany, true},
	"kv.put":     {kvPut, false},
	"kv.delete":  {kvDelete, false},
	"kv.list":    {kvList, true},

	"cache.match":  {cacheMatch, true},
	"cache.put":    {cachePut, false},
	"cache.delete": {cacheDelete, false},

	"queue.send":      {queueSend, false},
	"queue.sendBatch": {queueSendBatch, false},

	"storage.get":       {storageGet, true},
	"storage.known":     {storageKnown, true},
	"storage.put":       {storagePut, false},
	"storage.delete":    {storageDelete, false},
	"storage.list":      {storageList, true},
	"storage.deleteAll": {storageDeleteAll, false},
	"storage.getAlarm":  {storageGetAlarm, true},
	"storage.setAlarm":  {storageSetAlarm, false},
	"storage.begin":     {storageBegin, false},
	"storage.end":       {storageEnd, false},

	"sql.exec": {sqlExec, false},
	"sql.size": {sqlSize, true},
	"d1.query": {d1Query, false},
	"d1.exec":  {d1Exec, false},

	"r2.head":   {r2Head, true},
	"r2.get":    {r2Get, true},
	"r2.put":    {r2Put, false},
	"r2.delete": {r2Delete, false},
	"r2.list":   {r2List, true},

	"ratelimit": {rateLimit, false},
	"analytics": {analytics, false},
}

// ReadOnly reports whether an operation changes nothing.
func ReadOnly(op string) bool { return operations[op].reads }

// Call performs an operation for a Worker. Errors are what its code catches.
func (p *Platform) Call(ctx context.Context, c Caller, op string, list []any) (any, error) {
	o, ok := operations[op]
	if !ok {
		//lint:ignore ST1005 learners read it as it is
		return nil, fmt.Errorf("%s is not available here.", clip(op, 64))
	}
	return o.f(ctx, p, c, args(list))
}

// Deploy tells of a project's new Workers. Messages and alarms that were left
// from before are delivered from now on.
func (p *Platform) Deploy(pr Project, d *trace.Deployment) {
	p.mu.Lock()
	p.deployed[pr] = d
	if !slices.ContainsFunc(d.Workers, func(w trace.Worker) bool { return len(w.Crons)+len(w.Consumers) > 0 }) {
		delete(p.deployed, pr) // only triggers are looked up here
	}
	p.mu.Unlock()
	for _, w := range d.Workers {
		for _, c := range w.Consumers {
			p.deliver(Namespace{pr, "queue", c.Queue})
		}
	}
	p.resumeAlarms(pr, true)
}

// Forget ends what the platform does by itself for a project: nothing is
// deployed there any more. What is stored stays.
func (p *Platform) Forget(pr Project) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.deployed, pr)
	p.stopAlarms(pr)
}

// stopAlarms stops a project's timers. p.mu is held.
func (p *Platform) stopAlarms(pr Project) {
	for k, a := range p.alarms {
		if k.project == pr {
			a.timer.Stop()
			delete(p.alarms, k)
		}
	}
}

// workers are what is deployed for a project; a space shares its project's.
func (p *Platform) workers(pr Project) []trace.Worker {
	pr.Space = ""
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := p.deployed[pr]; d != nil {
		return d.Workers
	}
	return nil
}

// Drop deletes all data of a project's space.
func (p *Platform) Drop(pr Project) {
	p.mu.Lock()
	p.stopAlarms(pr)
	if n := p.paces[pr]; n != nil { // who waits finds nothing to do
		close(n.woken)
		delete(p.paces, pr)
	}
	p.mu.Unlock()
	p.sql.drop(pr)
	if err := p.cfg.Store.Drop(p.ctx, pr); err != nil {
		p.cfg.Log.Error("data not dropped", "project", pr.Project, "error", err)
	}
}

// args are a call's arguments: input from a stranger. A value of another type
// reads as the zero value.
type args []any

func (a args) any(i int) any {
	if i < len(a) {
		return a[i]
	}
	return nil
}

// answerMax bounds the values that one answer carries, in bytes: a question may
// name a key as often as it likes.
const answerMax = 16 << 20

func (a args) str(i int) string   { s, _ := a.any(i).(string); return s }
func (a args) bytes(i int) []byte { b, _ := a.any(i).([]byte); return b }
func (a args) list(i int) args    { l, _ := a.any(i).([]any); return l }
func (a args) flag(i int) bool    { b, _ := a.any(i).(bool); return b }

// data is text or bytes as bytes.
func (a args) data(i int) []byte {
	if s, ok := a.any(i).(string); ok {
		return []byte(s)
	}
	return a.bytes(i)
}

func (a args) num(i int) float64 {
	switch n := a.any(i).(type) {
	case float64:
		return n
	case int64:
		return float64(n)
	case int:
		return float64(n)
	}
	return 0
}

// integer is a number within ±2^53, cut towards zero.
func (a args) integer(i int) int64 {
	f := a.num(i)
	if !(f > -1<<53 && f < 1<<53) {
		return 0
	}
	return int64(f)
}

func typeError(format string, v ...any) error {
	return &isolate.Throw{Name: "TypeError", Message: fmt.Sprintf(format, v...)}
}

func plainError(format string, v ...any) error {
	return &isolate.Throw{Name: "Error", Message: fmt.Sprintf(format, v...)}
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}
