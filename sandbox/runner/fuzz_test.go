package runner

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"coldstart/sandbox/query"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// sink is a connection that swallows.
type swallow struct{}

func (swallow) Write(b []byte) (int, error) { return len(b), nil }
func (swallow) Close() error                { return nil }

// strict is a Handler that checks the order of what it is told.
type strict struct {
	t     *testing.T
	head  int
	ended int
	open  int
}

func (s *strict) order(what string) {
	if s.ended > 0 {
		s.t.Errorf("%s after the end", what)
	}
}

func (s *strict) Head(h Head) {
	s.order("head")
	if s.head++; s.head > 1 {
		s.t.Error("two heads")
	}
	if h.Status < 100 || h.Status > 999 {
		s.t.Errorf("status %d", h.Status)
	}
	if len(h.First) > callMax {
		s.t.Errorf("%d bytes in the head", len(h.First))
	}
}
func (s *strict) Events([]trace.Event) { s.order("events") }
func (s *strict) Body(p []byte, _ bool, _ string) {
	s.order("body")
	if s.head == 0 || len(p) > pieceMax {
		s.t.Errorf("%d bytes of body after %d heads", len(p), s.head)
	}
}
func (s *strict) Result([]byte) { s.order("result") }
func (s *strict) Call(op string, args []any, done func(any, error)) {
	s.order("call")
	if len(op) > 64 {
		s.t.Error("long operation")
	}
	for _, a := range args {
		if err := plain(a, 0); err != nil {
			s.t.Error(err)
		}
	}
	if s.open++; s.open%2 == 0 {
		done("x", nil)
	}
}

func (s *strict) Fetch(_ webapi.Target, q *webapi.Request, done func(*webapi.Response, error)) {
	s.order("fetch")
	if s.open++; s.open%2 == 0 {
		done(&webapi.Response{Head: trace.ResponseHead{Status: 200}}, nil)
	}
}

func (s *strict) End(End) {
	if s.ended++; s.ended > 1 {
		s.t.Error("two ends")
	}
}

