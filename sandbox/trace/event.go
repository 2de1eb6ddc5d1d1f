package trace

// Phase names one stage in the life of a run. The same words appear in code,
// protocol, interface and lessons.
type Phase string

// The phases, in the order in which a run passes through them. A warm run
// skips PhaseStart and PhaseLoad.
const (
	PhaseBuild  Phase = "build"  // learner modules to one module, in a build child
	PhaseRoute  Phase = "route"  // which Worker owns the address
	PhaseQueue  Phase = "queue"  // wait for a free place, by learner
	PhaseStart  Phase = "start"  // isolate made from the snapshot
	PhaseLoad   Phase = "load"   // the module's top level
	PhaseHandle Phase = "handle" // the handler, until the response head
	PhaseStream Phase = "stream" // until the last byte, then waitUntil
)

// Phases lists every phase in order. Callers must not change it.
var Phases = [...]Phase{PhaseBuild, PhaseRoute, PhaseQueue, PhaseStart, PhaseLoad, PhaseHandle, PhaseStream}

// Temperature says whether a run met an isolate that was already running.
type Temperature string

// The two temperatures.
const (
	Cold Temperature = "cold"
	Warm Temperature = "warm"
)

// Span is one phase, in microseconds since the run began.
type Span struct {
	Phase Phase `json:"phase" cbor:"1,keyasint"`
	Start int64 `json:"start_us" cbor:"2,keyasint"`
	End   int64 `json:"end_us" cbor:"3,keyasint"`
}

// Kind says which field of an Event is set.
type Kind string

// The kinds of event. Each names the field that carries its data.
const (
	KindQueued   Kind = "queued"   // Queued: the place in line, sent when the wait is long
	KindPhase    Kind = "phase"    // Span: a phase ended
	KindLog      Kind = "log"      // Log
	KindFault    Kind = "fault"    // Fault: what stopped the run, or an exception nobody caught
	KindCall     Kind = "call"     // Call: a subrequest or binding call ended
	KindIsolate  Kind = "isolate"  // Isolate: a state change
	KindResponse Kind = "response" // Response: the response head
	KindBody     Kind = "body"     // Body: a piece of the response body (live view only)
	KindDone     Kind = "done"     // Summary: the run is over; always last
)

// Event is one thing that happened during a run. Seq grows by one per event
// within its stream (a workspace's stream for the live view), so a page that
// reconnects can ask for what it missed.
type Event struct {
	Seq      uint64        `json:"seq" cbor:"1,keyasint,omitempty"`
	Run      string        `json:"run" cbor:"2,keyasint,omitempty"`
	At       int64         `json:"at_us" cbor:"3,keyasint"` // microseconds since the run began, monotonic
	Kind     Kind          `json:"kind" cbor:"4,keyasint"`
	Worker   string        `json:"worker,omitempty" cbor:"5,keyasint,omitempty"` // name of the Worker it happened in
	Queued   *Queued       `json:"queued,omitempty" cbor:"6,keyasint,omitempty"`
	Span     *Span         `json:"span,omitempty" cbor:"7,keyasint,omitempty"`
	Log      *Log          `json:"log,omitempty" cbor:"8,keyasint,omitempty"`
	Fault    *Fault        `json:"fault,omitempty" cbor:"9,keyasint,omitempty"`
	Call     *Call         `json:"call,omitempty" cbor:"10,keyasint,omitempty"`
	Isolate  *IsolateState `json:"isolate,omitempty" cbor:"11,keyasint,omitempty"`
	Response *ResponseHead `json:"response,omitempty" cbor:"12,keyasint,omitempty"`
	Body     *BodyChunk    `json:"body,omitempty" cbor:"13,keyasint,omitempty"`
	Summary  *Summary      `json:"summary,omitempty" cbor:"14,keyasint,omitempty"`
}

// Queued is a place in line: 1 means next. Wait is the estimate in
// microseconds, 0 when there is none.
type Queued struct {
	Place int   `json:"place" cbor:"1,keyasint"`
	Wait  int64 `json:"wait_us,omitempty" cbor:"2,keyasint,omitempty"`
}

// Log is one console call.
type Log struct {
	Level string  `json:"level" cbor:"1,keyasint"`                    // debug log info warn error; or the method: dir table group count time trace
	Text  string  `json:"text" cbor:"2,keyasint"`                     // the line as a terminal would show it
	Args  []Value `json:"args,omitempty" cbor:"3,keyasint,omitempty"` // the arguments as trees
	Frame *Frame  `json:"frame,omitempty" cbor:"4,keyasint,omitempty"`
}

// Value is a JavaScript value drawn as a tree for the log view. Depth and
// width are bounded where it is made; More counts what was left out.
type Value struct {
	Type    string  `json:"t" cbor:"1,keyasint"`                     // string number bigint boolean undefined null symbol function object array error date regexp map set promise …
	Text    string  `json:"s,omitempty" cbor:"2,keyasint,omitempty"` // the primitive's text, or the class name
	Entries []Entry `json:"e,omitempty" cbor:"3,keyasint,omitempty"`
	More    int     `json:"more,omitempty" cbor:"4,keyasint,omitempty"`
}

// Entry is one property, element or map entry of a Value.
type Entry struct {
	Key   string `json:"k" cbor:"1,keyasint"`
	Value Value  `json:"v" cbor:"2,keyasint"`
}

