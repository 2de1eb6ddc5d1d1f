package trace

// FaultKind classifies what stopped a run. It is also a Summary's Outcome.
type FaultKind string

// The kinds of fault. Each has its own sentence for the learner: their own
// error, a limit, and a fault of the platform are never confused.
const (
	FaultBuild     FaultKind = "build"     // syntax, resolution or type of module: nothing ran
	FaultConfig    FaultKind = "config"    // wrangler configuration
	FaultException FaultKind = "exception" // thrown or rejected, nobody caught it
	FaultStartup   FaultKind = "startup"   // the module's top level failed
	FaultHandler   FaultKind = "handler"   // no default export, no fetch, not a Response
	FaultCPU       FaultKind = "cpu"       // CPU time limit
	FaultWall      FaultKind = "wall"      // no answer in time
	FaultMemory    FaultKind = "memory"    // the isolate's ceiling
	FaultHung      FaultKind = "hung"      // a promise that nothing can settle any more
	FaultLimit     FaultKind = "limit"     // source, body, subrequest, depth or log limit
	FaultBusy      FaultKind = "busy"      // the queue is full
	FaultRunner    FaultKind = "runner"    // the runner had to be killed because this code did not yield
	FaultPlatform  FaultKind = "platform"  // ours: a runner died, not the learner's code
	FaultCanceled  FaultKind = "canceled"  // the visitor went away
)

// Fault tells a learner what stopped their code: what, where, what to do. It
// is a result, not a Go error, because a crashing lesson program is normal use.
type Fault struct {
	Kind    FaultKind `json:"kind" cbor:"1,keyasint"`
	Name    string    `json:"name,omitempty" cbor:"2,keyasint,omitempty"` // the error's class: TypeError …
	Message string    `json:"message" cbor:"3,keyasint"`                  // one sentence
	Hint    string    `json:"hint,omitempty" cbor:"4,keyasint,omitempty"` // what to do, one sentence
	Frames  []Frame   `json:"frames,omitempty" cbor:"5,keyasint,omitempty"`
	Code    string    `json:"code,omitempty" cbor:"6,keyasint,omitempty"` // the source around Frames[0], with a marker
}

// Frame is a place in the learner's own files. Line and Column count from 1;
// Column counts UTF-16 code units, as editors do; 0 means unknown.
type Frame struct {
	Func   string `json:"func,omitempty" cbor:"1,keyasint,omitempty"`
	File   string `json:"file" cbor:"2,keyasint"`
	Line   int    `json:"line" cbor:"3,keyasint"`
	Column int    `json:"column,omitempty" cbor:"4,keyasint,omitempty"`
}
