package live

import "coldstart/sandbox/trace"

// ClientMessage is what a page sends, as one JSON text message. Type says
// which fields count.
//
//	hello   Project, After (last Seq seen, 0 for a fresh page), Stream: begins or resumes
//	run     ID (chosen by the page), Request, Cold, Times: run the saved revision Revision
//	check   ID: run the lesson's checks
//	cancel  ID
//	evict, keep (On): the project's isolates
//	pages   Isolate: ask for a page map
type ClientMessage struct {
	Type     string   `json:"type"`
	ID       string   `json:"id,omitempty"`
	Project  string   `json:"project,omitempty"`
	Stream   string   `json:"stream,omitempty"` // from welcome; another value means the server lost it: start afresh
	After    uint64   `json:"after,omitempty"`
	Revision int64    `json:"revision,omitempty"`
	Request  *Request `json:"request,omitempty"`
	Cold     bool     `json:"cold,omitempty"`
	Times    int      `json:"times,omitempty"` // 1 to 20
	On       bool     `json:"on,omitempty"`
	Isolate  string   `json:"isolate,omitempty"`
}

// Request is what the request builder holds.
type Request struct {
	Method  string      `json:"method"`
	Path    string      `json:"path"` // or an absolute URL, for projects with routes
	Headers [][2]string `json:"headers,omitempty"`
	Body    string      `json:"body,omitempty"`
}

// ServerMessage is what a page receives.
//
//	welcome   Stream, Seq (newest), Missed (true: older events are gone, reload the panels), Isolates
//	event     Event: numbered, resumable
//	check     Check: numbered by Seq, resumable
//	pages     Pages (base64), Isolate
//	saved     Project, Revision: another tab or device saved
//	error     Message, ID of the message it answers, "" for none
type ServerMessage struct {
	Type     string               `json:"type"`
	ID       string               `json:"id,omitempty"`
	Seq      uint64               `json:"seq,omitempty"`
	Stream   string               `json:"stream,omitempty"`
	Missed   bool                 `json:"missed,omitempty"`
	Project  string               `json:"project,omitempty"`
	Revision int64                `json:"revision,omitempty"`
	Event    *trace.Event         `json:"event,omitempty"`
	Check    *CheckEvent          `json:"check,omitempty"`
	Isolates []trace.IsolateState `json:"isolates,omitempty"`
	Isolate  string               `json:"isolate,omitempty"`
	Pages    []byte               `json:"pages,omitempty"`
	Message  string               `json:"message,omitempty"`
}

// CheckEvent tells of one check, or with Done of the whole set.
type CheckEvent struct {
	Run      string       `json:"run"`
	Task     int          `json:"task,omitempty"` // 0: a guard that belongs to no task
	Name     string       `json:"name,omitempty"`
	State    string       `json:"state,omitempty"`   // running passed failed
	Message  string       `json:"message,omitempty"` // the author's sentence
	Expected string       `json:"expected,omitempty"`
	Got      string       `json:"got,omitempty"`
	Request  string       `json:"request,omitempty"` // "POST /hello" with its body, as sent last
	Frame    *trace.Frame `json:"frame,omitempty"`
	Logs     []trace.Log  `json:"logs,omitempty"`
	Fault    *trace.Fault `json:"fault,omitempty"` // why the learner's code stopped, if it did
	Done     bool         `json:"done,omitempty"`
	Passed   int          `json:"passed,omitempty"`
	Total    int          `json:"total,omitempty"`
}
