package runner

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"coldstart/sandbox/query"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// still is a Handler whose calls are never answered; a subrequest is, once its
// address says so.
type still struct{ strict }

func (s *still) Call(string, []any, func(any, error)) { s.order("call") }
func (s *still) Fetch(_ webapi.Target, q *webapi.Request, done func(*webapi.Response, error)) {
	s.order("fetch")
	if q.URL == "answered" {
		done(&webapi.Response{Head: trace.ResponseHead{Status: 200}, Body: io.NopCloser(strings.NewReader("x"))}, nil)
	}
}

// heardOf plays frames of a child to a parent with run 1, run 2, which has a
// WebSocket, and questions 1 to 3, of a build, a state and a query. Run 3 was,
// and is over. It gives what the parent makes of the last frame; those before
// it must be fine.
func heardOf(t *testing.T, data []byte, frames int) error {
	t.Helper()
	p := &Runner{ring: &Ring{cfg: Config{}.withDefaults()}, conn: newConn(swallow{}), runs: map[uint64]*Run{}, jobs: map[uint64]*job{}, pages: map[uint64][]chan []byte{}, newest: 3}
	for n := uint64(1); n < 3; n++ {
		p.runs[n] = &Run{p: p, n: n, h: &still{strict{t: t}}, out: newOutStream(p.conn, n, 0), calls: map[uint32]bool{}, subs: map[uint32]*sub{}}
	}
	p.runs[2].client = newSocket(p.conn, 2, 0)
	p.runs[2].client.Receive(func([]byte, bool) {}, func(int, string, bool) {})
	for n, k := range map[uint64]kind{1: kindBuilt, 2: kindStated, 3: kindQueried} {
		p.jobs[n] = &job{want: k, answer: make(chan []byte, 1)}
	}
	defer func() {
		for _, run := range p.runs {
			run.end(End{Lost: LostInnocent})
		}
		p.conn.close()
	}()
	r := newFrameReader(bytes.NewReader(data), true)
	for i := 1; ; i++ {
		f, err := r.next()
		if err == nil {
			err = p.handle(f)
		}
		if i == frames {
			return err
		}
		if err != nil {
			t.Errorf("frame %d of %d: %v", i, frames, err)
			return nil
		}
	}
}

