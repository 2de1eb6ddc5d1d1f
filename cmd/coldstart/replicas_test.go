package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"coldstart/web/classroom/pgtest"
	"coldstart/web/live"
)

// patience bounds every wait of these tests: far more than is needed.
const patience = 2 * time.Minute

// replica is one of several `coldstart serve` on one database.
type replica struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string
	done chan struct{}
	log  lockedBuffer
}

// launch starts a server without waiting for it.
func launch(t *testing.T, args ...string) *replica {
	t.Helper()
	exe, err := exec.LookPath("coldstart") // the test binary under that name
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{t: t, done: make(chan struct{})}
	r.cmd = exec.Command(exe, append([]string{"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir()}, args...)...)
	r.cmd.Env = append(os.Environ(), "COLDSTART_CACHE="+filepath.Join(cache, "coldstart-test"))
	r.cmd.Stdout, r.cmd.Stderr = &r.log, &r.log
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = r.cmd.Wait() // some of them are killed
		close(r.done)
	}()
	t.Cleanup(func() { r.signal(syscall.SIGTERM) })
	return r
}

// signal ends the server and waits for its end.
func (r *replica) signal(s syscall.Signal) {
	_ = r.cmd.Process.Signal(s) // it may have ended
	select {
	case <-r.done:
	case <-time.After(patience):
		_ = r.cmd.Process.Kill()
		<-r.done
	}
}

// ready waits until the server takes visitors.
func (r *replica) ready() {
	r.t.Helper()
	r.until("readiness", func() bool {
		if r.url == "" {
			r.url = address.FindString(r.log.String())
		}
		if r.url == "" {
			return false
		}
		resp, err := http.Get(r.url + "/readyz")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	})
}

func (r *replica) until(what string, ok func() bool) {
	r.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		select {
		case <-r.done:
			r.t.Fatalf("%s: the server ended:\n%s", what, r.log.String())
		default:
		}
		if time.Now().After(end) {
			r.t.Fatalf("%s did not come:\n%s", what, r.log.String())
		}
	}
}

// visitor is a browser, whose cookie counts at every replica.
type visitor struct {
	t    *testing.T
	http *http.Client
}

func newVisitor(t *testing.T) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, &http.Client{Jar: jar, Timeout: patience}}
}

