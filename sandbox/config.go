package sandbox

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"time"

	"coldstart/sandbox/box"
	"coldstart/sandbox/platform"
	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// Config is what a Sandbox is made from. Every field has a default.
type Config struct {
	Runners    int            // run children, default the number of CPUs, at least 2
	Builders   int            // build children, default 1
	Executable string         // what children execute, default this program
	Args       []string       // before --role=…, default "child"
	Image      *os.File       // the engine's snapshot for run children, nil: each makes its own
	Cache      string         // folder for compiled code
	Engine     string         // "" for the one of learners' Workers, "goja" for the second contender of labs
	Nice       int            // of the children: how much they give way to others, 0 to 19
	Ceiling    trace.Limits   // the most that a project may ask for, default trace.Ceiling
	Memory     int64          // bytes of private memory of one child, default 1 GiB
	MemoryAll  int64          // bytes of private memory of all children, default 3 GiB
	QueueWait  time.Duration  // a run that waits longer is told that all is busy, default 10 s
	Store      platform.Store // where bindings keep data, default memory
	// Code is how many bytes of deployed Workers are held in memory, default 256
	// MiB. Beyond it the code of projects that nobody asked for a minute is
	// dropped, longest unused first, where Restore can bring it back.
	Code int64
	// Restore gives what is deployed under a key as the host keeps it, nil when
	// nothing is. Nil: what is deployed stays in memory until Forget.
	Restore func(ctx context.Context, key Key) (*trace.Deployment, error)
	// FetchAllow are hosts that Workers may reach beside their own Workers and
	// stubs, each with the only address it is dialled at: "api.test" to "192.0.2.1:80".
	FetchAllow map[string]string
	DNS        string // resolver address for hosts allowed without an address
	// Upstream answers subrequests to a lesson's stubs; nil, nil is no stub there.
	Upstream func(ctx context.Context, key Key, r *webapi.Request) (*webapi.Response, error)
	// Isolate is told of every state change of an isolate, also outside runs.
	// It must not block or call the Sandbox.
	Isolate func(Key, trace.IsolateState)
	// Own gives what watches an event that the platform itself is about to give
	// to a project, of type queue, scheduled or alarm: as Run.Watch, nil for
	// nobody. It must not block or call the Sandbox.
	Own func(key Key, typ string) func(trace.Event)
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Ceiling == (trace.Limits{}) {
		c.Ceiling = trace.Ceiling()
	}
	if c.QueueWait == 0 {
		c.QueueWait = 10 * time.Second
	}
	if c.Code == 0 {
		c.Code = 256 << 20
	}
	if c.Store == nil {
		c.Store = platform.NewMemory()
	}
	if c.Isolate == nil {
		c.Isolate = func(Key, trace.IsolateState) {}
	}
	if c.Own == nil {
		c.Own = func(Key, string) func(trace.Event) { return nil }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Main is the whole life of a child process of role "build", "sql" or "run", with
// "-goja" behind it for that engine, or of role "box"; it returns the exit code.
func Main(role string) int {
	if role == box.Role {
		return box.Main()
	}
	if role, ok := strings.CutSuffix(role, gojaSuffix); ok {
		return runner.ChildMain(role, runner.Goja())
	}
	return runner.ChildMain(role, runner.Default())
}

const gojaSuffix = "-goja"
