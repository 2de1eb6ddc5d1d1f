package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"coldstart/lessons"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/doortest"
)

// testLessons is one small lesson with everything in it, and one to come.
var testLessons = fstest.MapFS{
	"01-serverless/track.md": {Data: []byte("---\ntitle: Serverless\nsummary: Why.\n---\n")},
	"01-serverless/10-hello/lesson.md": {Data: []byte(`---
id: hello
title: Hello
summary: Say hello.
minutes: 5
open: src/index.js
request: { method: GET, path: /greet }
---
Words before.

:::predict
Which one is slow?
- [x] the first
- [ ] the second
:::

## 1. Greet

Say hello.

:::hint
Return a Response.
:::

:::quiz
Why?
- [x] it was running
- [ ] luck
  > No.
:::
`)},
	"01-serverless/10-hello/_files/src/index.js":    {Data: []byte("starter <b>&\n")},
	"01-serverless/10-hello/_solution/src/index.js": {Data: []byte("solution\n")},
	"01-serverless/10-hello/checks.js":              {Data: []byte(`test("1: greets", async ({ send }) => {});`)},
}

// server is a Site on a real listener.
type server struct {
	t     *testing.T
	site  *Site
	door  *doortest.Door
	store *classroom.Store
	path  string // of the database
	url   string
	log   *safeBuffer
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newServer(t *testing.T, handle func(*doortest.Call), change ...func(*Config)) *server {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.db")
	store, err := classroom.Open(t.Context(), classroom.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	catalog, problems := lessons.Load(testLessons)
	for _, p := range problems {
		if strings.HasPrefix(p.Code, "E") {
			t.Fatalf("test lesson: %v", p)
		}
	}
	s := &server{t: t, door: &doortest.Door{Handle: handle}, store: store, path: path, log: &safeBuffer{}}
	c := Config{Door: s.door, Catalog: catalog, Store: store, ReadLessons: readHere, Logger: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range change {
		f(&c)
	}
	running, stop := startServer(t, c)
	s.site, s.url = running.site, running.url
	t.Cleanup(func() {
		stop()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// atMost is a host who gives a request this much CPU time.
func atMost(cpu time.Duration) func(*Config) {
	return func(c *Config) {
		c.Ceiling = trace.Ceiling()
		c.Ceiling.CPU = cpu
	}
}

// A lesson's page names the limit that its code meets, which is the host's
// where that is lower.
func TestPageNamesTheHostsLimit(t *testing.T) {
	t.Parallel()
	for cpu, want := range map[time.Duration]string{2 * time.Second: `"cpu_us":50000`, 20 * time.Millisecond: `"cpu_us":20000`} {
		s := newServer(t, nil, atMost(cpu))
		if r := s.browser().get("/learn/serverless/hello"); r.status != 200 || !strings.Contains(r.body, want) {
			t.Errorf("at most %v: %d, without %s", cpu, r.status, want)
		}
	}
}

// startServer serves a site until stop is called.
func startServer(t *testing.T, c Config) (s *server, stop func()) {
	t.Helper()
	site, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := site.Server()
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(site.Listener(l)) })
	return &server{t: t, site: site, url: "http://" + l.Addr().String()}, func() {
		_ = srv.Close()
		site.Close(context.Background())
		wg.Wait()
	}
}

// browser is one visitor with a cookie jar, who sends what browsers send.
type browser struct {
	s      *server
	client *http.Client
}

func (s *server) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s: s, client: &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// reply is a whole answer.
type reply struct {
	status int
	header http.Header
	body   string
}

func (b *browser) send(r *http.Request) reply {
	b.s.t.Helper()
	resp, err := b.client.Do(r)
	if err != nil {
		b.s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}

func (b *browser) request(method, path, kind string, body io.Reader) *http.Request {
	b.s.t.Helper()
	r, err := http.NewRequest(method, b.s.url+path, body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if method != http.MethodGet {
		r.Header.Set("Origin", b.s.url)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return r
}

func (b *browser) get(path string) reply {
	b.s.t.Helper()
	return b.send(b.request(http.MethodGet, path, "", nil))
}

func (b *browser) json(method, path string, v any) reply {
	b.s.t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return b.send(b.request(method, path, "application/json", bytes.NewReader(data)))
}

func (b *browser) form(path string, fields ...string) reply {
	b.s.t.Helper()
	v := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	return b.send(b.request(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(v.Encode())))
}

func decode[T any](t *testing.T, r reply) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%d %q: %v", r.status, r.body, err)
	}
	return v
}

type obj = map[string]any

func TestHomeAndLessonRead(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	home := b.get("/")
	if home.status != 200 || !strings.Contains(home.body, `href="/learn/serverless/hello"`) || !strings.Contains(home.body, "Hello") {
		t.Errorf("home %d\n%s", home.status, home.body)
	}
	page := b.get("/learn/serverless/hello")
	for _, want := range []string{"<h1", "Words before.", "starter &lt;b&gt;&amp;", `action="/learn/serverless/hello/run#result"`, "/w/", `id="page-data"`, `data-piece="predict"`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the lesson page lacks %s", want)
		}
	}
	if strings.Contains(page.body, "No.") {
		t.Error("an explanation is in the page before the answer")
	}
	missing := b.get("/learn/serverless/helo")
	if missing.status != 404 || !strings.Contains(missing.body, `href="/learn/serverless/hello"`) {
		t.Errorf("a wrong address gives %d\n%s", missing.status, missing.body)
	}
}

func TestRunWithoutScripts(t *testing.T) {
	s := newServer(t, func(c *doortest.Call) {
		c.Log("logged <i>")
		c.Head(201, [2]string{"Content-Type", "text/plain"})
		_, _ = io.WriteString(c, "answer <b> "+c.Run.Method+" "+strings.TrimPrefix(c.Run.URL, "https://")+" "+c.Code)
	})
	b := s.browser()
	b.get("/learn/serverless/hello")
	r := b.form("/learn/serverless/hello/run", "method", "POST", "path", "/x?y=1", "body", "b", "headers", "A: 1\r\nB: 2", "file:src/index.js", "edited\r\ncode\r\n")
	if r.status != 303 || !strings.HasSuffix(r.header.Get("Location"), "#result") {
		t.Fatalf("run answers %d %s\n%s", r.status, r.header.Get("Location"), r.body)
	}
	at, _, _ := strings.Cut(r.header.Get("Location"), "#")
	page := b.get(at)
	for _, want := range []string{"201", "answer &lt;b&gt; POST", "/x?y=1 edited\ncode", "logged &lt;i&gt;", "edited\ncode\n"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page with the result lacks %q", want)
		}
	}
	got := decode[projectJSON](t, b.get("/api/projects/hello"))
	if got.Revision != 2 || got.Files["src/index.js"] != "edited\ncode\n" {
		t.Errorf("saved %+v", got)
	}
	// The same form again changes nothing.
	b.form("/learn/serverless/hello/run", "method", "GET", "path", "/", "file:src/index.js", "edited\r\ncode\r\n")
	if got := decode[projectJSON](t, b.get("/api/projects/hello")); got.Revision != 2 {
		t.Errorf("revision %d after a run without an edit", got.Revision)
	}
	if r := b.form("/learn/serverless/hello/run", "times", "cold20", "path", "/"); r.status != 303 {
		t.Errorf("×20 answers %d", r.status)
	}
	if runs := decode[[]classroom.Run](t, b.get("/api/projects/hello/runs")); len(runs) != 22 {
		t.Errorf("%d runs are kept", len(runs))
	}
	other := s.browser()
	other.get("/")
	if r := other.get("/api/projects/hello/runs"); strings.Contains(r.body, "answer") {
		t.Error("another learner sees the runs")
	}
}

func TestSaveConflictUndo(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	b.get("/learn/serverless/hello")
	put := func(base int64, text string) reply {
		return b.json("PUT", "/api/projects/hello", obj{"base": base, "files": obj{"src/index.js": text}, "why": "edit"})
	}
	first := decode[projectJSON](t, put(0, "one"))
	if first.Revision != 1 || !slugForm.MatchString(first.Slug) {
		t.Fatalf("first save %+v", first)
	}
	if got := decode[projectJSON](t, put(1, "two")); got.Revision != 2 {
		t.Errorf("second save %+v", got)
	}
	if got := decode[projectJSON](t, put(1, "two")); got.Revision != 2 {
		t.Errorf("repeated save %+v", got)
	}
	r := put(1, "three")
	conflict := decode[projectJSON](t, r)
	if r.status != 409 || conflict.Revision != 2 || conflict.Files["src/index.js"] != "two" || conflict.Yours["src/index.js"] != "three" || conflict.Error == "" {
		t.Errorf("conflict %d %+v", r.status, conflict)
	}
	reset := decode[projectJSON](t, b.json("POST", "/api/projects/hello/reset", obj{"base": 2}))
	if reset.Revision != 3 || reset.Files["src/index.js"] != "starter <b>&\n" || !reset.Undo {
		t.Errorf("reset %+v", reset)
	}
	undone := decode[projectJSON](t, b.json("POST", "/api/projects/hello/undo", obj{"base": 3}))
	if undone.Files["src/index.js"] != "two" || undone.Undo {
		t.Errorf("undo %+v", undone)
	}
	solved := decode[projectJSON](t, b.json("POST", "/api/projects/hello/solve", obj{}))
	if solved.Files["src/index.js"] != "solution\n" {
		t.Errorf("solve %+v", solved)
	}
	versions := decode[[]versionJSON](t, b.get("/api/projects/hello/versions"))
	if len(versions) != 5 || versions[0].Why != "solution" || versions[4].Revision != 1 || versions[0].Saved < 1e12 {
		t.Errorf("versions %+v", versions)
	}
	if v := decode[projectJSON](t, b.get("/api/projects/hello/versions/1")); v.Files["src/index.js"] != "one" {
		t.Errorf("version 1 %+v", v)
	}
	back := decode[projectJSON](t, b.json("POST", "/api/projects/hello/restore", obj{"revision": 1}))
	if back.Files["src/index.js"] != "one" {
		t.Errorf("restore %+v", back)
	}
	if r := b.json("DELETE", "/api/projects/hello", nil); r.status == 200 {
		t.Error("a DELETE with a body is taken though the route takes none")
	}
	if r := b.send(b.request("DELETE", "/api/projects/hello", "", nil)); r.status != 200 {
		t.Errorf("delete %d %s", r.status, r.body)
	}
	if got := decode[projectJSON](t, b.get("/api/projects/hello")); got.Revision != 0 || got.Files["src/index.js"] != "starter <b>&\n" || got.Slug != first.Slug {
		t.Errorf("after delete %+v", got)
	}
}

func TestFreeProjectWithBinaryFiles(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	b.get("/")
	r := b.json("PUT", "/api/projects/case-1", obj{
		"title": "A case", "main": "worker.js", "files": obj{"worker.js": "code"}, "files_base64": obj{"m.wasm": []byte{0, 0xff}},
		"bindings": obj{"KV": "kv"}, "vars": obj{"A": "x", "__proto__": obj{"admin": true}}, "limits": obj{"cpu_ms": 500, "wall_ms": 1000, "memory_mb": 64},
	})
	if r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	// An editor that knows only text does not lose the binary file.
	r = b.json("PUT", "/api/projects/case-1", obj{"base": 1, "files": obj{"worker.js": "edited"}})
	got := decode[projectJSON](t, b.get("/api/projects/case-1"))
	if r.status != 200 || got.Files["worker.js"] != "edited" || string(got.Binary["m.wasm"]) != "\x00\xff" || got.Title != "A case" {
		t.Errorf("%d %+v", r.status, got)
	}
	for name, body := range map[string]obj{
		"no files":        {"title": "x"},
		"bad name":        {"files": obj{"../x": ""}},
		"twins":           {"files": obj{"a.js": "", "A.js": ""}},
		"both kinds":      {"files": obj{"a.js": ""}, "files_base64": obj{"a.js": ""}},
		"unknown key":     {"files": obj{"a.js": ""}, "colour": "red"},
		"unknown binding": {"files": obj{"a.js": ""}, "bindings": obj{"X": "toaster"}},
		"unknown reason":  {"files": obj{"a.js": ""}, "why": "because"},
		"negative limit":  {"files": obj{"a.js": ""}, "limits": obj{"cpu_ms": -1}},
		"bad main":        {"files": obj{"a.js": ""}, "main": "../../etc"},
	} {
		r := b.json("PUT", "/api/projects/case-2", body)
		if e := decode[obj](t, r)["error"]; r.status != 400 || e == nil || strings.Count(e.(string), "\n") > 0 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r := b.json("PUT", "/api/projects/..%2Fx", obj{"files": obj{"a.js": ""}}); r.status != 400 && r.status != 404 {
		t.Errorf("a strange id gives %d", r.status)
	}
	if r := b.json("PUT", "/api/projects/case-3", obj{"files": obj{"a.js": strings.Repeat("x", 1<<20+1)}}); r.status != 413 || !strings.Contains(r.body, "a.js") {
		t.Errorf("too much source gives %d %s", r.status, r.body)
	}
	zip := b.get("/api/projects/case-1/export.zip")
	if zip.status != 200 || !strings.HasPrefix(zip.body, "PK") || !strings.Contains(zip.header.Get("Content-Disposition"), "case-1.zip") {
		t.Errorf("export %d %v", zip.status, zip.header)
	}
	if starter := b.get("/api/projects/hello/export.zip"); starter.status != 200 || !strings.HasPrefix(starter.body, "PK") {
		t.Errorf("a lesson in which nothing was saved gives %d %.80s", starter.status, starter.body)
	}
}

func TestAnswersAndHints(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	b.get("/learn/serverless/hello")
	r := b.form("/learn/serverless/hello/answer", "question", "quiz-1", "answer", "1")
	if r.status != 303 || !strings.HasSuffix(r.header.Get("Location"), "#quiz-1") {
		t.Fatalf("answer gives %d %s", r.status, r.header.Get("Location"))
	}
	if page := b.get("/learn/serverless/hello"); !strings.Contains(page.body, "No.") || !strings.Contains(page.body, "choice-wrong") {
		t.Error("the wrong answer is not explained")
	}
	for _, bad := range [][]string{{"question", "quiz-1"}, {"question", "quiz-9", "answer", "0"}, {"question", "quiz-1", "answer", "7"}, {"question", "quiz-1", "answer", "x"}} {
		if r := b.form("/learn/serverless/hello/answer", bad...); r.status != 400 {
			t.Errorf("%v gives %d", bad, r.status)
		}
	}
	if r := b.form("/learn/serverless/hello/hint", "task", "1", "hint", "1"); r.status != 303 {
		t.Errorf("hint gives %d", r.status)
	}
	if page := b.get("/learn/serverless/hello"); !strings.Contains(page.body, "<details class=\"hint\" open") {
		t.Error("the hint is not open")
	}
	if r := b.form("/learn/serverless/hello/hint", "task", "1", "hint", "9"); r.status != 400 {
		t.Errorf("no such hint gives %d", r.status)
	}
}

func TestHostIsClaimedByLink(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	if r := b.get("/setup"); r.status != 403 {
		t.Errorf("setup without a token gives %d", r.status)
	}
	if r := b.get("/api/stats"); r.status != 403 {
		t.Errorf("stats as a learner gives %d", r.status)
	}
	link, err := s.site.AdminLink(t.Context(), s.url, false)
	if err != nil || !strings.HasPrefix(link, s.url+"/setup?token=") {
		t.Fatalf("link %q, %v", link, err)
	}
	_, token, _ := strings.Cut(link, "token=")
	db := s.open()
	defer db.Close()
	var expires int64
	if err := db.QueryRow(`SELECT expires_at FROM tokens WHERE purpose = 'host'`).Scan(&expires); err != nil {
		t.Fatal(err)
	}
	if d := time.Until(time.UnixMilli(expires)); d > time.Hour || d < 50*time.Minute {
		t.Errorf("the link works for %v", d)
	}
	if r := b.get("/setup?token=" + token); r.status != 200 || !strings.Contains(r.body, token) {
		t.Errorf("setup with the token gives %d", r.status)
	}
	before := b.cookie()
	if r := b.form("/setup", "token", token); r.status != 303 {
		t.Fatalf("claim gives %d %s", r.status, r.body)
	}
	if b.cookie() == before {
		t.Error("the session was not rotated")
	}
	if r := b.get("/api/stats"); r.status != 200 {
		t.Errorf("stats as the host gives %d", r.status)
	}
	old := s.browser()
	r := old.request("GET", "/api/projects", "", nil)
	r.Header.Set("Cookie", cookieName+"="+before)
	if got := old.send(r); got.status != 401 {
		t.Errorf("the old session gives %d", got.status)
	}
	other := s.browser()
	other.get("/")
	if r := other.form("/setup", "token", token); r.status != 410 {
		t.Errorf("a second claim gives %d", r.status)
	}
	if link, err := s.site.AdminLink(t.Context(), s.url, false); err != nil || link != "" {
		t.Errorf("a link is offered though there is a host: %q, %v", link, err)
	}
	if r := b.get("/you"); !strings.Contains(r.body, `href="/host"`) || !strings.Contains(r.body, "This browser is the host") {
		t.Error("the host's own page does not lead to the accounts")
	}
	// A host who lost the browser asks for another link.
	link, err = s.site.AdminLink(t.Context(), s.url, true)
	if err != nil {
		t.Fatal(err)
	}
	if r := other.form("/setup", "token", link[strings.Index(link, "token=")+6:]); r.status != 303 || other.get("/host").status != 200 {
		t.Errorf("another host's link gives %d", r.status)
	}
}

// cookie is the value of the session cookie the browser holds.
func (b *browser) cookie() string {
	u, err := url.Parse(b.s.url)
	if err != nil {
		b.s.t.Fatal(err)
	}
	for _, k := range b.client.Jar.Cookies(u) {
		if k.Name == cookieName {
			return k.Value
		}
	}
	return ""
}

func TestReadyUntilClosing(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200} {
		if r := b.get(path); r.status != want {
			t.Errorf("%s gives %d", path, r.status)
		}
	}
	s.site.closing.Store(true)
	if r := b.get("/readyz"); r.status != 503 {
		t.Errorf("/readyz while closing gives %d", r.status)
	}
	if r := b.get("/healthz"); r.status != 200 {
		t.Errorf("/healthz while closing gives %d", r.status)
	}
}

// Who is refused on a page of its own finds the way back to the form, if that
// is a page of this site; an import is refused where its form is.
// Only who cannot help themselves is given a number to have looked up.
func TestNumberOfRefusal(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	for path, want := range map[string]int{"/nowhere": 404, "/classes": 401} {
		r := b.get(path)
		if r.status != want || strings.Contains(r.body, "tell whoever runs this server") {
			t.Errorf("%s gives %d, its number there: %t", path, r.status, strings.Contains(r.body, "number <code>"))
		}
	}
	r := b.send(b.request(http.MethodPost, "/you/erase", "application/x-www-form-urlencoded", strings.NewReader("a=b")))
	if !strings.Contains(r.body, "tell whoever runs this server") {
		t.Errorf("what did not work has no number:\n%s", r.body)
	}
}

func TestRefusalLeadsBack(t *testing.T) {
	s := newServer(t, nil)
	b := s.instructor("ada")
	settings := "/classes/" + b.newClass("Period 3").ID + "/settings"
	refused := func(path, from, field, value string) string {
		t.Helper()
		r := b.request(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(url.Values{field: {value}}.Encode()))
		r.Header.Set("Referer", from)
		got := b.send(r)
		if got.status != http.StatusBadRequest {
			t.Fatalf("%s gives %d", path, got.status)
		}
		return got.body
	}
	for from, back := range map[string]string{s.url + "/you?x=1": `href="/you?x=1"`, s.url + settings: "", "https://elsewhere.example/you": "", s.url + "/you/erase": ""} {
		body := refused("/you/erase", from, "a", "b")
		if got := strings.Contains(body, ">Back<"); got != (back != "" || from == s.url+settings) || !strings.Contains(body, back) {
			t.Errorf("from %s the way back is there: %t", from, got)
		}
	}
	if body := refused(settings, s.url+settings, "title", ""); !strings.Contains(body, `href="`+settings+`">Back<`) {
		t.Errorf("the settings refuse without a way back:\n%s", body)
	}
	if body := refused("/projects", s.url+"/you", "title", "Mine"); !strings.Contains(body, `value="Mine"`) || !strings.Contains(body, `aria-describedby="form-error" aria-invalid="true" autofocus`) {
		t.Errorf("a refused import:\n%s", body)
	}
}
