package live

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"coldstart/sandbox"
	"coldstart/web/classroom"
)

// What one session may do.
const (
	maxFrame     = 512 << 10 // bytes of one message from a page: the request builder's body, escaped
	maxSockets   = 50        // open sessions of one workspace
	maxQueued    = 64        // messages beside the stream that wait for a slow page
	writeWait    = 10 * time.Second
	helloWait    = 10 * time.Second
	frameBytes   = 64 << 10 // lines that waited travel together up to this size
	closeRestart = websocket.CloseServiceRestart
)

// Learner is who a session belongs to.
type Learner struct {
	Workspace string
	// Member says whether the session may go on; it is asked again and again,
	// and the session ends within a second of a no.
	Member func(context.Context) bool
	// Begin stores a project's starter if the learner has no such project yet,
	// because it is about to run. Nonsense is an *InputError.
	Begin func(ctx context.Context, project string) error
	// Opened is called once a page is welcomed: its class may have said something
	// since it was drawn, which Hub.Tell tells. It returns soon. Nil for nobody.
	Opened func()
}

// Open answers an upgrade request with a session. The caller has checked who
// asks and where the page comes from. It returns when the session ends.
func (h *Hub) Open(w http.ResponseWriter, r *http.Request, learner Learner) {
	workspace := learner.Workspace
	if !h.enter(workspace) {
		w.Header().Set("Retry-After", "30")
		http.Error(w, "Too many open pages. Close one.", http.StatusTooManyRequests)
		return
	}
	defer h.exit(workspace)
	up := websocket.Upgrader{
		HandshakeTimeout: 10 * time.Second, ReadBufferSize: 4 << 10, WriteBufferSize: 16 << 10,
		Subprotocols: []string{Subprotocol}, WriteBufferPool: &writeBuffers,
		CheckOrigin: func(*http.Request) bool { return true }, // the caller did
	}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	x := &session{h: h, conn: conn, learner: learner, workspace: workspace, ready: make(chan struct{}, 1), gone: make(chan struct{}), rate: rate.NewLimiter(30, 100)}
	h.mu.Lock()
	closing := h.closed
	if !closing {
		h.open[x] = true
		h.wg.Add(1)
	}
	h.mu.Unlock()
	if closing {
		close(x.gone)
		x.close(closeRestart, "The server restarts.")
		x.write()
		return
	}
	defer h.wg.Done()
	x.serve()
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, x)
	if s := x.following(); s != nil && s.idle(h.Now()) && h.streams[s.key] == s {
		delete(h.streams, s.key)
		s.drop()
	}
}

var writeBuffers sync.Pool

func (h *Hub) enter(workspace string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sockets[workspace] >= maxSockets {
		return false
	}
	h.sockets[workspace]++
	return true
}

func (h *Hub) exit(workspace string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sockets[workspace]--; h.sockets[workspace] == 0 {
		delete(h.sockets, workspace)
	}
}

// session is one page's socket: this goroutine reads, another writes. The
// writer takes the stream's messages from the stream itself, so that a slow
// page costs a place in it and nothing else.
type session struct {
	h         *Hub
	conn      *websocket.Conn
	learner   Learner
	workspace string
	rate      *rate.Limiter
	ready     chan struct{} // there may be something to write
	gone      chan struct{} // the reader has ended

	mu     sync.Mutex
	stream *stream
	next   uint64 // last number written
	queue  []ServerMessage
	code   int // close with this code; 0 while open
	reason string
}

func (x *session) wake() {
	select {
	case x.ready <- struct{}{}:
	default:
	}
}

// say queues a message beside the stream. A page that lets them pile up is closed.
func (x *session) say(m ServerMessage) {
	x.mu.Lock()
	if len(x.queue) == maxQueued {
		x.closing(CloseSlow, "The page reads too slowly.")
	} else {
		x.queue = append(x.queue, m)
	}
	x.mu.Unlock()
	x.wake()
}

// close asks the writer to end the session.
func (x *session) close(code int, reason string) {
	x.mu.Lock()
	x.closing(code, reason)
	x.mu.Unlock()
	x.wake()
}

func (x *session) closing(code int, reason string) {
	if x.code == 0 {
		x.code, x.reason = code, reason
	}
}

func (x *session) serve() {
	ctx, cancel := context.WithCancel(x.h.ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(x.write)
	wg.Go(func() { x.recheck(ctx) })
	x.read(ctx)
	cancel()
	close(x.gone)
	wg.Wait()
	if s := x.following(); s != nil {
		s.leave(x, x.h.Now())
	}
}

func (x *session) following() *stream {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.stream
}

// recheck ends the session within a second or so of the end of its right.
func (x *session) recheck(ctx context.Context) {
	tick := time.NewTicker(700 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if !x.learner.Member(ctx) && ctx.Err() == nil {
				x.close(CloseDenied, "This page's session has ended. Load it again.")
				return
			}
		}
	}
}

