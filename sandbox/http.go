package sandbox

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// HTTP joins a Door to net/http: a request becomes a fetch event, a response
// is streamed back, a WebSocket is bridged.
type HTTP struct {
	Door Door
	// Filter, if set, sees each response header before it is sent and may
	// change it. It is how the site's own host drops what only a host name of
	// its own may set.
	Filter func(http.Header)
	// CheckOrigin decides on WebSocket upgrades; nil accepts all, because a
	// Worker's own policy is the Worker's business.
	CheckOrigin func(*http.Request) bool
	// Fault, if set, answers for a Worker that was stopped before it could;
	// otherwise the answer is the bare status.
	Fault func(w http.ResponseWriter, status int, f *trace.Fault)
}

// maxMessage bounds one WebSocket message from a client, in bytes.
const maxMessage = 1 << 20

// Serve answers req with run, whose Key, Worker and Watch the caller has set and
// whose URL is already what the Worker shall see; method, headers and body
// come from req. An error is returned only while nothing has been sent.
func (h HTTP) Serve(w http.ResponseWriter, req *http.Request, run Run) error {
	run.Method, run.Length = req.Method, req.ContentLength
	run.Headers = append([][2]string{{"Host", req.Host}}, flatten(req.Header)...)
	switch { // a body that says neither is none to Node's frameworks
	case req.ContentLength > 0 && req.Header["Content-Length"] == nil:
		run.Headers = append(run.Headers, [2]string{"Content-Length", strconv.FormatInt(req.ContentLength, 10)})
	case req.ContentLength < 0:
		run.Headers = append(run.Headers, [2]string{"Transfer-Encoding", "chunked"})
	}
	if req.ContentLength != 0 {
		run.Body = req.Body
	}
	run.Upgrade = websocket.IsWebSocketUpgrade(req)
	resp, err := h.Door.Invoke(req.Context(), run)
	if err != nil {
		return err
	}
	if resp.Body != nil {
		defer resp.Body.Close()
	}
	if resp.Socket != nil {
		return h.bridge(w, req, resp)
	}
	if resp.Head.Status == http.StatusSwitchingProtocols {
		resp.Head, resp.Body = trace.ResponseHead{Status: http.StatusInternalServerError}, nil
		resp.Fault = &trace.Fault{
			Kind: trace.FaultHandler, Message: "The Worker answered with a WebSocket, but the request did not ask for one.",
			Hint: "Look for the header Upgrade: websocket first, and answer with 426 where it is missing.",
		}
	}
	if resp.Head.Status < 200 || resp.Head.Status > 599 {
		return fmt.Errorf("the sandbox gave status %d, which is no answer", resp.Head.Status)
	}
	if resp.Fault != nil && h.Fault != nil && req.Method != http.MethodHead {
		h.Fault(w, resp.Head.Status, resp.Fault)
		return nil
	}
	header := w.Header()
	for _, kv := range resp.Head.Headers {
		if !hop(kv[0]) {
			header[textproto.CanonicalMIMEHeaderKey(kv[0])] = append(header[textproto.CanonicalMIMEHeaderKey(kv[0])], kv[1])
		}
	}
	if header["Content-Type"] == nil {
		header["Content-Type"] = nil // no guessing: a Worker that names no type sends none
	}
	if n := header.Get("Content-Length"); n != "" {
		if _, err := strconv.ParseUint(n, 10, 63); err != nil || resp.Body == nil && req.Method != http.MethodHead {
			header.Del("Content-Length")
		}
	}
	if n := resp.Head.Length; n > 0 && (header["Content-Length"] == nil || req.Method != http.MethodHead) {
		header.Set("Content-Length", strconv.FormatInt(n, 10)) // what is sent, whatever the Worker said
	}
	if h.Filter != nil {
		h.Filter(header)
	}
	encoding := wireEncoding(&resp.Head, header)
	if encoding != "" && (resp.Body != nil || req.Method == http.MethodHead) {
		header.Del("Content-Length") // it is the length before
	}
	if resp.Head.Status == http.StatusResetContent {
		header.Set("Content-Length", "0") // net/http knows 204 and 304 to have no body, not 205
	}
	w.WriteHeader(resp.Head.Status)
	if resp.Body == nil || req.Method == http.MethodHead || resp.Head.Status == http.StatusResetContent {
		return nil
	}
	if encoding == "" {
		stream(w, w, resp.Body)
		return nil
	}
	out, whole := &encodedBody{w: w, name: encoding, learner: run.Key.Learner}, false
	defer func() { out.end(whole) }()
	whole = stream(w, out, resp.Body)
	return nil
}

