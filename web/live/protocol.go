package live

import (
	"encoding/json"

	"coldstart/sandbox/trace"
)

// A page opens one WebSocket at /api/live, says hello with its project, and
// both sides then exchange text frames. A frame from the page holds one
// ClientMessage; a frame from the server holds one or more ServerMessages, one
// a line ("\n" between them), because lines that queued up while a frame was
// on its way travel together.
//
// Numbered messages (event, check, lab) belong to the stream of one project of one
// workspace: Seq grows by one per message, every page of that project gets all
// of them, and a page that reconnects with the stream's id and its last Seq
// gets exactly the ones after it; only a lab's drawing that a newer one has
// replaced comes without its HTML. Runs belong to the server: they go on while
// no page is connected, and a page never repeats a run by itself.

// Subprotocol is the WebSocket subprotocol that both sides name.
const Subprotocol = "coldstart.live.1"

// Close codes the server uses beside the standard ones (1000 closed by the
// page, 1001 page gone, 1009 frame too big, 1012 the server restarts: connect again).
const (
	CloseSlow   = 4008 // the page read too slowly and lost its place: connect again
	CloseDenied = 4003 // the workspace is no longer this page's
	CloseFlood  = 4029 // too many messages: wait before connecting again
	CloseUnsaid = 4001 // no hello within ten seconds, or a frame that is no message
)

// ClientMessage is what a page sends, as one JSON text message. Type says
// which fields count.
//
//	hello   Project; After (last Seq seen) and Stream when resuming: always the first message
//	run     ID (chosen by the page, [A-Za-z0-9_-]{1,32}, new each time), Request, Revision, Cold, Times
//	check   ID, Revision: run the lesson's checks
//	lab     ID, Lab (its name), Revision, Values (what its form holds): measure; it ends when no page of the project is left
//	act     ID of a running lab, Lab, Action, Values: something to do in it. With a new ID: a
//	        short answer of a lab that needs no run, "work it out with these figures"
//	cancel  ID of a run, check or lab
//	evict, keep (On): the project's isolates
//	pages   Isolate: ask for a page map
//	ping    answered with pong: how a page notices a network that fell silent
//
// Revision names a saved revision, 0 the newest one. Times above 1 makes one
// run after the other, whose ids are ID.1, ID.2 …; Cold evicts before each.
type ClientMessage struct {
	Type     string   `json:"type"`
	ID       string   `json:"id,omitempty"`
	Project  string   `json:"project,omitempty"`
	Stream   string   `json:"stream,omitempty"` // from welcome; another value means the server lost it: start afresh
	After    uint64   `json:"after,omitempty"`
	Revision int64    `json:"revision,omitempty"`
	Request  *Request `json:"request,omitempty"`
	Cold     bool     `json:"cold,omitempty"`
	Times    int      `json:"times,omitempty"` // 1 to 20; 0 means 1
	Lab      string   `json:"lab,omitempty"`
	On       bool     `json:"on,omitempty"`
	Isolate  string   `json:"isolate,omitempty"`

	Action string            `json:"action,omitempty"`
	Values map[string]string `json:"values,omitempty"`
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
//	welcome   Stream, Seq (newest), Revision (newest saved, 0 for none), Isolates, Running;
//	          Missed: true when messages after After are gone, so the page clears its panels
//	event     Seq, Event (its Run is the page's ID, its Seq the message's): numbered, resumable
//	check     Seq, ID, Check: numbered, resumable
//	lab       Seq, ID, Lab: numbered, resumable
//	isolates  Isolates: the project's live ones now, after evict and keep and when one changes outside a run
//	pages     Isolate, Pages (base64)
//	saved     Revision: another tab or device saved
//	class     Class: what a learner's class says to them now, at times also when nothing is new
//	error     Message, ID of the message it answers, "" for none; Retry in milliseconds when waiting helps
//	pong      answers ping
//
// A run ends with an event of kind done, also when nothing ran: a build error
// is a fault and then a done with that outcome.
type ServerMessage struct {
	Type     string               `json:"type"`
	ID       string               `json:"id,omitempty"`
	Seq      uint64               `json:"seq,omitempty"`
	Stream   string               `json:"stream,omitempty"`
	Missed   bool                 `json:"missed,omitempty"`
	Revision int64                `json:"revision,omitempty"`
	Event    *trace.Event         `json:"event,omitempty"`
	Check    *CheckEvent          `json:"check,omitempty"`
	Lab      *LabEvent            `json:"lab,omitempty"`
	Class    *ClassNews           `json:"class,omitempty"`
	Isolates []trace.IsolateState `json:"isolates,omitempty"`
	Running  []string             `json:"running,omitempty"` // ids of runs and checks that have not ended
	Isolate  string               `json:"isolate,omitempty"`
	Pages    []byte               `json:"pages,omitempty"`
	Message  string               `json:"message,omitempty"`
	Retry    int64                `json:"retry_ms,omitempty"`
}

// ClassNews is what a learner's class says to them, whole each time.
type ClassNews struct {
	Note string `json:"note,omitempty"` // their instructor's newest note that they have not read; "" for none
	Hand bool   `json:"hand"`           // theirs is up
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

// LabEvent tells how far a lab is.
type LabEvent struct {
	Run     string            `json:"run"`
	Lab     string            `json:"lab"`
	Say     string            `json:"say,omitempty"`     // where it stands, or why it ended early
	HTML    string            `json:"html,omitempty"`    // everything measured so far, drawn
	Figures map[string]string `json:"figures,omitempty"` // for the text's placeholders, by name, ready to be shown
	Action  string            `json:"action,omitempty"`  // of an act beside any run, which this answers; or what the lab's script is to do
	Data    json.RawMessage   `json:"data,omitempty"`    // for the lab's script
	Done    bool              `json:"done,omitempty"`
}