func (v *visitor) send(r *replica, method, path, body string) (int, string) {
	v.t.Helper()
	req, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Origin", r.url)
	resp, err := v.http.Do(req)
	if err != nil {
		v.t.Fatalf("%s %s: %v\n%s", method, path, err, r.log.String())
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

type savedProject struct {
	Revision int64             `json:"revision"`
	Slug     string            `json:"slug"`
	Files    map[string]string `json:"files"`
}

// save puts a Worker that answers with text, and counts in KV.
func (v *visitor) save(r *replica, text string) savedProject {
	v.t.Helper()
	code := fmt.Sprintf(`export default { async fetch(request, env) {
	if (request.method === "POST") await env.NOTES.put("note", await request.text());
	return new Response(%q + " " + await env.NOTES.get("note"));
} }`, text)
	body, err := json.Marshal(map[string]any{"files": map[string]string{"src/index.js": code}, "bindings": map[string]string{"NOTES": "kv"}})
	if err != nil {
		v.t.Fatal(err)
	}
	status, answer := v.send(r, http.MethodPut, "/api/projects/shared", string(body))
	var p savedProject
	if err := json.Unmarshal([]byte(answer), &p); err != nil || status != http.StatusOK {
		v.t.Fatalf("save: %d %s, %v\n%s", status, answer, err, r.log.String())
	}
	return p
}

// answers waits until the Worker answers so at a replica: word of a save takes
// a moment to get there.
func (v *visitor) answers(r *replica, slug, want string) {
	v.t.Helper()
	last := ""
	defer func() {
		if v.t.Failed() {
			v.t.Logf("last answer: %s", last)
		}
	}()
	r.until(fmt.Sprintf("the Worker's answer %q", want), func() bool {
		status, body := v.send(r, http.MethodGet, "/w/"+slug+"/", "")
		last = fmt.Sprint(status, " ", body)
		return status == http.StatusOK && body == want
	})
}

// TestReplicas runs two servers on one database of PostgreSQL and kills one.
func TestReplicas(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t)
	one, two := launch(t, "--db", db), launch(t, "--db", db) // at once: one of them makes the tables
	one.ready()
	two.ready()

	v := newVisitor(t)
	v.send(one, http.MethodGet, "/", "")
	first := v.save(one, "first")
	if status, body := v.send(two, http.MethodGet, "/api/projects/shared", ""); status != http.StatusOK || !strings.Contains(body, "first") {
		t.Fatalf("what one server saved is at the other: %d %s", status, body)
	}
	page := v.page(two)
	v.answers(one, first.Slug, "first null")
	v.answers(two, first.Slug, "first null")
	if status, _ := v.send(one, http.MethodPost, "/w/"+first.Slug+"/", "kept"); status != http.StatusOK {
		t.Fatalf("put: %d", status)
	}
	v.answers(two, first.Slug, "first kept")

	second := v.save(one, "second")
	page.saved(second.Revision)
	v.answers(two, first.Slug, "second kept")

	grid(t, one, two)
	alarms(t, one, two)

	one.signal(syscall.SIGKILL)
	if status, body := v.send(two, http.MethodGet, "/api/projects/shared", ""); status != http.StatusOK || !strings.Contains(body, "second") || !strings.Contains(body, fmt.Sprintf(`"revision":%d`, second.Revision)) {
		t.Fatalf("after the kill: %d %s", status, body)
	}
	v.answers(two, first.Slug, "second kept")
	if third := v.save(two, "third"); third.Revision != second.Revision+1 {
		t.Errorf("the next save is revision %d", third.Revision)
	}
	back := launch(t, "--db", db)
	back.ready()
	v.answers(back, first.Slug, "third kept")
}

// rings is a Durable Object whose alarm notes each time that it rings under a
// name of its own, three times one after the other, and a cron that does so.
const rings = `import { DurableObject } from "cloudflare:workers";
export class Bell extends DurableObject {
	async set() { await this.ctx.storage.setAlarm(Date.now() + 1500); }
	async alarm() {
		const n = (await this.ctx.storage.get("n") ?? 0) + 1;
		await this.ctx.storage.put("n", n);
		await this.env.NOTES.put("ring-" + n + "-" + crypto.randomUUID(), "");
		if (n < 3) await this.set();
	}
}
export default {
	async scheduled(event, env) { await env.NOTES.put("tick-" + event.scheduledTime + "-" + crypto.randomUUID(), ""); },
	async fetch(request, env) {
		if (request.method === "POST") await env.BELL.get(env.BELL.idFromName("b")).set();
		const list = await env.NOTES.list();
		return Response.json(list.keys.map((key) => key.name.split("-").slice(0, 2).join(" ")));
	},
};`

// alarms sets an alarm that both servers know, and looks that it rings at one
// of them; likewise a cron, if the minute is over meanwhile.
func alarms(t *testing.T, one, two *replica) {
	t.Helper()
	v := newVisitor(t)
	v.send(one, http.MethodGet, "/", "")
	config := `{"name":"bell","main":"index.js","compatibility_date":"2026-08-01","triggers":{"crons":["* * * * *"]},
		"kv_namespaces":[{"binding":"NOTES","id":"n"}],"durable_objects":{"bindings":[{"name":"BELL","class_name":"Bell"}]},
		"migrations":[{"tag":"v1","new_sqlite_classes":["Bell"]}]}`
	body, err := json.Marshal(map[string]any{"files": map[string]string{"index.js": rings, "wrangler.jsonc": config}})
	if err != nil {
		t.Fatal(err)
	}
	status, answer := v.send(one, http.MethodPut, "/api/projects/bell", string(body))
	var p savedProject
	if err := json.Unmarshal([]byte(answer), &p); err != nil || status != http.StatusOK {
		t.Fatalf("save: %d %s, %v", status, answer, err)
	}
	if status, answer := v.send(one, http.MethodPost, "/w/"+p.Slug+"/", "set"); status != http.StatusOK {
		t.Fatalf("setting the alarm gives %d %s", status, answer)
	}
	seen := map[string]int{}
	two.until("the third ring", func() bool { // each question keeps the project deployed at both
		status, _ := v.send(one, http.MethodGet, "/w/"+p.Slug+"/", "")
		again, answer := v.send(two, http.MethodGet, "/w/"+p.Slug+"/", "")
		var names []string
		if status != http.StatusOK || again != http.StatusOK || json.Unmarshal([]byte(answer), &names) != nil {
			t.Fatalf("the bell answers %d, %d %s", status, again, answer)
		}
		clear(seen)
		for _, name := range names {
			seen[name]++
		}
		return seen["ring 3"] > 0
	})
	for name, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times: %v", name, n, seen)
		}
	}
}