// A child may be in the hands of a stranger. Whatever it says out of turn, too
// often, too long or in no order is seen as such, for then it is killed; what
// was on its way when its run ended is not.
func TestViolations(t *testing.T) {
	type put = func(*bytes.Buffer)
	cb := func(k kind, n uint64, v any) put {
		return func(b *bytes.Buffer) {
			if err := appendFrame(b, k, n, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	raw := func(k kind, n uint64, stream uint32, flags byte, data string) put {
		return func(b *bytes.Buffer) { appendRaw(b, k, n, stream, flags, []byte(data)) }
	}
	bytesOf := func(k kind, n uint64, payload ...byte) put {
		return func(b *bytes.Buffer) {
			_ = binary.Write(b, binary.BigEndian, uint32(9+len(payload)))
			b.WriteByte(byte(k))
			_ = binary.Write(b, binary.BigEndian, n)
			b.Write(payload)
		}
	}
	times := func(n int, f func(i int) put) (list []put) {
		for i := range n {
			list = append(list, f(i))
		}
		return list
	}
	join := func(a []put, b ...put) []put { return append(a, b...) }
	head := headMsg{Head: trace.ResponseHead{Status: 200}, Body: []byte("x")}
	whole := headMsg{Head: trace.ResponseHead{Status: 200}, Body: []byte("x"), End: true}
	done := doneMsg{Summary: trace.Summary{Outcome: "ok"}}
	call := func(i int) put { return cb(kindCall, 1, callMsg{Call: uint32(i + 1), Op: "kv.get"}) }
	fetch := func(i int) put {
		return cb(kindFetch, 1, fetchMsg{Call: uint32(i + 1), Request: requestMsg{URL: "x", Has: true, More: true}})
	}
	answered := cb(kindFetch, 1, fetchMsg{Call: 1, Request: requestMsg{URL: "answered"}})
	event := func(n int) put { return cb(kindEvents, 1, make([]trace.Event, n)) }
	full := times(window/pieceMax, func(int) put { return raw(kindBody, 1, 0, 0, strings.Repeat("x", pieceMax)) })
	deep := func(n int) []any {
		a := []any{"x"}
		for range n {
			a = []any{a}
		}
		return a
	}
	bad := map[string][]put{
		"a head twice":                    {cb(kindHead, 1, head), cb(kindHead, 1, head)},
		"a result behind a head":          {cb(kindHead, 1, head), cb(kindResult, 1, []byte("x"))},
		"a result twice":                  {cb(kindResult, 1, []byte("x")), cb(kindResult, 1, []byte("x"))},
		"a head behind a result":          {cb(kindResult, 1, []byte("x")), cb(kindHead, 1, head)},
		"a result of nothing":             {bytesOf(kindResult, 1, 0xf6)},
		"status 99":                       {cb(kindHead, 1, headMsg{Head: trace.ResponseHead{Status: 99}})},
		"status 1000":                     {cb(kindHead, 1, headMsg{Head: trace.ResponseHead{Status: 1000}})},
		"a run that never was":            {cb(kindHead, 4, head)},
		"the end of a run that never was": {cb(kindDone, 4, done)},
		"strays without end":              times(straysMax+1, func(int) put { return cb(kindEvents, 3, nil) }),
		"a refusal of what began":         {event(1), cb(kindRefused, 1, nil)},
		"a refusal of what asked":         {call(0), cb(kindRefused, 1, nil)},
		"events without end":              {event(runEvents), event(1)},
		"events with the head":            {event(runEvents), cb(kindHead, 1, headMsg{Events: make([]trace.Event, 1), Head: head.Head})},
		"events with the end":             {event(runEvents), cb(kindDone, 1, doneMsg{Events: make([]trace.Event, 1)})},
		"a call twice":                    {call(0), call(0)},
		"calls without end":               times(runCalls+1, call),
		"a long operation":                {cb(kindCall, 1, callMsg{Call: 1, Op: strings.Repeat("x", 65)})},
		"deep arguments":                  {cb(kindCall, 1, callMsg{Call: 1, Args: deep(33)})},
		"a map among the arguments":       {cb(kindCall, 1, callMsg{Call: 1, Args: []any{map[string]any{"a": 1}}})},
		"a long list":                     {cb(kindCall, 1, callMsg{Call: 1, Args: []any{make([]any, listMax+1)}})},
		"subrequest 0":                    {fetch(-1)},
		"a subrequest twice":              {fetch(0), fetch(0)},
		"subrequests without end":         times(runCalls+1, fetch),
		"half the head of a stream": {func(b *bytes.Buffer) {
			b.Write([]byte{0, 0, 0, 13, byte(kindBody), 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0})
		}},
		"a body before the head":           {raw(kindBody, 1, 0, 0, "x")},
		"a body behind all of it":          {cb(kindHead, 1, whole), raw(kindBody, 1, 0, 0, "x")},
		"a body without credit":            join(join([]put{cb(kindHead, 1, head)}, full...), raw(kindBody, 1, 0, 0, "x")),
		"a body behind its end":            {cb(kindHead, 1, head), raw(kindBody, 1, 0, flagEnd, ""), raw(kindBody, 1, 0, 0, "x")},
		"two ends of a body":               {cb(kindHead, 1, head), raw(kindBody, 1, 0, flagEnd, ""), raw(kindBody, 1, 0, flagEnd, "")},
		"a body of no subrequest":          {raw(kindBody, 1, 7, 0, "x")},
		"a body of a subrequest with none": {answered, raw(kindBody, 1, 1, 0, "x")},
		"credit that was not used":         {raw(kindCredit, 1, 0, 0, "\x00\x00\x00\x01")},
		"no credit":                        {raw(kindCredit, 1, 0, 0, "\x00\x00\x00\x00")},
		"credit below nothing":             {raw(kindCredit, 1, 0, 0, "\xff\xff\xff\xff")},
		"three bytes of credit":            {raw(kindCredit, 1, 0, 0, "\x00\x00\x01")},
		"credit for no answer":             {fetch(0), raw(kindCredit, 1, 1, 0, "\x00\x00\x00\x01")},
		"a stop of no answer":              {fetch(0), raw(kindStop, 1, 1, 0, "")},
		"a message without a socket":       {raw(kindMessage, 1, 0, 0, "x")},
		"a message behind the close":       {cb(kindSockEnd, 2, sockEndMsg{Code: 1000}), raw(kindMessage, 2, 0, 0, "x")},
		"a close without a socket":         {cb(kindSockEnd, 1, sockEndMsg{Code: 1000})},
		"a close of another stream":        {cb(kindSockEnd, 2, sockEndMsg{Stream: 9, Code: 1000})},
		"an answer to no question":         {cb(kindBuilt, 9, builtMsg{})},
		"an answer of another kind":        {cb(kindLowered, 1, loweredMsg{})},
		"another question's answer":        {cb(kindBuilt, 2, builtMsg{})},
		"an answer twice":                  {cb(kindQueried, 3, query.Reply{}), cb(kindQueried, 3, query.Reply{})},
		"a payload that is cut short":      {bytesOf(kindHead, 1, 0xa1, 0x02)},
		"a payload with more behind it":    {bytesOf(kindResult, 1, 0x41, 'x', 0x41, 'x')},
		"a payload of another type":        {bytesOf(kindEvents, 1, 0x18, 99)},
		"a field that is none":             {bytesOf(kindSockEnd, 2, 0xa1, 0x18, 99, 0x01)},
		"a field twice":                    {bytesOf(kindSockEnd, 2, 0xa2, 0x02, 0x01, 0x02, 0x01)},
		"a list of no length":              {bytesOf(kindEvents, 1, 0x9f, 0xff)},
		"a tag":                            {bytesOf(kindResult, 1, 0xc2, 0x41, 1)},
		"no payload":                       {cb(kindDone, 1, nil)},
	}
	for k := kind(1); k < kindToParent; k++ {
		if !k.both() {
			bad[fmt.Sprintf("the parent's kind %d", k)] = []put{bytesOf(k, 1)}
			bad[fmt.Sprintf("the parent's kind %d of what is over", k)] = []put{bytesOf(k, 3)}
		}
	}
	for _, k := range []kind{0, kindToParent, kindEnd, 255} {
		bad[fmt.Sprintf("kind %d", k)] = []put{bytesOf(k, 1)}
	}
	bad["ready again"] = []put{cb(kindReady, 1, readyMsg{})}
	hear := func(list []put) error {
		var b bytes.Buffer
		for _, put := range list {
			put(&b)
		}
		return heardOf(t, b.Bytes(), len(list))
	}
	for name, list := range bad {
		t.Run(name, func(t *testing.T) {
			if err := hear(list); !errors.Is(err, errProtocol) {
				t.Errorf("it passes: %v", err)
			}
		})
	}
	for name, list := range map[string][]put{
		"late frames": {
			cb(kindHead, 1, head), cb(kindDone, 1, done), cb(kindEvents, 1, make([]trace.Event, 1)), raw(kindBody, 1, 0, flagEnd, ""), raw(kindCredit, 1, 0, 0, "\x00\x00\x00\x01"),
			cb(kindCall, 1, callMsg{Call: 1, Op: "kv.get"}), raw(kindMessage, 3, 0, 0, "x"), cb(kindSockEnd, 3, sockEndMsg{Code: 1000}),
		},
		"strays":         times(straysMax, func(int) put { return cb(kindEvents, 3, nil) }),
		"events":         {event(runEvents)},
		"calls":          times(runCalls, call),
		"subrequests":    times(runCalls, fetch),
		"deep arguments": {cb(kindCall, 1, callMsg{Call: 1, Args: deep(30)})},
		"a window full":  join([]put{cb(kindHead, 1, head)}, full...),
		"statuses":       {cb(kindHead, 1, headMsg{Head: trace.ResponseHead{Status: 100}}), cb(kindHead, 2, headMsg{Head: trace.ResponseHead{Status: 999}})},
		"answers":        {cb(kindBuilt, 1, builtMsg{}), cb(kindStated, 2, stateReply{}), cb(kindQueried, 3, query.Reply{})},
	} {
		t.Run(name+" are fine", func(t *testing.T) {
			if err := hear(list); err != nil {
				t.Error(err)
			}
		})
	}
}

// keeper is a Handler that keeps how its calls are answered.
type keeper struct {
	Handler
	done []func(any, error)
}

func (k *keeper) Call(_ string, _ []any, done func(any, error)) { k.done = append(k.done, done) }

// What a run asks lies in the parent until it is answered, and is bounded there
// too: an honest child waits long before.
func TestCallsAreBoundedInBytes(t *testing.T) {
	h := &keeper{}
	p := &Runner{conn: newConn(swallow{}), runs: map[uint64]*Run{}}
	r := &Run{p: p, n: 1, h: h, calls: map[uint32]bool{}}
	ask := func(size int) error {
		return r.onCall(callMsg{Call: uint32(len(h.done) + 1), Op: "r2.put", Args: []any{make([]byte, size)}})
	}
	for range 4 {
		if err := ask(runAsks / 4); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask(1); !errors.Is(err, errProtocol) {
		t.Errorf("a byte too many: %v", err)
	}
	h.done[2](nil, nil)
	if err := ask(runAsks / 4); err != nil {
		t.Errorf("one was answered: %v", err)
	}
	if r.script = true; ask(1) != nil {
		t.Error("an instructor's script is bounded")
	}
	p.conn.close()
}

// A child that breaks the protocol is killed for it, and it is not known of
// whom; its spare serves. What it says of another child's run reaches nobody.
func TestLiarsAreKilled(t *testing.T) {
	ring := testRing(t, Config{Runners: 2})
	for _, what := range []string{"heads", "never", "cut"} {
		p := first(t, ring)
		beside, liar := newRecorder(), newRecorder()
		begin(t, ring, p, "/wait", beside)
		begin(t, ring, p, "/break/"+what, liar)
		if what == "heads" { // the first is as it should be
			_ = within(t, liar.heads, 10*time.Second)
		}
		for name, h := range map[string]*recorder{"the liar": liar, "who ran beside it": beside} {
			end := within(t, h.ends, 10*time.Second)
			if end.Lost != LostSuspect || (what != "cut") != strings.Contains(end.Why, errProtocol.Error()) {
				t.Errorf("%s: %s is told %+v", what, name, end)
			}
		}
		within(t, p.Dead(), 10*time.Second)
		h := newRecorder()
		begin(t, ring, first(t, ring), "/hello", h)
		if end := within(t, h.ends, 10*time.Second); end.Lost != NotLost {
			t.Errorf("%s: the next run ends with %+v", what, end)
		}
	}
	p, back, err := ring.Alone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := newRecorder()
	begin(t, ring, p, "/break/never", h)
	if end := within(t, h.ends, 10*time.Second); end.Lost != LostGuilty || !end.Alone {
		t.Errorf("alone it is told %+v", end)
	}
	back()
	ours, err := ring.Runner(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := ring.Runner(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	h = newRecorder()
	run := begin(t, ring, theirs, "/wait", h)
	liar := newRecorder()
	begin(t, ring, ours, fmt.Sprint("/break/forge/", run.n), liar)
	within(t, liar.ends, 10*time.Second) // behind what was forged
	select {
	case <-h.heads:
		t.Error("another child's run is answered")
	case end := <-h.ends:
		t.Errorf("another child's run is ended: %+v", end)
	default:
	}
	run.Cancel("enough")
	if end := within(t, h.ends, 10*time.Second); end.Lost != NotLost || end.Summary.Outcome != string(trace.FaultCanceled) {
		t.Errorf("the run of which another child spoke ends with %+v", end)
	}
}
