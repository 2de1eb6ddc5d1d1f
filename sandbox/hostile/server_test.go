package hostile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"coldstart/sandbox/box"
	"coldstart/sandbox/trace"
)

// server is a real `coldstart serve`, a child of the test.
type server struct {
	args  []string
	env   []string
	cmd   *exec.Cmd
	pid   atomic.Int64
	base  string // http://127.0.0.1:PORT
	addr  string
	debug string
	data  string
	logMu sync.Mutex
	log   bytes.Buffer
	exit  chan error
	lives atomic.Int64 // how often it was killed and started again

	welcomed atomic.Int64 // when a page's socket was first welcomed since this was 0, in ns since 1970
}

// build makes the binary once per test run.
var build = sync.OnceValues(func() (string, error) {
	if bin := os.Getenv("COLDSTART_BIN"); bin != "" {
		return bin, nil
	}
	dir, err := os.MkdirTemp("", "coldstart-hostile-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "coldstart")
	cmd := exec.Command("go", "build", "-o", bin, "./cmd/coldstart")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startServer runs the site with its network replaced by w and waits until it is ready.
func startServer(t *testing.T, w *world, args ...string) *server {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: freeAddr(t), debug: "http://" + freeAddr(t), data: t.TempDir()}
	s.base = "http://" + s.addr
	s.args = append([]string{
		bin, "serve", "--addr", s.addr, "--data", s.data,
		"--debug-addr", strings.TrimPrefix(s.debug, "http://"), "--log-level", "debug",
		"--fetch-allow", "allowed.test=" + w.upstream, "--dns", w.dns,
	}, args...)
	s.env = append(os.Environ(), "HOST_CANARY="+w.canaryToken)
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(t) })
	return s
}

