package sandbox

import (
	"context"
	"io"

	"coldstart/sandbox/trace"
)

// Key names whose code it is: isolates, queues, storage and CPU are accounted
// to a learner; versions and stored data belong to a project.
type Key struct {
	Learner string // workspace id
	Project string // unique within the learner
}

// Run is one event for a deployed project.
type Run struct {
	ID      string // unique; made by NewRunID when empty
	Key     Key
	Worker  string // empty: the route table decides by URL, else the first Worker
	Isolate string // this isolate of that Worker answers while it lives; "": any
	Type    string // fetch (default), scheduled, queue
	// Documented makes the route table follow the surprises that Cloudflare
	// lists as known issues; see platform.RouteTable.
	Documented bool
	Method     string
	URL        string // as the Worker sees it, byte for byte
	Headers    [][2]string
	Body       io.Reader // nil for none
	Length     int64     // of Body when known, else -1
	Payload    []byte    // scheduled: {"cron","scheduledTime"}; queue: {"queue","messages"}
	Upgrade    bool      // the client asks for a WebSocket
	Cold       bool      // evict this Worker's isolates first, so that the run starts cold
	Fresh      string    // not empty: isolates and storage of this run's own namespace (checks, conformance)
	// Trigger lets a request for TriggerPath start the scheduled handler, as
	// wrangler dev does; its query may hold cron, and time in Unix milliseconds.
	Trigger bool
	Built   int64 // microseconds that building took just before, for the trace; 0 when it was cached
	// Weigh measures the isolate's memory at the end of this very run. Else the
	// summary may tell what it was up to 10 ms before.
	Weigh bool
	// Watch gets the run's events in order, from one goroutine, the last
	// being KindDone. It must not block for long. Nil for none.
	Watch func(trace.Event)
}

// Response is the answer to a fetch event. The caller closes Body. For other
// events only Summary matters.
type Response struct {
	Run    string
	Head   trace.ResponseHead
	Body   io.ReadCloser
	Socket Socket // status 101 only
	// Fault is set when the platform answers in the Worker's place: the head
	// is then a status of 500 or 503, and there is no body.
	Fault *trace.Fault
	// Result is the JSON outcome of a scheduled or queue event.
	Result []byte
	// Summary waits for the run's end, waitUntil included.
	Summary func(context.Context) (*trace.Summary, error)
}

// Socket is the platform's end of a Worker's WebSocket.
type Socket interface {
	Send(data []byte, binary bool) error
	Close(code int, reason string)
	Receive(message func(data []byte, binary bool), closed func(code int, reason string, clean bool))
}

// Door is what the site, the checks, the labs and the commands see of the
// sandbox. A fault of the learner's code is never an error: Invoke answers
// with status 500 (or 503 when busy) and the summary's Fault. An error means
// that the caller gave nonsense or the sandbox is closing.
type Door interface {
	// Build turns a project into Workers, in a build child. The same content
	// gives the same result from a cache.
	Build(ctx context.Context, key Key, p trace.Project) (*trace.Deployment, error)
	// Deploy makes d what Invoke of key answers with from now on. Isolates of
	// other versions finish their requests and go.
	Deploy(ctx context.Context, key Key, d *trace.Deployment) error
	// Invoke runs one event and returns once the response head is there.
	Invoke(ctx context.Context, r Run) (*Response, error)
	// Evict closes the isolates of a project. fresh as in Run.Fresh, "" for the ordinary ones.
	Evict(ctx context.Context, key Key, fresh string) error
	// KeepWarm lets a project's isolates stay for an hour without a request; while
	// memory is needed elsewhere they go after all others. A project that was not
	// deployed, or was forgotten since, has none.
	KeepWarm(key Key, on bool)
	// Isolates lists the live isolates of a project.
	Isolates(key Key) []trace.IsolateState
	// Pages is the page map of one live isolate: a byte a 4 KiB page, 0
	// untouched, 1 shared with the snapshot, 2 private.
	Pages(ctx context.Context, key Key, isolate string) ([]byte, error)
	// Script runs an instructor's script on goja in a run child. call answers what the
	// script asks of the host; it may block, and host.call gives a promise. The script is an ES module; its default
	// export, awaited, comes back as JSON.
	Script(ctx context.Context, s Script) (result []byte, fault *trace.Fault, err error)
	// Stats is a snapshot of the whole sandbox, for health, metrics and doctor.
	Stats() Stats
	Close() error
}

// Script is an instructor's script: checks.js, lint.
type Script struct {
	Learner string // charged for it
	Name    string // file name in messages
	Source  string // ES module syntax is lowered by the build child
	Limits  trace.Limits
	// Call answers host.call(op, …args) of the script with plain values.
	Call func(ctx context.Context, op string, args []any) (any, error)
}

// Stats is a snapshot of the sandbox.
type Stats struct {
	Runners  []RunnerStats `json:"runners"`
	Projects int           `json:"projects"`   // that are deployed
	Code     int64         `json:"code_bytes"` // of them, that are held in memory
	Isolates int           `json:"isolates"`
	Running  int           `json:"running"`
	Queued   int           `json:"queued"`
	Restarts int           `json:"restarts"`
	Walls    []string      `json:"walls"` // seccomp, landlock, rlimits … that children really have
	// Reached is how often each limit was reached since the start: cpu wall memory request body log
	// calls depth isolates queue build storage. All are there, also at 0.
	Reached map[string]int64 `json:"reached"`
}

// RunnerStats is one child process.
type RunnerStats struct {
	PID      int    `json:"pid"`
	Role     string `json:"role"`
	Isolates int    `json:"isolates"`
	RSS      int64  `json:"rss_bytes"`
	Spare    bool   `json:"spare,omitempty"`
	Alone    bool   `json:"alone,omitempty"` // for runs that are tried apart from all others
}