// Call is a subrequest or a binding call made by the learner's code.
type Call struct {
	Kind   string `json:"kind" cbor:"1,keyasint"` // fetch service kv cache queue durable d1 r2 …
	Name   string `json:"name" cbor:"2,keyasint"` // "GET https://…", "NOTES.put"
	Start  int64  `json:"start_us" cbor:"3,keyasint"`
	End    int64  `json:"end_us" cbor:"4,keyasint"`
	Status int    `json:"status,omitempty" cbor:"5,keyasint,omitempty"` // HTTP status of a subrequest
	Error  string `json:"error,omitempty" cbor:"6,keyasint,omitempty"`
	Worker string `json:"worker,omitempty" cbor:"7,keyasint,omitempty"` // the Worker that answered
}

// IsolateState is one point in the life of an isolate.
type IsolateState struct {
	ID       string `json:"id" cbor:"1,keyasint"`
	State    string `json:"state" cbor:"2,keyasint"`                        // cold warm idle evicted killed
	Why      string `json:"why,omitempty" cbor:"3,keyasint,omitempty"`      // for evicted and killed
	Engine   string `json:"engine,omitempty" cbor:"4,keyasint,omitempty"`   // quickjs goja
	Age      int64  `json:"age_us,omitempty" cbor:"5,keyasint,omitempty"`   // since it was made
	Requests int    `json:"requests,omitempty" cbor:"6,keyasint,omitempty"` // served so far
	CPU      int64  `json:"cpu_us,omitempty" cbor:"7,keyasint,omitempty"`   // thread CPU time used so far
	Private  int64  `json:"private_bytes,omitempty" cbor:"8,keyasint,omitempty"`
	Limit    int64  `json:"limit_bytes,omitempty" cbor:"9,keyasint,omitempty"`
	Kept     bool   `json:"kept,omitempty" cbor:"10,keyasint,omitempty"` // keep-warm is on
	Runner   int    `json:"runner,omitempty" cbor:"11,keyasint,omitempty"`
}

// ResponseHead is the status line and headers of a response. Headers keep
// their order and repeats.
type ResponseHead struct {
	Status     int         `json:"status" cbor:"1,keyasint"`
	StatusText string      `json:"status_text,omitempty" cbor:"2,keyasint,omitempty"`
	Headers    [][2]string `json:"headers" cbor:"3,keyasint"`
	Length     int64       `json:"length,omitempty" cbor:"4,keyasint,omitempty"`  // of the body in bytes, when it is known before it is sent; of what GET would send for HEAD
	Encoded    bool        `json:"encoded,omitempty" cbor:"5,keyasint,omitempty"` // the body is already what its Content-Encoding says; else whoever sends it over a wire makes it so
}

// BodyChunk is a piece of a response body. Data is base64 in JSON.
type BodyChunk struct {
	Data      []byte `json:"data,omitempty" cbor:"1,keyasint,omitempty"`
	Truncated bool   `json:"truncated,omitempty" cbor:"2,keyasint,omitempty"` // the rest was cut at a limit
}

// Summary closes a run: what it cost and how it ended.
type Summary struct {
	Run         string      `json:"run" cbor:"1,keyasint"`
	Worker      string      `json:"worker,omitempty" cbor:"2,keyasint,omitempty"`
	Route       string      `json:"route,omitempty" cbor:"3,keyasint,omitempty"` // the pattern that matched
	Isolate     string      `json:"isolate,omitempty" cbor:"4,keyasint,omitempty"`
	Engine      string      `json:"engine,omitempty" cbor:"5,keyasint,omitempty"`
	Temperature Temperature `json:"temperature,omitempty" cbor:"6,keyasint,omitempty"`
	Outcome     string      `json:"outcome" cbor:"7,keyasint"` // ok, or the Fault's kind
	Status      int         `json:"status,omitempty" cbor:"8,keyasint,omitempty"`
	Spans       []Span      `json:"spans" cbor:"9,keyasint"`
	Calls       []Call      `json:"calls,omitempty" cbor:"10,keyasint,omitempty"`
	CPU         int64       `json:"cpu_us" cbor:"11,keyasint"`       // thread CPU time charged to this run
	Memory      int64       `json:"memory_bytes" cbor:"12,keyasint"` // private memory of its isolate afterwards
	Wall        int64       `json:"wall_us" cbor:"13,keyasint"`      // begin to last byte and waitUntil
	BodyBytes   int64       `json:"body_bytes" cbor:"14,keyasint"`
	Logs        int         `json:"logs" cbor:"15,keyasint"` // records kept
	LogsDropped int         `json:"logs_dropped,omitempty" cbor:"16,keyasint,omitempty"`
	Fault       *Fault      `json:"fault,omitempty" cbor:"17,keyasint,omitempty"`
	Isolates    int         `json:"isolates,omitempty" cbor:"18,keyasint,omitempty"` // live isolates of this Worker afterwards
	// CallsRefused is how many subrequests were beyond the limit; its code may have caught that.
	CallsRefused int `json:"calls_refused,omitempty" cbor:"19,keyasint,omitempty"`
	// Beside is work for the run, in microseconds, that its CPU limit leaves out
	// and its learner's share does not: making keys.
	Beside int64 `json:"beside_us,omitempty" cbor:"20,keyasint,omitempty"`
	// LoadCPU is the thread CPU time of the module's top level, in microseconds,
	// of the run that PhaseLoad was for; CPU leaves it out.
	LoadCPU int64 `json:"load_cpu_us,omitempty" cbor:"21,keyasint,omitempty"`
}

// Phase reports how long a phase took in microseconds, 0 if the run skipped it.
func (s *Summary) Phase(p Phase) int64 {
	for _, sp := range s.Spans {
		if sp.Phase == p {
			return sp.End - sp.Start
		}
	}
	return 0
}