// begin starts the process and waits until the site is ready.
func (s *server) begin() error {
	cmd := exec.Command(s.args[0], s.args[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, s, s
	if err := cmd.Start(); err != nil {
		return err
	}
	exit := make(chan error, 1)
	s.cmd, s.exit = cmd, exit
	s.pid.Store(int64(cmd.Process.Pid))
	go func() { exit <- cmd.Wait() }()
	deadline := time.Now().Add(60 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		if resp, err := http.Get(s.base + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-s.exit:
			return fmt.Errorf("serve ended: %w\n%s", err, s.logged())
		default:
		}
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			return fmt.Errorf("serve is not ready after a minute\n%s", s.logged())
		}
	}
}

func (s *server) Write(p []byte) (int, error) {
	s.logMu.Lock()
	defer s.logMu.Unlock()
	return s.log.Write(p)
}

func (s *server) logged() string { return s.loggedSince(0) }

// loggedSince is the log without its first bytes.
func (s *server) loggedSince(first int) string {
	s.logMu.Lock()
	defer s.logMu.Unlock()
	return string(s.log.Bytes()[first:])
}

// figures is what the debug address shows at a path.
func (s *server) figures(path string) (string, error) {
	resp, err := http.Get(s.debug + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func (s *server) stop(t *testing.T) {
	select {
	case err := <-s.exit:
		t.Errorf("serve ended before the test: %v\n%s", err, tail(s.logged(), 4000))
		return
	default:
	}
	_ = s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.exit:
	case <-time.After(15 * time.Second):
		t.Error("serve does not stop within 15 s")
		_ = s.cmd.Process.Kill()
	}
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// alive says whether the process is still the one that was started.
func (s *server) alive() error {
	select {
	case err := <-s.exit:
		s.exit <- err
		return fmt.Errorf("the server ended: %v\n%s", err, tail(s.logged(), 4000))
	default:
		return nil
	}
}

// stats is what --debug-addr says of the process.
type stats struct {
	Goroutines int `json:"goroutines"`
	FDs        int `json:"fds"`
	Sandbox    struct {
		Runners []struct {
			Role  string `json:"role"`
			Spare bool   `json:"spare"`
		} `json:"runners"`
	} `json:"sandbox"`
}

// spares waits until a spare child of each role stands by: the server is ready
// before, and whoever measures it should find it complete.
func (s *server) spares() error {
	deadline := time.Now().Add(60 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		st, err := s.stats()
		if err != nil {
			return err
		}
		roles := map[string]bool{}
		for _, r := range st.Sandbox.Runners {
			if r.Spare || r.Role == "sql" { // of which there is one
				roles[r.Role] = true
			}
		}
		if roles["run"] && roles["build"] && roles["sql"] {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no spares after a minute: %v", st.Sandbox.Runners)
		}
	}
}

func (s *server) stats() (st stats, err error) {
	resp, err := http.Get(s.debug + "/debug/process")
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	return st, json.NewDecoder(resp.Body).Decode(&st)
}

// descriptors names what the server holds open, for messages.
func (s *server) descriptors() string {
	dir := fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid)
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		name, _ := os.Readlink(filepath.Join(dir, e.Name()))
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// goroutines is what the server's goroutines are at, those that do the same together, for messages.
func (s *server) goroutines() string {
	resp, err := http.Get(s.debug + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// free asks the server for debug.FreeOSMemory. Its children give memory back of themselves.
func (s *server) free() error {
	resp, err := http.Post(s.debug+"/debug/free", "", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return errors.New(resp.Status)
	}
	return nil
}

// tree lists the server and its descendants.
func (s *server) tree() []int {
	children := map[int][]int{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		b, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		if i := bytes.LastIndexByte(b, ')'); i > 0 {
			if f := strings.Fields(string(b[i+1:])); len(f) > 1 {
				ppid, _ := strconv.Atoi(f[1])
				children[ppid] = append(children[ppid], pid)
			}
		}
	}
	all := []int{int(s.pid.Load())}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// memory is the proportional resident size of the whole tree in bytes:
// pages that isolates share with the snapshot count once.
func (s *server) memory() int64 {
	var sum int64
	for _, m := range s.memories() {
		sum += m.bytes
	}
	return sum
}

// memories is the same by process.
func (s *server) memories() (all []memory) {
	for _, pid := range s.tree() {
		if n, err := box.PSS(pid); err == nil {
			all = append(all, memory{pid, n})
		}
	}
	return all
}

type memory struct {
	pid   int
	bytes int64
}

func (m memory) String() string {
	return fmt.Sprintf("%d: %d MB", m.pid, m.bytes>>20)
}

// cpu is the CPU time of the tree in clock ticks of 10 ms.
func (s *server) cpu() int64 {
	var sum int64
	for _, n := range s.cpus() {
		sum += n
	}
	return sum
}

// cpus is the same by process.
func (s *server) cpus() map[int]int64 {
	all := map[int]int64{}
	for _, pid := range s.tree() {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		if i := bytes.LastIndexByte(b, ')'); i > 0 {
			if f := strings.Fields(string(b[i+1:])); len(f) > 12 {
				u, _ := strconv.ParseInt(f[11], 10, 64)
				k, _ := strconv.ParseInt(f[12], 10, 64)
				all[pid] = u + k
			}
		}
	}
	return all
}

// session is one learner's browser: a cookie jar, and a socket per project.
type session struct {
	s      *server
	client *http.Client
	mu     sync.Mutex
	wire   bytes.Buffer // everything the platform said to this learner, but code excerpts
	out    bytes.Buffer // of that: response bodies and headers, log records and error texts
}

func (s *server) newSession() *session {
	jar, _ := cookiejar.New(nil)
	return &session{s: s, client: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

// remember gives the browser another cookie of the site, which no Worker may see.
func (x *session) remember(value string) {
	if u, err := url.Parse(x.s.base); err == nil {
		x.client.Jar.SetCookies(u, []*http.Cookie{{Name: "preference", Value: value, Path: "/"}})
	}
}

// heard keeps a copy of what the platform said, for the secrecy checks.
func (x *session) heard(b []byte) { x.keep(&x.wire, b) }

// output keeps a copy of what a Worker or an error put out.
func (x *session) output(parts ...string) {
	for _, p := range parts {
		x.heard([]byte(p))
		x.keep(&x.out, []byte(p))
	}
}

func (x *session) keep(in *bytes.Buffer, b []byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if in.Len() < 64<<20 {
		in.Write(b)
		in.WriteByte('\n')
	}
}

// said is all that the learner was told, and of it the output.
func (x *session) said() (wire, out string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.wire.String(), x.out.String()
}

// open visits the site so that the session has its cookie.
func (x *session) open(ctx context.Context) error {
	_, _, err := x.do(ctx, http.MethodGet, "/", nil)
	return err
}

// do sends a same-origin request as the page's scripts would.
func (x *session) do(ctx context.Context, method, path string, body any) (int, []byte, error) {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, x.s.base+path, r)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", x.s.base)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := x.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 32<<20))
	x.heard(b)
	return resp.StatusCode, b, err
}

// put stores a project. The status is 400 or 413 when the platform refuses it.
func (x *session) put(ctx context.Context, id, title string, p *Project, limits Limits, names *strings.Replacer) (status int, slug string, err error) {
	text, binary := p.filled(names)
	body := map[string]any{
		"title": title, "main": p.Main, "files": text, "files_base64": binary,
		"bindings": p.Bindings, "vars": fill(p.Env, names), "limits": limits,
	}
	status, b, err := x.do(ctx, http.MethodPut, "/api/projects/"+url.PathEscape(id), body)
	if err != nil {
		return 0, "", err
	}
	var saved struct {
		Slug string `json:"slug"`
	}
	_ = json.Unmarshal(b, &saved)
	if status >= 400 {
		x.output(string(b))
	}
	return status, saved.Slug, nil
}

func fill(env map[string]any, names *strings.Replacer) map[string]any {
	out := map[string]any{}
	for k, v := range env {
		out[k] = fillValue(v, names)
	}
	return out
}

func fillValue(v any, names *strings.Replacer) any {
	switch v := v.(type) {
	case string:
		return names.Replace(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = fillValue(e, names)
		}
		return out
	case map[string]any:
		return fill(v, names)
	}
	return v
}

// socket is the live connection of one project's page.
type socket struct {
	x    *session
	conn *websocket.Conn
	mu   sync.Mutex
	runs map[string]*answer
	err  error
}

// answer collects one run's events until it is done.
type answer struct {
	begin, end time.Time
	head       *trace.ResponseHead
	body       bytes.Buffer
	logs       []trace.Log
	logBytes   int
	summary    *trace.Summary
	refused    string        // the platform's error message instead of a run
	retry      time.Duration // when to send it again, 0 for never
	done       chan struct{}
}

type clientMessage struct {
	Type    string `json:"type"`
	ID      string `json:"id,omitempty"`
	Project string `json:"project,omitempty"`
	Request any    `json:"request,omitempty"`
}

type serverMessage struct {
	Type    string       `json:"type"`
	ID      string       `json:"id"`
	Event   *trace.Event `json:"event"`
	Message string       `json:"message"`
	Retry   int64        `json:"retry_ms"`
}

// dial opens the project's socket and waits for its welcome.
func (x *session) dial(ctx context.Context, project string) (*socket, error) {
	d := websocket.Dialer{Jar: x.client.Jar, HandshakeTimeout: 10 * time.Second, Subprotocols: []string{"coldstart.live.1"}}
	conn, resp, err := d.DialContext(ctx, "ws://"+x.s.addr+"/api/live", http.Header{"Origin": {x.s.base}})
	if err != nil {
		if resp != nil {
			return nil, fmt.Errorf("dial: %w (%s)", err, resp.Status)
		}
		return nil, err
	}
	sk := &socket{x: x, conn: conn, runs: map[string]*answer{}}
	if err := conn.WriteJSON(clientMessage{Type: "hello", Project: project}); err != nil {
		conn.Close()
		return nil, err
	}
	go sk.read()
	return sk, nil
}

func (sk *socket) close() { sk.conn.Close() }

func (sk *socket) read() {
	for {
		_, frame, err := sk.conn.ReadMessage()
		if err != nil {
			sk.mu.Lock()
			sk.err = err
			for _, a := range sk.runs {
				if a.end.IsZero() {
					a.refused, a.end = "socket closed: "+err.Error(), time.Now()
					close(a.done)
				}
			}
			sk.mu.Unlock()
			return
		}
		for _, line := range bytes.Split(frame, []byte("\n")) {
			sk.x.heard(withoutExcerpts(line))
			var m serverMessage
			if json.Unmarshal(line, &m) == nil {
				sk.handle(&m)
			}
		}
	}
}

func (sk *socket) handle(m *serverMessage) {
	sk.mu.Lock()
	defer sk.mu.Unlock()
	id := m.ID
	if m.Event != nil {
		id = m.Event.Run
	}
	a := sk.runs[id]
	if a == nil || !a.end.IsZero() {
		return
	}
	if m.Type == "error" {
		sk.x.output(m.Message)
		a.refused, a.retry, a.end = m.Message, time.Duration(m.Retry)*time.Millisecond, time.Now()
		close(a.done)
		return
	}
	e := m.Event
	if e == nil {
		return
	}
	switch e.Kind {
	case trace.KindResponse:
		a.head = e.Response
		for _, h := range e.Response.Headers {
			sk.x.output(h[0] + ": " + h[1])
		}
	case trace.KindFault:
		sk.x.output(e.Fault.Name, e.Fault.Message, e.Fault.Hint)
		for _, f := range e.Fault.Frames {
			sk.x.output(f.Func, f.File)
		}
	case trace.KindBody:
		a.body.Write(e.Body.Data)
	case trace.KindLog:
		a.logs = append(a.logs, *e.Log)
		b, _ := json.Marshal(e.Log)
		sk.x.output(e.Log.Text, string(b))
		a.logBytes += len(b)
	case trace.KindDone:
		a.summary, a.end = e.Summary, time.Now()
		sk.x.output(a.body.String())
		close(a.done)
	}
}

// withoutExcerpts takes the code excerpts of faults out of a message before it
// is searched. An excerpt shows a learner their own source beside their own
// error, so a word that the program holds, such as the "unreachable" that it
// must not answer, is there by right. Nothing else is left out, and no secret of
// the host can be in the source of a learner who does not know it.
func withoutExcerpts(line []byte) []byte {
	if !bytes.Contains(line, []byte(`"code":`)) {
		return line
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var m any
	if d.Decode(&m) != nil {
		return line
	}
	dropExcerpts(m)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(m) != nil {
		return line
	}
	return b.Bytes()
}

func dropExcerpts(v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if f, ok := x.(map[string]any); ok && k == "fault" {
				delete(f, "code")
			}
			dropExcerpts(x)
		}
	case []any:
		for _, x := range v {
			dropExcerpts(x)
		}
	}
}

// run sends one request from the page and waits for its end. When the site
// asks to wait, it waits and sends again, as a page does.
func (sk *socket) run(ctx context.Context, r Request, body string, names *strings.Replacer) (*answer, error) {
	for {
		a, err := sk.try(ctx, r, body, names)
		if err != nil || a.retry == 0 {
			return a, err
		}
		select {
		case <-time.After(a.retry):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (sk *socket) try(ctx context.Context, r Request, body string, names *strings.Replacer) (*answer, error) {
	id := "r" + token()[:12]
	a := &answer{begin: time.Now(), done: make(chan struct{})}
	headers := [][2]string{}
	for k, v := range r.Headers {
		headers = append(headers, [2]string{k, names.Replace(v)})
	}
	sk.mu.Lock()
	if sk.err != nil {
		sk.mu.Unlock()
		return nil, sk.err
	}
	sk.runs[id] = a
	err := sk.conn.WriteJSON(clientMessage{Type: "run", ID: id, Request: map[string]any{
		"method": r.Method, "path": names.Replace(r.Path), "headers": headers, "body": body,
	}})
	sk.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case <-a.done:
		return a, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("no end of the run: %w", context.Cause(ctx))
	}
}