// grid makes a class at one server and lets a learner join it at the other: the
// instructor's live view, open at the first, shows the learner.
func grid(t *testing.T, one, two *replica) {
	t.Helper()
	instructor, learner := newVisitor(t), newVisitor(t)
	claimed := false
	for _, r := range []*replica{one, two} { // the one that started last has the link that works
		token := setupToken.FindStringSubmatch(r.log.String())
		if token == nil {
			t.Fatalf("no link for the host in\n%s", r.log.String())
		}
		status, _ := instructor.form(one, "/setup", url.Values{"token": {token[1]}})
		claimed = claimed || status == http.StatusOK
	}
	if !claimed {
		t.Fatal("no server's link makes a host")
	}
	if status, body := instructor.form(one, "/classes", url.Values{"title": {"Morning"}}); status != http.StatusOK {
		t.Fatalf("class: %d %s", status, body)
	}
	_, list := instructor.send(one, http.MethodGet, "/classes", "")
	class, code := classAddress.FindString(list), joinCode.FindString(list)
	if class == "" || code == "" {
		t.Fatalf("no class in\n%s", list)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, one.url+class+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := instructor.http.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("live view: %v, %v", resp, err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() { // the view is open
		t.Fatal(lines.Err())
	}
	learner.send(two, http.MethodGet, "/", "")
	if status, body := learner.form(two, "/join", url.Values{"code": {code}, "nickname": {"Crossing"}}); status != http.StatusOK {
		t.Fatalf("join: %d %s", status, body)
	}
	for lines.Scan() {
		if strings.Contains(lines.Text(), "Crossing") {
			return
		}
	}
	t.Fatalf("the live view ended without the learner: %v", lines.Err())
}

var (
	setupToken   = regexp.MustCompile(`/setup\?token=(\S+)`)
	classAddress = regexp.MustCompile(`/classes/[0-9a-z]+`)
	joinCode     = regexp.MustCompile(`\b[0-9A-Z]{4}-[0-9A-Z]{4}\b`)
)

// form posts a form of a page.
func (v *visitor) form(r *replica, path string, values url.Values) (int, string) {
	v.t.Helper()
	req, err := http.NewRequest(http.MethodPost, r.url+path, strings.NewReader(values.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", r.url)
	resp, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// livePage is a page's socket.
type livePage struct {
	t    *testing.T
	conn *websocket.Conn
}

func (v *visitor) page(r *replica) *livePage {
	v.t.Helper()
	d := websocket.Dialer{Jar: v.http.Jar, Subprotocols: []string{live.Subprotocol}, HandshakeTimeout: patience}
	conn, _, err := d.Dial("ws"+strings.TrimPrefix(r.url, "http")+"/api/live", http.Header{"Origin": {r.url}})
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { conn.Close() })
	if err := conn.WriteJSON(live.ClientMessage{Type: "hello", Project: "shared"}); err != nil {
		v.t.Fatal(err)
	}
	p := &livePage{v.t, conn}
	p.until("a welcome", func(m live.ServerMessage) bool { return m.Type == "welcome" })
	return p
}

// saved waits for word of a revision.
func (p *livePage) saved(revision int64) {
	p.t.Helper()
	p.until("word of the save", func(m live.ServerMessage) bool { return m.Type == "saved" && m.Revision == revision })
}

func (p *livePage) until(what string, ok func(live.ServerMessage) bool) {
	p.t.Helper()
	if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		p.t.Fatal(err)
	}
	for {
		_, data, err := p.conn.ReadMessage()
		if err != nil {
			p.t.Fatalf("waiting for %s: %v", what, err)
		}
		for line := range bytes.Lines(data) {
			var m live.ServerMessage
			if err := json.Unmarshal(line, &m); err != nil {
				p.t.Fatal(err)
			}
			if ok(m) {
				return
			}
		}
	}
}

// batches is a queue whose consumer notes where it is; at the first delivery it
// stays at the second message.
const batches = `export default {
	async queue(batch, env) {
		for (const m of batch.messages) {
			await env.NOTES.put("began-" + m.body + "-" + m.attempts, "");
			if (m.body === "b" && m.attempts === 1) await scheduler.wait(9000);
			await env.NOTES.put("done-" + m.body, "");
			m.ack();
		}
	},
	async fetch(request, env) {
		if (request.method === "POST") await env.JOBS.sendBatch(["a", "b", "c"].map((body) => ({ body })));
		return Response.json((await env.NOTES.list()).keys.map((key) => key.name));
	},
};`

// TestKilledInTheMiddleOfABatch kills a server while its Worker works on a
// message: the other server delivers the batch again once the lease is over.
func TestKilledInTheMiddleOfABatch(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a lease of 30 s; make test-full runs it")
	}
	db := pgtest.Start(t)
	one, two := launch(t, "--db", db), launch(t, "--db", db)
	one.ready()
	two.ready()
	v := newVisitor(t)
	v.send(one, http.MethodGet, "/", "")
	config := `{"name":"jobs","main":"index.js","compatibility_date":"2026-08-01","kv_namespaces":[{"binding":"NOTES","id":"n"}],
		"queues":{"producers":[{"binding":"JOBS","queue":"jobs"}],"consumers":[{"queue":"jobs","max_batch_size":3,"max_batch_timeout":1}]}}`
	body, err := json.Marshal(map[string]any{"files": map[string]string{"index.js": batches, "wrangler.jsonc": config}})
	if err != nil {
		t.Fatal(err)
	}
	status, answer := v.send(one, http.MethodPut, "/api/projects/jobs", string(body))
	var p savedProject
	if err := json.Unmarshal([]byte(answer), &p); err != nil || status != http.StatusOK {
		t.Fatalf("save: %d %s, %v", status, answer, err)
	}
	if status, answer := v.send(one, http.MethodPost, "/w/"+p.Slug+"/", "go"); status != http.StatusOK {
		t.Fatalf("sending gives %d %s", status, answer)
	}
	notes := func(r *replica) string {
		status, answer := v.send(r, http.MethodGet, "/w/"+p.Slug+"/", "")
		if status != http.StatusOK {
			t.Fatalf("the notes: %d %s", status, answer)
		}
		return answer
	}
	one.until("the second message", func() bool { return strings.Contains(notes(one), `"began-b-1"`) })
	one.signal(syscall.SIGKILL)
	last := notes(two)
	for _, early := range []string{`"done-b"`, `"done-c"`} {
		if strings.Contains(last, early) {
			t.Fatalf("the server was killed too late: %s", last)
		}
	}
	two.until("the end of the batch", func() bool {
		last = notes(two)
		return strings.Contains(last, `"done-b"`) && strings.Contains(last, `"done-c"`)
	})
	if !strings.Contains(last, `"began-b-2"`) || strings.Contains(last, `"began-b-3"`) {
		t.Errorf("the batch was not delivered a second time, or not once: %s", last)
	}
}
