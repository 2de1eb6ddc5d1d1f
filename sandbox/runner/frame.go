package runner

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// A frame is: length of what follows (4 bytes, big endian), kind (1 byte), the
// number it is about (8 bytes; a run, an isolate or a Worker handle), payload.
// The payload is CBOR, except for pieces of streams, which are raw.
const (
	headerLen = 4 + 1 + 8
	smallMax  = 1 << 20  // bytes of a payload of most kinds
	callMax   = 24 << 20 // a call may carry a whole stored value (R2: 16 MiB)
	buildMax  = 96 << 20 // a deployment: code, map, sources, assets, wasm
	window    = 256 << 10
	pieceMax  = 64 << 10
	listMax   = 1 << 17 // entries of one list in a payload
)

type kind uint8

// Kinds of frame. Those up to kindToParent go from parent to child.
const (
	kindConfig   kind = 1 + iota // configMsg; the first frame
	kindWorker                   // trace.Worker under handle N
	kindForget                   // handle N
	kindStart                    // startMsg: run N
	kindBody                     // raw: a piece of a stream of run N (both ways)
	kindCredit                   // raw: more may be sent on a stream of run N (both ways)
	kindStop                     // raw: nobody reads a stream of run N any more (both ways)
	kindCancel                   // cancelMsg: run N
	kindReply                    // replyMsg: answer to a call of run N
	kindResponse                 // responseMsg: answer to a subrequest of run N
	kindMessage                  // raw: WebSocket message on a stream of run N (both ways)
	kindSockEnd                  // sockEndMsg (both ways)
	kindEvict                    // isolate N
	kindPages                    // isolate N: asks for, and carries, a page map
	kindBuild                    // trace.Project: run N
	kindLower                    // lowerMsg: run N
	kindScript                   // scriptMsg: run N
	kindState                    // stateMsg: question N
	kindQuery                    // query.Request: question N
	kindPing                     // N comes back as it is
	kindToParent
	kindReady   // readyMsg; the first frame
	kindHead    // headMsg: run N
	kindEvents  // []trace.Event: run N
	kindResult  // bytes: what the RPC call of run N gives back
	kindCall    // callMsg: run N
	kindFetch   // fetchMsg: run N
	kindDone    // doneMsg: run N
	kindRefused // run N: its isolate is gone, nothing ran
	kindPong
	kindBuilt   // builtMsg: run N
	kindLowered // loweredMsg: run N
	kindStated  // stateReply: question N
	kindQueried // query.Reply: question N
	kindIdle    // idleMsg: isolate N: what it holds after a run
	kindEnd
)

// both reports kinds that either side sends.
func (k kind) both() bool {
	switch k {
	case kindBody, kindCredit, kindStop, kindMessage, kindSockEnd, kindPages:
		return true
	}
	return false
}

// limit is the largest payload of a kind; child says that a child sent it.
func (k kind) limit(child bool) int {
	switch k {
	case kindCall, kindReply, kindHead, kindResult, kindScript, kindLower, kindLowered, kindStart, kindDone, kindQueried:
		return callMax
	case kindBody:
		return pieceMax + streamLen
	case kindMessage:
		return smallMax + streamLen
	case kindWorker, kindBuild, kindQuery:
		if !child {
			return buildMax
		}
		return 0
	case kindBuilt:
		return buildMax
	case kindCredit, kindStop:
		return streamLen + 4
	}
	return smallMax
}

type configMsg struct {
	Memory int64  `cbor:"1,keyasint"` // Go heap limit in bytes
	Board  bool   `cbor:"2,keyasint"` // a status board is inherited
	Image  bool   `cbor:"3,keyasint"`
	Cache  string `cbor:"4,keyasint"`
	Open   bool   `cbor:"5,keyasint"` // leave the walls out (tests of the protocol)
	Nice   int    `cbor:"6,keyasint"` // see nice(1)
}

type readyMsg struct {
	Walls []string `cbor:"1,keyasint"`
	Error string   `cbor:"2,keyasint"`
}