// write is the only writer of data frames.
func (x *session) write() {
	defer x.conn.Close()
	ping := time.NewTicker(x.h.Silence * 2 / 5)
	defer ping.Stop()
	for {
		frame, code, reason := x.frame()
		_ = x.conn.SetWriteDeadline(time.Now().Add(min(writeWait, x.h.Silence)))
		switch {
		case len(frame) > 0:
			if x.conn.WriteMessage(websocket.TextMessage, frame) != nil {
				return
			}
			continue
		case code != 0:
			_ = x.conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason))
			// Closing at once would throw away the reason together with what
			// the page has sent; so the page closes first, or a second passes.
			_ = x.conn.SetReadDeadline(time.Now().Add(time.Second))
			<-x.gone
			return
		}
		select {
		case <-x.ready:
		case <-x.gone:
			if _, code, reason := x.frame(); code != 0 {
				_ = x.conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason))
			}
			return
		case <-ping.C:
			_ = x.conn.SetWriteDeadline(time.Now().Add(min(writeWait, x.h.Silence)))
			if x.conn.WriteMessage(websocket.PingMessage, nil) != nil {
				return
			}
		}
	}
}

// frame is what is to be written now: messages beside the stream first, since
// the first of them is the welcome, then lines of the stream.
func (x *session) frame() (frame []byte, code int, reason string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var buf bytes.Buffer
	for _, m := range x.queue {
		data, err := json.Marshal(m)
		if err != nil {
			panic("live: message cannot be encoded: " + err.Error()) // plain data only
		}
		line(&buf, data)
	}
	x.queue = nil
	if x.stream != nil && x.code == 0 {
		lines, last, ok := x.stream.after(x.next, frameBytes)
		if !ok {
			x.closing(CloseSlow, "The page reads too slowly.")
		}
		for _, data := range lines {
			line(&buf, data)
		}
		x.next = last
	}
	return buf.Bytes(), x.code, x.reason
}

func line(buf *bytes.Buffer, data []byte) {
	if buf.Len() > 0 {
		buf.WriteByte('\n')
	}
	buf.Write(data)
}

// read takes the page's messages until the socket ends.
func (x *session) read(ctx context.Context) {
	x.conn.SetReadLimit(maxFrame)
	_ = x.conn.SetReadDeadline(time.Now().Add(min(helloWait, x.h.Silence)))
	x.conn.SetPongHandler(func(string) error {
		if x.following() == nil {
			return nil // a page that never says hello does not live on pongs
		}
		return x.conn.SetReadDeadline(time.Now().Add(x.h.Silence))
	})
	x.conn.SetPingHandler(func(data string) error {
		if !x.rate.Allow() { // pages send none: browsers answer those that they get
			return errFlood
		}
		err := x.conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
		if err != nil && !errors.Is(err, websocket.ErrCloseSent) {
			return err
		}
		return nil
	})
	for {
		kind, data, err := x.conn.ReadMessage()
		if err != nil {
			switch {
			case errors.Is(err, websocket.ErrReadLimit):
				x.drain()
			case errors.Is(err, errFlood):
				x.close(CloseFlood, tooMany)
				x.drain()
			}
			if x.following() == nil {
				x.close(CloseUnsaid, "No hello came.")
			}
			return
		}
		if x.ended() {
			return
		}
		if !x.rate.Allow() {
			x.end(CloseFlood, tooMany)
			return
		}
		m, err := parse(kind, data)
		if err != nil {
			x.end(CloseUnsaid, err.Error())
			return
		}
		if x.following() == nil {
			if m.Type != "hello" {
				x.end(CloseUnsaid, "The first message must be a hello.")
				return
			}
			if !x.hello(ctx, m) {
				return
			}
		} else {
			x.take(m)
		}
		_ = x.conn.SetReadDeadline(time.Now().Add(x.h.Silence))
	}
}

// end closes from the reader and waits until the page has closed too, or a second is over.
func (x *session) end(code int, reason string) {
	x.close(code, reason)
	_ = x.conn.SetReadDeadline(time.Now().Add(time.Second))
	for {
		if _, _, err := x.conn.NextReader(); err != nil {
			return
		}
	}
}

// drain reads away the rest of a message that was too big, so that the page
// gets to read the close frame that says so.
func (x *session) drain() {
	_ = x.conn.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.CopyN(io.Discard, x.conn.NetConn(), 16<<20)
}

func (x *session) ended() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.code != 0
}

// tooMany is what a page is told that sends more than one may.
const tooMany = "Too many messages. Wait before connecting again."

var errFlood = errors.New("more pings than a page may send")

var errNotMessage = errors.New("a frame was not a message of this protocol")

// parse reads one message of a page.
func parse(kind int, data []byte) (ClientMessage, error) {
	var m ClientMessage
	if kind != websocket.TextMessage {
		return m, errNotMessage
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, errNotMessage
	}
	if !slices.Contains([]string{"hello", "run", "check", "lab", "act", "cancel", "evict", "keep", "pages", "ping"}, m.Type) {
		return m, errNotMessage
	}
	return m, nil
}