// FuzzChild plays bytes as a child's frames to the parent, which must neither
// panic nor tell its handlers nonsense.
func FuzzChild(f *testing.F) {
	seed := func(add ...func(*bytes.Buffer)) {
		var b bytes.Buffer
		for _, a := range add {
			a(&b)
		}
		f.Add(b.Bytes())
	}
	cb := func(k kind, n uint64, v any) func(*bytes.Buffer) {
		return func(b *bytes.Buffer) {
			if err := appendFrame(b, k, n, v); err != nil {
				f.Fatal(err)
			}
		}
	}
	raw := func(k kind, n uint64, stream uint32, flags byte, data string) func(*bytes.Buffer) {
		return func(b *bytes.Buffer) { appendRaw(b, k, n, stream, flags, []byte(data)) }
	}
	head := headMsg{Head: trace.ResponseHead{Status: 200, Headers: [][2]string{{"a", "b"}}}, Body: []byte("x")}
	done := doneMsg{Summary: trace.Summary{Run: "r", Spans: []trace.Span{{Phase: "handle", Start: 1, End: 2}}}}
	seed(cb(kindHead, 1, head), raw(kindBody, 1, 0, 0, "piece"), raw(kindBody, 1, 0, flagEnd, ""), cb(kindDone, 1, done))
	seed(cb(kindDone, 1, done), cb(kindDone, 1, done), cb(kindHead, 1, head))
	seed(cb(kindHead, 1, head), cb(kindHead, 1, head))
	seed(cb(kindDone, 99, done))
	seed(cb(kindCall, 1, callMsg{Call: 1, Op: "kv.get", Args: []any{"a", 1.5, []any{[]byte("x")}}}), cb(kindCall, 1, callMsg{Call: 1, Op: "kv.get"}))
	seed(cb(kindFetch, 1, fetchMsg{Call: 3, Request: requestMsg{Method: "GET", URL: "x", Has: true, More: true}}), raw(kindBody, 1, 3, 0, "up"), raw(kindStop, 1, 3, 0, ""), raw(kindCredit, 1, 3, 0, "\x00\x00\x00\x01"))
	seed(cb(kindEvents, 1, []trace.Event{{Kind: "log", Log: &trace.Log{Args: []trace.Value{{Type: "o", Entries: []trace.Entry{{Key: "k"}}}}}}}), cb(kindRefused, 1, nil))
	seed(raw(kindMessage, 2, 0, flagBinary, "m"), cb(kindSockEnd, 2, sockEndMsg{Code: 1000}), raw(kindMessage, 2, 0, 0, "late"))
	seed(cb(kindHead, 1, headMsg{Head: trace.ResponseHead{Status: -1}}), cb(kindResult, 1, []byte("x")), cb(kindPong, 0, nil))
	seed(cb(kindStated, 2, stateReply{Pages: []byte{0, 3}, Count: 1}), cb(kindStated, 2, stateReply{Error: "twice"}))
	seed(cb(kindQueried, 3, query.Reply{Results: []query.Result{{Columns: []string{"a", "b"}, Values: []any{int64(1), nil, "x"}}}}), cb(kindQueried, 3, query.Reply{Unknown: true}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, byte(kindHead), 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add([]byte{0, 0, 0, 13, byte(kindEvents), 0, 0, 0, 0, 0, 0, 0, 1, 0x9b, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		ring := &Ring{cfg: Config{}.withDefaults()}
		p := &Runner{ring: ring, conn: newConn(swallow{}), runs: map[uint64]*Run{}, jobs: map[uint64]*job{}, workers: map[string]uint64{}, pages: map[uint64][]chan []byte{}, newest: 2}
		for n := range uint64(2) {
			n++
			p.runs[n] = &Run{p: p, n: n, h: &strict{t: t}, out: newOutStream(p.conn, n, 0), calls: map[uint32]bool{}, subs: map[uint32]*sub{}}
		}
		p.runs[2].client = newSocket(p.conn, 2, 0)
		p.runs[2].client.Receive(func([]byte, bool) {}, func(int, string, bool) {})
		p.jobs[1] = &job{want: kindBuilt, answer: make(chan []byte, 1)}
		p.jobs[2] = &job{want: kindStated, answer: make(chan []byte, 1)}
		asked := make(chan []byte, 1)
		p.jobs[3] = &job{want: kindQueried, answer: asked}
		r := newFrameReader(bytes.NewReader(data), true)
		for {
			fr, err := r.next()
			if err == nil {
				err = p.handle(fr)
			}
			if err == nil {
				continue
			}
			if !errors.Is(err, errProtocol) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("error %v", err)
			}
			break
		}
		select {
		case b := <-asked: // what the platform is given of it is sound
			if reply, err := decode[query.Reply](b); err == nil && reply.Valid(&query.Request{Open: true, Queries: make([]query.Query, 1)}) == nil {
				for _, res := range reply.Results {
					for i, v := range res.Values {
						if err := plain(v, 0); err != nil || len(res.Columns) == 0 {
							t.Errorf("value %d of %d columns: %v", i, len(res.Columns), err)
						}
					}
				}
			}
		default:
		}
		p.conn.wg.Wait()
		for _, run := range p.runs {
			run.end(End{Lost: LostInnocent})
		}
		p.conn.close()
	})
}

// FuzzParent plays bytes as the parent's frames to a child.
func FuzzParent(f *testing.F) {
	var b bytes.Buffer
	for _, fr := range []struct {
		k kind
		v any
	}{
		{kindWorker, trace.Worker{Name: "w", Code: "c"}},
		{kindStart, startMsg{Isolate: 1, New: true, Worker: 1, Run: "r", Type: "fetch", Request: &requestMsg{URL: "/hello", Has: true, More: true}}},
		{kindReply, replyMsg{Call: 1}},
		{kindCancel, cancelMsg{Why: "x"}},
		{kindEvict, nil},
		{kindPages, nil},
		{kindState, stateMsg{Op: stateFreeze, Isolate: 1}},
		{kindState, stateMsg{Op: stateFork, Isolate: 1, Fork: 2}},
		{kindForget, nil},
		{kindQuery, query.Request{Database: 1, Open: true, Op: query.Exec, Queries: []query.Query{{Text: "x", Values: []any{int64(1)}}}}},
		{kindPing, nil},
	} {
		if err := appendFrame(&b, fr.k, 1, fr.v); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		c := newChild(swallow{})
		c.engines = calm{}
		err := c.serve(newFrameReader(bytes.NewReader(data), false))
		if !errors.Is(err, errProtocol) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("error %v", err)
		}
		c.stop(errClosed)
	})
}

// calm are Engines that do nothing dangerous for a fuzzer.
type calm struct{ fakeEngines }

func (calm) NewWorker(WorkerSpec) (Started, error) {
	return Started{Fault: &trace.Fault{Kind: trace.FaultStartup}}, nil
}

func TestFrameLimits(t *testing.T) {
	for k := kind(1); k < kindEnd; k++ {
		for _, child := range []bool{false, true} {
			var head [headerLen]byte
			binary.BigEndian.PutUint32(head[:], uint32(9+k.limit(child)+1))
			head[4] = byte(k)
			// No payload follows: a reader that took memory first would say EOF.
			_, err := newFrameReader(bytes.NewReader(head[:]), child).next()
			if !errors.Is(err, errProtocol) {
				t.Errorf("kind %d, child %v: one byte too many gives %v", k, child, err)
			}
		}
	}
	for size := range uint32(9) {
		var head [headerLen]byte
		binary.BigEndian.PutUint32(head[:], size)
		head[4] = byte(kindHead)
		if _, err := newFrameReader(bytes.NewReader(head[:]), true).next(); !errors.Is(err, errProtocol) {
			t.Errorf("size %d: %v", size, err)
		}
	}
}