type startMsg struct {
	Isolate    uint64        `cbor:"1,keyasint,omitempty"`
	New        bool          `cbor:"2,keyasint,omitempty"` // make the isolate; otherwise it must exist
	Name       string        `cbor:"3,keyasint,omitempty"` // isolate id as learners see it
	Worker     uint64        `cbor:"4,keyasint,omitempty"` // handle
	Run        string        `cbor:"5,keyasint,omitempty"`
	Type       string        `cbor:"6,keyasint,omitempty"`
	Request    *requestMsg   `cbor:"7,keyasint,omitempty"`
	Payload    []byte        `cbor:"8,keyasint,omitempty"`
	Entrypoint string        `cbor:"9,keyasint,omitempty"`
	Object     string        `cbor:"10,keyasint,omitempty"`
	Props      string        `cbor:"11,keyasint,omitempty"`
	Upgrade    bool          `cbor:"12,keyasint,omitempty"`
	Depth      int           `cbor:"13,keyasint,omitempty"`
	Root       string        `cbor:"14,keyasint,omitempty"`
	Origin     int64         `cbor:"15,keyasint,omitempty"` // monotonic nanoseconds at which the run's clock is 0
	Limits     trace.Limits  `cbor:"16,keyasint,omitzero"`  // of the isolate, when it is new
	Slot       int           `cbor:"17,keyasint,omitempty"` // the isolate's place on the status board
	Wall       time.Duration `cbor:"18,keyasint,omitempty"` // left of the run's wall time, 0 for all of it
	Weigh      bool          `cbor:"19,keyasint,omitempty"` // measure the isolate's memory at the end of this very run
}

type requestMsg struct {
	Method  string      `cbor:"1,keyasint,omitempty"`
	URL     string      `cbor:"2,keyasint,omitempty"`
	Headers [][2]string `cbor:"3,keyasint,omitempty"`
	Length  int64       `cbor:"4,keyasint,omitempty"`
	CF      string      `cbor:"5,keyasint,omitempty"`
	Body    []byte      `cbor:"6,keyasint,omitempty"` // the first bytes
	More    bool        `cbor:"7,keyasint,omitempty"` // the rest follows on the stream
	Has     bool        `cbor:"8,keyasint,omitempty"` // there is a body
}

type cancelMsg struct {
	Why string `cbor:"1,keyasint,omitempty"`
}

type throwMsg struct {
	Name    string       `cbor:"1,keyasint,omitempty"`
	Message string       `cbor:"2,keyasint,omitempty"`
	Code    string       `cbor:"3,keyasint,omitempty"`
	Fault   *trace.Fault `cbor:"4,keyasint,omitempty"` // of the Worker that was called
}

type callMsg struct {
	Call uint32 `cbor:"1,keyasint,omitempty"`
	Op   string `cbor:"2,keyasint,omitempty"`
	Args []any  `cbor:"3,keyasint,omitempty"`
}

type replyMsg struct {
	Call   uint32    `cbor:"1,keyasint,omitempty"`
	Result any       `cbor:"2,keyasint,omitempty"`
	Error  *throwMsg `cbor:"3,keyasint,omitempty"`
}

type fetchMsg struct {
	Call       uint32     `cbor:"1,keyasint,omitempty"`
	Type       string     `cbor:"2,keyasint,omitempty"`
	Binding    string     `cbor:"3,keyasint,omitempty"`
	Worker     string     `cbor:"4,keyasint,omitempty"`
	Entrypoint string     `cbor:"5,keyasint,omitempty"`
	Class      string     `cbor:"6,keyasint,omitempty"`
	Object     string     `cbor:"7,keyasint,omitempty"`
	Props      string     `cbor:"8,keyasint,omitempty"`
	Request    requestMsg `cbor:"9,keyasint"`
}

type responseMsg struct {
	Call   uint32             `cbor:"1,keyasint,omitempty"`
	Head   trace.ResponseHead `cbor:"2,keyasint"`
	Body   []byte             `cbor:"3,keyasint,omitempty"`
	More   bool               `cbor:"4,keyasint,omitempty"`
	Has    bool               `cbor:"5,keyasint,omitempty"`
	Socket bool               `cbor:"6,keyasint,omitempty"`
	Error  *throwMsg          `cbor:"7,keyasint,omitempty"`
}

