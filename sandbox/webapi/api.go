package webapi

import (
	"io"
	"time"

	"coldstart/sandbox/trace"
)

// Request is an HTTP request as a Worker receives or makes it. Headers keep
// order and repeats. Body is nil when there is none; its reader owns closing it.
type Request struct {
	Method  string
	URL     string
	Headers [][2]string
	Body    io.ReadCloser
	Length  int64  // of Body when known, else -1
	CF      string // JSON of request.cf, "" for none
}

// Response is the answer to a Request. Socket is set for status 101.
type Response struct {
	Head   trace.ResponseHead
	Body   io.ReadCloser // nil when there is none
	Socket Socket
}

// Socket is one end of a WebSocket whose other end is outside the isolate.
type Socket interface {
	// Send queues a message; it never blocks and returns an error once the socket is closed.
	Send(data []byte, binary bool) error
	// Close starts the closing handshake.
	Close(code int, reason string)
	// Receive registers what gets the other side's messages, in order, and
	// last its close. It is called once, before the first message is lost.
	Receive(message func(data []byte, binary bool), closed func(code int, reason string, clean bool))
}

// Paced is a Socket that counts what the other side has not taken yet: whoever
// sends can wait for it, and whoever receives can be slower than its callback.
type Paced interface {
	// Room waits until the other side took most of what was sent, or a side closed.
	Room()
	// Pace, called before Receive, has what comes count until taken is called with
	// its size, once for each message. taken may be called from anywhere.
	Pace() (taken func(size int))
}

// Invocation is one event for a Worker.
type Invocation struct {
	Run        string   // id, unique in the process
	Type       string   // fetch scheduled queue alarm rpc socket
	Request    *Request // fetch
	Payload    []byte   // JSON for scheduled, queue and alarm; encoded arguments for rpc
	Entrypoint string   // named export, "" for default
	Object     string   // Durable Object id, "" for a stateless Worker
	Props      string   // JSON for ctx.props
	Socket     Socket   // fetch with an upgrade: the client's end
	Depth      int      // Worker-to-Worker calls above this one
	Root       string   // the run at the top of the chain; limits on calls count over it
	// Wall is what is left of the run's wall time, 0 for the Worker's whole
	// limit. It counts from Invoke, also while the run waits for its turn.
	Wall time.Duration
	// Weigh measures the isolate's memory at the end of this very run; else the
	// summary's figure may be up to 10 ms old.
	Weigh bool
}

// Target says where a subrequest goes.
type Target struct {
	Type       string // "" for global fetch, service, durable, assets, stub
	Binding    string // env name, for the trace
	Worker     string // service: Worker name; durable: the script that owns the class
	Entrypoint string
	Class      string // durable
	Object     string // durable: id; stub: see rpc.call
	Props      string
}

// Sink receives what one invocation produces, in order, from the isolate's
// goroutine. Head and Write may return an error when the visitor has gone. Methods
// may wait until others have sent what they have; the isolate lends its thread meanwhile.
type Sink interface {
	// Head gives the response head. When end is true, body is the whole body.
	Head(head trace.ResponseHead, body []byte, end bool) error
	// Write gives a piece of a streamed body and calls ready once more may
	// be written: at once, or later from any goroutine when the reader is slow.
	Write(piece []byte, ready func(error)) error
	// End ends a streamed body; err is the reason when it broke off.
	End(err error)
	// Result gives the outcome of an event without a response: JSON, or
	// encoded values for rpc.
	Result(payload []byte)
	// Event gives a log line, fault, call or phase as it happens.
	Event(e trace.Event)
	// Flush says that the next call may take a while: what was given so far
	// shall not wait for it.
	Flush()
	// Done closes the run, after waitUntil; nothing follows.
	Done(s trace.Summary)
	// Refused closes a run of which nothing has begun, because the isolate was
	// spent by another; nothing follows. It may be started elsewhere.
	Refused()
}

// Handed is a result of Backend.Call of which the isolate says when it has
// taken it: until then its bytes wait outside. Taken is called at most once, and
// not when the run is over before.
type Handed struct {
	Value any
	Taken func()
}

// Backend is what the outside does for a Worker. Methods are called on the
// isolate's goroutine and wait at most until others have sent what they have; done
// is called exactly once, from any goroutine.
type Backend interface {
	// Call performs a binding operation such as "kv.get". args are plain values (see isolate.Value).
	Call(run, op string, args []any, done func(result any, err error))
	// Fetch performs a subrequest.
	Fetch(run string, to Target, r *Request, done func(*Response, error))
}