// pieces are buffers between a body and its connection: making one for each
// request was a third of what serving a short answer costs.
var pieces = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// stream copies a body to out, which leads to w, and flushes each piece as it
// comes; it reports whether the client has all. A body that breaks off breaks the
// connection, so that the client cannot take a part for the whole.
func stream(w http.ResponseWriter, out io.Writer, body io.Reader) bool {
	rc := http.NewResponseController(w)
	pooled := pieces.Get().(*[32 << 10]byte)
	defer pieces.Put(pooled)
	buf := pooled[:]
	for {
		n, err := body.Read(buf)
		if n > 0 {
			if _, werr := out.Write(buf[:n]); werr != nil {
				return false
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return true
		case err != nil:
			_ = rc.Flush() // the head, where nothing was written yet
			panic(http.ErrAbortHandler)
		case n > 0:
			_ = rc.Flush()
		}
	}
}

// flatten lists headers in a stable order, without the ones that belong to the connection.
func flatten(h http.Header) [][2]string {
	names := make([]string, 0, len(h))
	for k := range h {
		if !hop(k) || strings.EqualFold(k, "Upgrade") {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	var out [][2]string
	for _, k := range names {
		for _, v := range h[k] {
			out = append(out, [2]string{k, v})
		}
	}
	return out
}

// hop reports headers that speak of one connection only (RFC 9110, 7.6.1).
func hop(name string) bool {
	switch strings.ToLower(name) {
	case "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade":
		return true
	}
	return false
}

// bridge joins a client's WebSocket and a Worker's. It returns when both are closed.
func (h HTTP) bridge(w http.ResponseWriter, req *http.Request, resp *Response) error {
	up := websocket.Upgrader{HandshakeTimeout: 10 * time.Second, CheckOrigin: h.CheckOrigin}
	if up.CheckOrigin == nil {
		up.CheckOrigin = func(*http.Request) bool { return true }
	}
	out := http.Header{}
	for _, kv := range resp.Head.Headers {
		if k := textproto.CanonicalMIMEHeaderKey(kv[0]); !hop(k) && !strings.HasPrefix(k, "Sec-Websocket-") {
			out.Add(k, kv[1])
		} else if k == "Sec-Websocket-Protocol" {
			up.Subprotocols = []string{kv[1]}
		}
	}
	if h.Filter != nil {
		h.Filter(out)
	}
	conn, err := up.Upgrade(w, req, out)
	if err != nil {
		resp.Socket.Close(1006, "")
		return nil // Upgrade has answered
	}
	conn.SetReadLimit(maxMessage)
	conn.SetCloseHandler(func(int, string) error { return nil }) // the Worker answers
	done := make(chan struct{})
	messages := &pump{}
	defer messages.wait()
	defer conn.Close() // so that nothing waits for it
	resp.Socket.Receive(func(data []byte, binary bool) {
		kind := websocket.TextMessage
		if binary {
			kind = websocket.BinaryMessage
		}
		ok := messages.add(len(data), func() {
			_ = conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
			_ = conn.WriteMessage(kind, data)
		})
		if !ok {
			conn.Close() // the client does not read
		}
	}, func(code int, reason string, _ bool) {
		messages.last(func() {
			if code == 0 || code == websocket.CloseAbnormalClosure {
				conn.Close()
			} else {
				_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(5*time.Second))
			}
			close(done)
		})
	})
	var ce *websocket.CloseError
	paced, _ := resp.Socket.(webapi.Paced)
	for {
		if paced != nil { // who sends faster than the Worker takes it waits
			paced.Room()
		}
		kind, data, err := conn.ReadMessage()
		if err != nil {
			if !errors.As(err, &ce) || ce.Code == websocket.CloseAbnormalClosure {
				ce = nil
				resp.Socket.Close(websocket.CloseAbnormalClosure, "WebSocket disconnected without sending Close frame.")
			} else {
				resp.Socket.Close(ce.Code, ce.Text)
			}
			break
		}
		if resp.Socket.Send(data, kind == websocket.BinaryMessage) != nil {
			break
		}
	}
	select {
	case <-done:
	case <-time.After(closeWait): // nobody answers: the client sees 1006, as it would there
	}
	return nil
}

// closeWait is how long a Worker may take to answer a client's close. An object
// whose sockets hibernate answers in webSocketClose, or nobody does.
const closeWait = 2 * time.Second