type sockEndMsg struct {
	Stream uint32 `cbor:"1,keyasint,omitempty"`
	Code   int    `cbor:"2,keyasint,omitempty"`
	Reason string `cbor:"3,keyasint,omitempty"`
	Clean  bool   `cbor:"4,keyasint,omitempty"`
}

type headMsg struct {
	Events []trace.Event      `cbor:"1,keyasint,omitempty"`
	Head   trace.ResponseHead `cbor:"2,keyasint"`
	Body   []byte             `cbor:"3,keyasint,omitempty"`
	End    bool               `cbor:"4,keyasint,omitempty"` // Body is all of it
	At     int64              `cbor:"5,keyasint,omitempty"` // microseconds since the run's origin
}

type doneMsg struct {
	Events  []trace.Event `cbor:"1,keyasint,omitempty"`
	Summary trace.Summary `cbor:"2,keyasint"`
	Result  []byte        `cbor:"3,keyasint,omitempty"` // outcome of an event without a response
	Has     bool          `cbor:"4,keyasint,omitempty"` // there is a Result
	Spent   bool          `cbor:"5,keyasint,omitempty"` // the isolate is closed
	Private int64         `cbor:"6,keyasint,omitempty"` // bytes the isolate holds for itself
}

type builtMsg struct {
	Deployment trace.Deployment `cbor:"1,keyasint"`
	Error      string           `cbor:"2,keyasint,omitempty"`
}

type lowerMsg struct {
	Name   string `cbor:"1,keyasint,omitempty"`
	Source string `cbor:"2,keyasint,omitempty"`
}

type loweredMsg struct {
	Code  string       `cbor:"1,keyasint,omitempty"`
	Map   []byte       `cbor:"2,keyasint,omitempty"`
	Fault *trace.Fault `cbor:"3,keyasint,omitempty"`
}

type scriptMsg struct {
	Name   string       `cbor:"1,keyasint"`
	Code   string       `cbor:"2,keyasint"`
	Map    []byte       `cbor:"3,keyasint"`
	Limits trace.Limits `cbor:"4,keyasint"`
	Slot   int          `cbor:"5,keyasint"`
}

var (
	encMode = must(cbor.EncOptions{}.UserBufferEncMode())
	decMode = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		MaxNestedLevels:   48,
		MaxArrayElements:  listMax,
		MaxMapPairs:       1 << 13,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		IntDec:            cbor.IntDecConvertSignedOrFail,
		UTF8:              cbor.UTF8DecodeInvalid, // JavaScript strings may hold lone surrogates
		DefaultMapType:    reflect.TypeFor[map[string]any](),
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // constant options
	}
	return v
}

// errProtocol is what a side does wrong that speaks out of turn, too much or
// nonsense. A child that does it is killed.
var errProtocol = errors.New("broken protocol")

func violation(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errProtocol, fmt.Sprintf(format, args...))
}

// decode reads one CBOR payload whole.
func decode[T any](payload []byte) (T, error) {
	var v T
	if err := decMode.Unmarshal(payload, &v); err != nil {
		return v, violation("payload of %T: %v", v, err)
	}
	return v, nil
}

// errLongFrame says that a frame would be longer than its kind may be.
var errLongFrame = errors.New("too many")

// appendFrame appends a frame with a CBOR payload to b.
func appendFrame(b *bytes.Buffer, k kind, n uint64, v any) error {
	at := b.Len()
	var head [headerLen]byte
	head[4] = byte(k)
	binary.BigEndian.PutUint64(head[5:], n)
	b.Write(head[:])
	if v != nil {
		if err := encMode.MarshalToBuffer(v, b); err != nil {
			b.Truncate(at)
			return fmt.Errorf("encode %T: %w", v, err)
		}
	}
	size := b.Len() - at - 4
	if size-9 > max(k.limit(true), k.limit(false)) {
		b.Truncate(at)
		return fmt.Errorf("frame of kind %d: %d bytes are %w", k, size, errLongFrame)
	}
	binary.BigEndian.PutUint32(b.Bytes()[at:], uint32(size))
	return nil
}

// streamLen is the head of a raw payload: stream (4 bytes) and flags (1 byte).
const streamLen = 5