// hello begins or resumes. It says false when the session has ended.
func (x *session) hello(ctx context.Context, m ClientMessage) bool {
	if len(m.Project) == 0 || len(m.Project) > 64 {
		x.end(CloseUnsaid, "The hello names no project.")
		return false
	}
	key := sandbox.Key{Learner: x.workspace, Project: m.Project}
	revision, err := x.h.Store.Revision(ctx, key.Learner, key.Project)
	if err != nil && !errors.Is(err, classroom.ErrNotFound) {
		x.h.Logger.Error("project not read", "error", err)
		x.end(websocket.CloseInternalServerErr, "The project could not be read. Try again.")
		return false
	}
	isolates := x.h.Door.Isolates(key)
	if x.learner.Opened != nil {
		defer x.learner.Opened() // once the locks are free
	}
	x.h.mu.Lock()
	defer x.h.mu.Unlock()
	s := x.h.stream(key)
	x.mu.Lock()
	defer x.mu.Unlock()
	from, newest, missed, running := s.join(x, m.Stream, m.After)
	slices.Sort(running)
	x.stream, x.next = s, from
	x.queue = append(x.queue, ServerMessage{
		Type: "welcome", Stream: s.id, Seq: newest, Missed: missed, Revision: revision, Isolates: isolates, Running: running,
	})
	x.wake()
	return true
}

// take does what a page asks. It returns at once; runs go on by themselves.
func (x *session) take(m ClientMessage) {
	h, s := x.h, x.following()
	switch m.Type {
	case "ping":
		x.say(ServerMessage{Type: "pong"})
	case "cancel":
		s.cancel(m.ID)
	case "act":
		switch took := s.act(m.ID, LabAct{Action: m.Action, Values: m.Values}); took {
		case actTaken:
			return
		case actLate:
			x.say(ServerMessage{Type: "error", ID: m.ID, Message: "The lab has ended. Start it again."})
			return
		case actRefused: // the lab goes on, so this is no answer to its id
			x.say(ServerMessage{Type: "error", Message: "The lab has not done the last things yet. Wait a moment."})
			return
		}
		fallthrough
	case "run", "check", "lab":
		if wait, ok := h.Allow(x.workspace); !ok {
			x.say(ServerMessage{Type: "error", ID: m.ID, Message: tooFast, Retry: max(1, wait.Milliseconds())})
			return
		}
		h.background(func(ctx context.Context) { x.answer(m, x.start(ctx, s.key, m)) })
	case "evict":
		h.background(func(ctx context.Context) {
			if err := h.Door.Evict(ctx, s.key, ""); err != nil {
				x.answer(m, err)
				return
			}
			s.tell(ServerMessage{Type: "isolates", Isolates: h.Door.Isolates(s.key)})
		})
	case "keep":
		h.Door.KeepWarm(s.key, m.On)
		s.tell(ServerMessage{Type: "isolates", Isolates: h.Door.Isolates(s.key)})
	case "pages":
		h.background(func(ctx context.Context) {
			pages, err := h.Door.Pages(ctx, s.key, m.Isolate)
			if err != nil {
				x.say(ServerMessage{Type: "error", ID: m.ID, Message: "That isolate is gone, and its memory with it."})
				return
			}
			x.say(ServerMessage{Type: "pages", Isolate: m.Isolate, Pages: pages})
		})
	}
}

const tooFast = "That is more runs than one learner may start at a time. Wait a moment."

func (x *session) start(ctx context.Context, key sandbox.Key, m ClientMessage) error {
	h := x.h
	if m.Revision == 0 {
		if err := x.learner.Begin(ctx, key.Project); err != nil {
			return err
		}
	}
	if m.Type == "check" {
		return h.Check(ctx, key, m.ID, m.Revision)
	}
	if m.Type == "lab" || m.Type == "act" {
		spec := LabSpec{ID: m.ID, Lab: m.Lab, Values: m.Values, Revision: m.Revision, Watched: true}
		if m.Type == "act" {
			if spec.Action = m.Action; m.Action == "" {
				return &InputError{Message: "The page did not say what to do. Load it again."}
			}
		}
		return h.Lab(ctx, key, spec)
	}
	spec := RunSpec{ID: m.ID, Revision: m.Revision, Cold: m.Cold, Times: m.Times}
	if m.Request != nil {
		spec.Request = *m.Request
	}
	_, err := h.Run(ctx, key, spec)
	return err
}

// answer tells the page why nothing ran.
func (x *session) answer(m ClientMessage, err error) {
	if err == nil {
		return
	}
	say := "Our side failed before your code ran. Try again."
	var input *InputError
	switch {
	case errors.As(err, &input):
		say = input.Message
	case errors.Is(err, classroom.ErrNotFound) && m.Revision == 0:
		say = "This project was not saved yet. Save it, then run."
	case errors.Is(err, classroom.ErrNotFound):
		say = "That revision is not kept any more. Run the newest."
	default:
		x.h.Logger.Error("page's wish failed", "error", err)
	}
	x.say(ServerMessage{Type: "error", ID: m.ID, Message: say})
}

// background runs f until it ends or the hub does.
func (h *Hub) background(f func(context.Context)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.wg.Go(func() { f(h.ctx) })
	}
}
