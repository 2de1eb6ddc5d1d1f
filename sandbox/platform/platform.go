package platform

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
)

// Event is what the platform itself sends to a Worker.
type Event struct {
	Project Project
	Worker  string
	Type    string // queue scheduled alarm
	Class   string // alarm: of the Durable Object
	Object  string
	Payload []byte // JSON
}

// Config is what a Platform is made from. Store is required.
type Config struct {
	Store Store
	// Invoke runs an event. An error means that the Worker could not be asked.
	Invoke func(ctx context.Context, e Event) (sum *trace.Summary, result []byte, err error)
	Log    *slog.Logger
	Now    func() time.Time
}

// Platform answers binding operations.
type Platform struct {
	cfg  Config
	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// New makes a Platform. The caller closes it.
func New(cfg Config) *Platform {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	p := &Platform{cfg: cfg}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

// Close stops what the platform does by itself and waits for it.
func (p *Platform) Close() error {
	p.stop()
	p.wg.Wait()
	return nil
}

// Caller is the Worker that performs an operation.
type Caller struct {
	Project Project
	Worker  *trace.Worker
	Class   string // of the Durable Object that runs, "" outside one
	Object  string
}

// operation performs one kind of call; args are what a child sent.
type operation func(ctx context.Context, p *Platform, c Caller, args args) (any, error)

// operations are all calls by name. The names and shapes are listed in
// sandbox/webapi/ops.go.
var operations = map[string]struct {
	f     operation
	reads bool // it changes nothing, so a run that did only such can be done again
}{
	"kv.get":    {kvGet, true},
	"kv.put":    {kvPut, false},
	"kv.delete": {kvDelete, false},
	"kv.list":   {kvList, true},
}

// ReadOnly reports whether an operation changes nothing.
func ReadOnly(op string) bool { return operations[op].reads }

// Call performs an operation for a Worker. Errors are what its code catches.
func (p *Platform) Call(ctx context.Context, c Caller, op string, list []any) (any, error) {
	o, ok := operations[op]
	if !ok {
		return nil, fmt.Errorf("%s is not available here.", clip(op, 64)) //nolint:staticcheck // learners read it as it is
	}
	return o.f(ctx, p, c, args(list))
}

// Deploy tells of a project's new Workers.
func (p *Platform) Deploy(Project, *trace.Deployment) {}

// Drop deletes all data of a project's space.
func (p *Platform) Drop(pr Project) {
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

func (a args) str(i int) string   { s, _ := a.any(i).(string); return s }
func (a args) bytes(i int) []byte { b, _ := a.any(i).([]byte); return b }
func (a args) list(i int) args    { l, _ := a.any(i).([]any); return l }
func (a args) flag(i int) bool    { b, _ := a.any(i).(bool); return b }
func (a args) has(i int) bool     { return a.any(i) != nil }

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