const (
	flagEnd    = 1 << iota // last piece
	flagBroken             // with flagEnd: the stream broke off, data is the reason
	flagBinary             // message: bytes, not text
	flagSocket             // credit: for messages, not for a stream
)

// appendRaw appends a frame about a stream.
func appendRaw(b *bytes.Buffer, k kind, n uint64, stream uint32, flags byte, data []byte) {
	var head [headerLen + streamLen]byte
	binary.BigEndian.PutUint32(head[:], uint32(9+streamLen+len(data)))
	head[4] = byte(k)
	binary.BigEndian.PutUint64(head[5:], n)
	binary.BigEndian.PutUint32(head[headerLen:], stream)
	head[headerLen+4] = flags
	b.Write(head[:])
	b.Write(data)
}

func parseRaw(payload []byte) (stream uint32, flags byte, data []byte, err error) {
	if len(payload) < streamLen {
		return 0, 0, nil, violation("stream frame of %d bytes", len(payload))
	}
	return binary.BigEndian.Uint32(payload), payload[4], payload[streamLen:], nil
}

// frame is one frame as read. Payload is only valid until the next read.
type frame struct {
	kind    kind
	n       uint64
	payload []byte
}

// frameReader reads frames. child says that a child wrote them.
type frameReader struct {
	r     io.Reader
	child bool
	buf   []byte
}

// next reads one frame. The length is checked against its kind before any
// memory is taken for it, and memory grows only with bytes that came.
func (f *frameReader) next() (frame, error) {
	var head [headerLen]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return frame{}, err
	}
	size := int64(binary.BigEndian.Uint32(head[:]))
	k := kind(head[4])
	if k == 0 || k >= kindEnd || k == kindToParent {
		return frame{}, violation("kind %d", k)
	}
	if size < 9 || size-9 > int64(k.limit(f.child)) {
		return frame{}, violation("kind %d with %d bytes", k, size)
	}
	n := int(size - 9)
	var p []byte
	if n <= smallMax {
		if cap(f.buf) < n {
			f.buf = make([]byte, n, max(n, 4096))
		}
		p = f.buf[:n]
		if _, err := io.ReadFull(f.r, p); err != nil {
			return frame{}, noEOF(err)
		}
	} else {
		var b bytes.Buffer
		if _, err := io.CopyN(&b, f.r, int64(n)); err != nil {
			return frame{}, noEOF(err)
		}
		p = b.Bytes()
	}
	return frame{kind: k, n: binary.BigEndian.Uint64(head[5:]), payload: p}, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// plain checks that v is what may cross an engine boundary: see isolate.Value.
// Maps and anything else that CBOR can spell are refused.
func plain(v any, depth int) error {
	if depth > 32 {
		return violation("value is nested too deeply")
	}
	switch v := v.(type) {
	case nil, bool, float64, int64, int, string, []byte:
	case []any:
		for _, e := range v {
			if err := plain(e, depth+1); err != nil {
				return err
			}
		}
	default:
		return violation("value of type %T", v)
	}
	return nil
}

// tooLong reports whether one of the lists in a plain value has more entries
// than a frame may carry.
func tooLong(v any) bool {
	l, _ := v.([]any)
	return len(l) > listMax || slices.ContainsFunc(l, tooLong)
}

func throwOf(err error) *throwMsg {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*webapi.FaultError](err); ok {
		return &throwMsg{Fault: f.Fault}
	}
	if t, ok := errors.AsType[*isolate.Throw](err); ok {
		return &throwMsg{Name: t.Name, Message: t.Message, Code: t.Code}
	}
	return &throwMsg{Name: "Error", Message: err.Error()}
}

func (t *throwMsg) err() error {
	if t == nil {
		return nil
	}
	if t.Fault != nil {
		return &webapi.FaultError{Fault: t.Fault}
	}
	return &isolate.Throw{Name: t.Name, Message: t.Message, Code: t.Code}
}

func requestOf(r *webapi.Request) requestMsg {
	return requestMsg{Method: r.Method, URL: r.URL, Headers: r.Headers, Length: r.Length, CF: r.CF, Has: r.Body != nil}
}
