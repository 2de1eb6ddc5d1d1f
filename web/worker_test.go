package web

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"coldstart/sandbox/trace"
	"coldstart/web/doortest"
)

// deployed saves a project and gives its slug.
func (b *browser) deployed(code string) string {
	b.s.t.Helper()
	b.get("/")
	r := b.json("PUT", "/api/projects/w", obj{"files": obj{"src/index.js": code}})
	if r.status != 200 {
		b.s.t.Fatalf("save %d %s", r.status, r.body)
	}
	return decode[projectJSON](b.s.t, r).Slug
}

// raw sends bytes and reads one response, so that nothing tidies the request up.
func (s *server) raw(request string) (*http.Response, string) {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) { // a refused request may be cut after its answer
		s.t.Fatal(err)
	}
	return resp, string(body)
}

// headersOf are a run's headers as text.
func headersOf(c *doortest.Call) string {
	var b strings.Builder
	for _, h := range c.Run.Headers {
		fmt.Fprintf(&b, "%s=%s\n", strings.ToLower(h[0]), h[1])
	}
	return b.String()
}

func TestWorkerSeesItsAddressByteForByte(t *testing.T) {
	s := newServer(t, func(c *doortest.Call) { _, _ = io.WriteString(c, c.Run.URL) })
	slug := s.browser().deployed("x")
	for _, target := range []string{
		"/", "/a%2fb//c/./d/../e", "/?", "/?a=%7E~+%20&&=", "/ü%C3", "/a;b=c", "/%41%2e%2e/", "/x?/w/" + slug + "/", "//evil.example/",
	} {
		for _, host := range []string{"127.0.0.1", slug + ".localhost:1234"} {
			path := "/w/" + slug + target
			if host != "127.0.0.1" {
				path = target
			}
			resp, body := s.raw("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
			if want := "https://" + slug + ".example" + target; resp.StatusCode != 200 || body != want {
				t.Errorf("%s at %s: %d %q, want %q", target, host, resp.StatusCode, body, want)
			}
		}
	}
	for path, want := range map[string]string{"/w/" + slug: "/w/" + slug + "/", "/w/" + slug + "?a=1": "/w/" + slug + "/?a=1"} {
		resp, _ := s.raw("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if resp.StatusCode != 308 || resp.Header.Get("Location") != want {
			t.Errorf("%s: %d to %q", path, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
	for _, path := range []string{"/w/", "/w/short/", "/w/" + strings.Repeat("x", 16) + "/", "/w/" + strings.ToUpper(slug) + "/", "/w/%2e%2e/"} {
		resp, _ := s.raw("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if resp.StatusCode != 404 {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

// hostile are response headers that must not act on the site's origin.
var hostile = [][2]string{
	{"Content-Type", "text/html"},
	{"Set-Cookie", "coldstart=stolen; Path=/"},
	{"Set-Cookie", "wide=1; Domain=localhost"},
	{"Set-Cookie", "wide=2; Domain =localhost"},
	{"Set-Cookie", "wide=3;\tdomain\t= .localhost; Path=/"},
	{"Set-Cookie", "wide=4; Domain=\"localhost"},
	{"Set-Cookie", "domain=5; Path=/"},
	{"Sec-Session-Registration", "(ES256);path=\"/start\""},
	{"Secure-Session-Challenge", "\"c\";id=\"s\""},
	{"Clear-Site-Data", `"*"`},
	{"Strict-Transport-Security", "max-age=1"},
	{"Refresh", "0;url=https://evil.example"},
	{"Alt-Svc", "h3=\":1\""},
	{"NEL", "{}"},
	{"Report-To", "{}"},
	{"Service-Worker-Allowed", "/"},
	{"Access-Control-Allow-Credentials", "true"},
	{"Content-Security-Policy", "default-src *"},
	{"X-Content-Type-Options", "sniff"},
	{"Referrer-Policy", "unsafe-url"},
	{"Proxy-Authenticate", "Basic"},
	{"Upgrade", "h2c"},
	{"Connection", "upgrade"},
	{"Transfer-Encoding", "gzip"},
	{"Location", "/next?a=1"},
	{"X-Own", "kept"},
	{"Cache-Control", "max-age=60"},
	{"ETag", `"1"`},
}

func TestWorkerHeaders(t *testing.T) {
	s := newServer(t, func(c *doortest.Call) {
		c.Head(302, hostile...)
		_, _ = io.WriteString(c, headersOf(c))
	})
	slug := s.browser().deployed("x")
	ask := func(host, path string) (*http.Response, string) {
		return s.raw("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nCookie: " + cookieName + "=mine; other=1\r\nAuthorization: Basic abc\r\nX-Forwarded-For: 1.2.3.4\r\nX-Real-Ip: 1.2.3.4\r\nX-Twice: a\r\nX-Twice: b\r\nConnection: close\r\n\r\n")
	}
	t.Run("on the site's host", func(t *testing.T) {
		resp, seen := ask("site.test", "/w/"+slug+"/")
		h := resp.Header
		for _, name := range []string{"Set-Cookie", "Clear-Site-Data", "Strict-Transport-Security", "Refresh", "Alt-Svc", "Nel", "Report-To", "Service-Worker-Allowed", "Access-Control-Allow-Credentials", "Proxy-Authenticate", "Upgrade", "Sec-Session-Registration", "Secure-Session-Challenge"} {
			if h.Get(name) != "" {
				t.Errorf("%s: %s is passed on", name, h.Get(name))
			}
		}
		if got := h.Values("Content-Security-Policy"); !slices.Equal(got, []string{workerPolicy}) {
			t.Errorf("policy %q", got)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "cross-origin", "X-Own": "kept",
			"Cache-Control": "max-age=60", "Etag": `"1"`, "Content-Type": "text/html", "Location": "/w/" + slug + "/next?a=1",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %q, want %q", name, h.Get(name), want)
			}
		}
		for _, absent := range []string{"cookie=", "x-forwarded-for", "x-real-ip", "connection="} {
			if strings.Contains(seen, absent) {
				t.Errorf("the Worker sees %s in\n%s", absent, seen)
			}
		}
		for _, want := range []string{"host=" + slug + ".example\n", "authorization=Basic abc\n", "x-twice=a\nx-twice=b\n"} {
			if !strings.Contains(seen, want) {
				t.Errorf("the Worker does not see %q in\n%s", want, seen)
			}
		}
	})
	t.Run("on its own host", func(t *testing.T) {
		resp, seen := ask(slug+".localhost:8080", "/")
		h := resp.Header
		if got := h.Values("Content-Security-Policy"); !slices.Equal(got, []string{workerPolicy, "default-src *"}) {
			t.Errorf("policies %q", got)
		}
		if got := h.Values("Set-Cookie"); !slices.Equal(got, []string{"coldstart=stolen; Path=/", "domain=5; Path=/"}) {
			t.Errorf("cookies %q", got)
		}
		for name, want := range map[string]string{"Refresh": "0;url=https://evil.example", "Location": "/next?a=1", "X-Content-Type-Options": "nosniff", "Service-Worker-Allowed": "/"} {
			if h.Get(name) != want {
				t.Errorf("%s: %q, want %q", name, h.Get(name), want)
			}
		}
		if !strings.Contains(seen, "cookie=other=1\n") {
			t.Errorf("the Worker's own cookie was lost, or ours was not:\n%s", seen)
		}
	})
}

// Each header that would act on more than the answer it comes with stays here,
// however it is written, unless the Worker has a host name of its own.
func TestWorkerHeadersForAnOriginStayHere(t *testing.T) {
	names := strings.Fields(`Set-Cookie Set-Cookie2 Clear-Site-Data Strict-Transport-Security Public-Key-Pins Expect-CT Refresh Alt-Svc NEL Report-To Reporting-Endpoints
		Service-Worker-Allowed Content-Security-Policy-Report-Only Access-Control-Allow-Credentials Accept-CH Critical-CH Origin-Agent-Cluster Cross-Origin-Opener-Policy
		Cross-Origin-Embedder-Policy Speculation-Rules Supports-Loading-Mode Set-Login Attribution-Reporting-Register-Source Attribution-Reporting-Register-Trigger
		Observe-Browsing-Topics Use-As-Dictionary Proxy-Authenticate Sec-Session-Registration Secure-Session-Registration Sec-Session-Challenge Secure-Session-Challenge
		Secure-Session-Skipped Shared-Storage-Write Activate-Storage-Access Ad-Auction-Allowed Ad-Auction-Signals Ad-Auction-Result Ad-Auction-Additional-Bid Coldstart-Fault`)
	for _, spelled := range []func(string) string{strings.ToLower, strings.ToUpper, http.CanonicalHeaderKey} {
		s := newServer(t, func(c *doortest.Call) {
			list := [][2]string{{"X-Own", "kept"}}
			for _, name := range names {
				list = append(list, [2]string{spelled(name), "x=1"}, [2]string{name, "y=2"})
			}
			c.Head(200, list...)
		})
		slug := s.browser().deployed("x")
		here, _ := s.raw("GET /w/" + slug + "/ HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n")
		own, _ := s.raw("GET / HTTP/1.1\r\nHost: " + slug + ".localhost\r\nConnection: close\r\n\r\n")
		for _, name := range names {
			if got := here.Header.Values(name); len(got) > 0 {
				t.Errorf("%s: %q is passed on", name, got)
			}
			want := 2
			if name == "Coldstart-Fault" || name == "Proxy-Authenticate" || name == "Clear-Site-Data" {
				want = 0
			}
			if got := own.Header.Values(name); len(got) != want {
				t.Errorf("%s: %q comes from the Worker's own host", name, got)
			}
		}
		if here.Header.Get("X-Own") != "kept" {
			t.Errorf("headers %v", here.Header)
		}
	}
}

func TestRelocate(t *testing.T) {
	const slug, prefix = "abcdefghjkmn", "/w/abcdefghjkmn"
	tests := []struct{ to, onPrefix, onHost string }{
		{"/x", prefix + "/x", "/x"},
		{"/", prefix + "/", "/"},
		{"x", "x", "x"},
		{"?a", "?a", "?a"},
		{"//other.example/x", "//other.example/x", "//other.example/x"},
		{`/\other.example`, `/\other.example`, `/\other.example`},
		{"https://other.example/", "https://other.example/", "https://other.example/"},
		{"https://" + slug + ".example/x?y", prefix + "/x?y", "/x?y"},
		{"https://" + slug + ".example", prefix + "/", "/"},
		{"http://" + slug + ".example#f", prefix + "/#f", "/#f"},
		{"https://" + slug + ".example.evil/", "https://" + slug + ".example.evil/", "https://" + slug + ".example.evil/"},
		{"https://" + slug + ".example//evil/", prefix + "//evil/", "https://" + slug + ".example//evil/"},
	}
	for _, test := range tests {
		if got := relocate(test.to, slug, prefix); got != test.onPrefix {
			t.Errorf("%s on the site's host: %s, want %s", test.to, got, test.onPrefix)
		}
		if got := relocate(test.to, slug, ""); got != test.onHost {
			t.Errorf("%s on its own host: %s, want %s", test.to, got, test.onHost)
		}
	}
}

func TestWorkerServesTheNewestSave(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	slug := b.deployed("one")
	visitor := s.browser()
	for _, step := range []struct {
		code   string
		status int
		want   string
	}{{"one", 200, "one"}, {"two", 200, "two"}, {"syntax error", 500, "src/index.js:1:8"}, {"three", 200, "three"}} {
		b.json("PUT", "/api/projects/w", obj{"files": obj{"src/index.js": step.code}})
		for range 2 {
			r := visitor.get("/w/" + slug + "/")
			if r.status != step.status || !strings.Contains(r.body, step.want) || r.header.Get("Content-Security-Policy") != workerPolicy {
				t.Errorf("%s: %d %q %v", step.code, r.status, r.body, r.header)
			}
		}
	}
	if builds, _ := s.door.Counts(); builds != 4 {
		t.Errorf("%d builds for 4 versions", builds)
	}
	if r := b.send(b.request("DELETE", "/api/projects/w", "", nil)); r.status != 200 {
		t.Fatal(r.status)
	}
	if r := visitor.get("/w/" + slug + "/"); r.status != 404 {
		t.Errorf("a deleted Worker answers %d", r.status)
	}
}

func TestWorkerStreams(t *testing.T) {
	next := make(chan struct{})
	s := newServer(t, func(c *doortest.Call) {
		for i := range 3 {
			fmt.Fprintf(c, "piece %d\n", i)
			<-next
		}
	})
	slug := s.browser().deployed("x")
	resp, err := http.Get(s.url + "/w/" + slug + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for i := range 3 {
		line, err := lines.ReadString('\n')
		if err != nil || line != fmt.Sprintf("piece %d\n", i) {
			t.Fatalf("piece %d: %q, %v", i, line, err)
		}
		next <- struct{}{}
	}
}

func TestWorkerWebSocket(t *testing.T) {
	s := newServer(t, func(c *doortest.Call) {
		if c.Run.Upgrade {
			c.Accept()
		}
	})
	slug := s.browser().deployed("x")
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.url, "http")+"/w/"+slug+"/socket", http.Header{"Origin": {"https://anywhere.example"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, data, err := conn.ReadMessage(); err != nil || string(data) != "HELLO" {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestWorkerStatuses(t *testing.T) {
	s := newServer(t, func(c *doortest.Call) {
		var status int
		_, _ = fmt.Sscanf(c.Run.URL[strings.LastIndexByte(c.Run.URL, '/')+1:], "%d", &status)
		c.Head(status)
		_, _ = io.WriteString(c, "must-not-appear-in-some")
	})
	slug := s.browser().deployed("x")
	for status, want := range map[int]int{200: 200, 204: 204, 205: 205, 304: 304, 404: 404, 599: 599, 99: 503, 100: 503, 199: 503, 600: 503, 1000: 503, 0: 503} {
		resp, body := s.raw(fmt.Sprintf("GET /w/%s/%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", slug, status))
		if resp.StatusCode != want {
			t.Errorf("status %d arrives as %d", status, resp.StatusCode)
		}
		if slices.Contains([]int{204, 205, 304}, status) && body != "" {
			t.Errorf("status %d has the body %q", status, body)
		}
	}
	resp, body := s.raw("HEAD /w/" + slug + "/200 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if resp.StatusCode != 200 || body != "" {
		t.Errorf("HEAD: %d %q", resp.StatusCode, body)
	}
}

func TestWorkerBodyLimit(t *testing.T) {
	s := newServer(t, func(c *doortest.Call) {
		n, err := io.Copy(io.Discard, c.Run.Body)
		if err != nil {
			c.Fail(&trace.Fault{Kind: trace.FaultException, Message: err.Error()})
			<-c.Done()
			return
		}
		fmt.Fprint(c, n)
	})
	b := s.browser()
	slug := b.deployed("x")
	post := func(body io.Reader) reply {
		return b.send(b.request("POST", "/w/"+slug+"/", "application/octet-stream", body))
	}
	if r := post(bytes.NewReader(make([]byte, workerBody))); r.status != 200 || r.body != fmt.Sprint(workerBody) {
		t.Errorf("a body at the limit: %d %s", r.status, r.body)
	}
	for name, body := range map[string]io.Reader{
		"with its length": bytes.NewReader(make([]byte, workerBody+1)),
		"without":         io.MultiReader(bytes.NewReader(make([]byte, workerBody+1))),
	} {
		if r := post(body); r.status != http.StatusRequestEntityTooLarge {
			t.Errorf("a body over the limit %s: %d %s", name, r.status, r.body)
		}
	}
}

// A Worker's path is on the site's origin, which the site's own policy trusts.
func TestWorkerCannotBecomeAPartOfThePage(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	slug := b.deployed("alert(1)")
	for dest, want := range map[string]int{"script": 403, "style": 403, "worker": 403, "serviceworker": 403, "font": 403, "object": 403, "iframe": 200, "document": 200, "empty": 200} {
		r := b.request("GET", "/w/"+slug+"/x.js", "", nil)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Sec-Fetch-Dest", dest)
		if got := b.send(r); got.status != want {
			t.Errorf("dest %s: %d", dest, got.status)
		}
		r = b.request("GET", "/w/"+slug+"/x.js", "", nil) // from the Worker's own opaque page
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Dest", dest)
		if got := b.send(r); got.status != 200 {
			t.Errorf("dest %s from elsewhere: %d", dest, got.status)
		}
	}
	r := b.request("GET", "/w/"+slug+"/sw.js", "", nil)
	r.Header.Set("Service-Worker", "script")
	if got := b.send(r); got.status != 403 {
		t.Errorf("a service worker script: %d", got.status)
	}
}

func TestWorkerBudgetIsItsOwn(t *testing.T) {
	s := newServer(t, nil, func(c *Config) { c.Rates.Worker = Rate{1, 5} })
	b := s.browser()
	slug := b.deployed("x")
	refused := 0
	for range 10 {
		if r := b.get("/w/" + slug + "/"); r.status == 429 {
			refused++
			if r.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
	}
	if refused < 4 {
		t.Errorf("%d of 10 requests were refused", refused)
	}
	if r := b.get("/"); r.status != 200 {
		t.Errorf("the site answers %d", r.status)
	}
	if r := b.json("PUT", "/api/projects/w", obj{"files": obj{"src/index.js": "y"}}); r.status != 200 {
		t.Errorf("a save gives %d", r.status)
	}
}

func TestWorkerDomain(t *testing.T) {
	s := newServer(t, nil, func(c *Config) { c.WorkerDomain = "workers.example.org" })
	slug := s.browser().deployed("x")
	for host, want := range map[string]int{slug + ".workers.example.org": 200, strings.ToUpper(slug) + ".Workers.Example.Org:443": 200, slug + ".workers.example.org.": 200, "nope.workers.example.org": 404, slug + ".other.example.org": 404} {
		resp, body := s.raw("GET /learn HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
		if resp.StatusCode != want || want == 200 && body != "x" {
			t.Errorf("%s: %d %q", host, resp.StatusCode, body)
		}
	}
	store := s.store
	if _, err := New(Config{Door: s.door, Store: store, Catalog: s.site.catalog.Load(), PublicURL: "https://a.example", WorkerDomain: "a.example"}); err == nil {
		t.Error("a worker domain equal to the site's host is taken")
	}
}

// FuzzWorkerPath: whatever stands after /w/ is answered, and what a Worker
// sees is exactly what came.
func FuzzWorkerPath(f *testing.F) {
	s := newFuzzServer(f, func(c *doortest.Call) { _, _ = io.WriteString(c, c.Run.URL) })
	for _, seed := range []string{"", "/", "?", "/a%2fb", "/../", "//x", "/\x00", "/a?b#c", "x", "%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		target := "/w/" + s.slug + rest
		r := httptest.NewRequest("GET", "/", nil).WithContext(context.Background())
		r.RequestURI = target
		w := httptest.NewRecorder()
		s.site.ServeHTTP(w, r)
		switch {
		case strings.HasPrefix(rest, "/"):
			if want := "https://" + s.slug + ".example" + rest; w.Code != 200 || w.Body.String() != want {
				t.Errorf("%q: %d %q, want %q", target, w.Code, w.Body, want)
			}
		case rest == "" || rest[0] == '?':
			if w.Code != 308 || w.Header().Get("Location") != "/w/"+s.slug+"/"+rest {
				t.Errorf("%q: %d %q", target, w.Code, w.Header())
			}
		case w.Code != 404 && w.Code != 308: // another name, known or not
			t.Errorf("%q: %d", target, w.Code)
		}
	})
}

// FuzzRoutes: no address and no body makes the site fail, whoever sends them,
// and every answer carries its policy.
func FuzzRoutes(f *testing.F) {
	s := newFuzzServer(f, nil)
	cookies := s.people(f)
	const nobody, learner, teacher, boss = 0, 1, 2, 3
	for _, seed := range []string{"/", "/learn/%2e%2e/x", "/api/projects/a%2fb", "/static/../x", "/api/live", "//", "/setup?token=%00", "/learn/a/b/answer", "*", "/search?q=%ff", "/s/0123456789ab"} {
		f.Add("GET", seed, "", uint8(nobody))
		f.Add("POST", seed, "", uint8(learner))
		f.Add("OPTIONS", seed, "", uint8(nobody))
	}
	for _, x := range []struct {
		method, target, body string
		who                  uint8
	}{
		{"GET", "/learn/serverless/hello?run=x&tab=logs", "", learner},
		{"GET", "/api/projects/p/versions/1", "", learner},
		{"PUT", "/api/projects/p", `{"base":0,"files":{"src/index.js":"x"}}`, learner},
		{"POST", "/api/projects/p/restore", `{"revision":1}`, learner},
		{"POST", "/learn/serverless/hello/run", "method=GET&path=/&headers=A:+1&times=warm20", learner},
		{"POST", "/learn/serverless/hello/answer", "question=quiz-1&answer=0", learner},
		{"POST", "/learn/serverless/hello/hint", "task=1&hint=1", learner},
		{"POST", "/p/p/run", "path=%2F&body=%00", learner},
		{"POST", "/share", "project=p", learner},
		{"POST", "/join", "code=abcdefgh&nickname=x", nobody},
		{"POST", "/resume", "phrase=a+b", nobody},
		{"POST", "/you/hand", "class=CLASS&up=yes", learner},
		{"GET", "/classes/CLASS?order=help", "", teacher},
		{"GET", "/classes/CLASS/live", "", teacher},
		{"GET", "/classes/CLASS/export.json", "", teacher},
		{"GET", "/classes/CLASS/errors/hello/1", "", teacher},
		{"POST", "/classes", "title=T", teacher},
		{"POST", "/classes/CLASS/burst", "lesson=hello&path=/", teacher},
		{"POST", "/classes/CLASS/settings", "title=T&lesson=hello&due:hello=2027-01-31", teacher},
		{"GET", "/host/audit?before=2026-01-01T00:00:00Z&id=x&who=a", "", boss},
		{"POST", "/host/accounts", "name=x&role=host", boss},
	} {
		f.Add(x.method, x.target, x.body, x.who)
	}
	f.Fuzz(func(t *testing.T, method, target, body string, who uint8) {
		own := strings.NewReplacer("CLASS", s.class) // which has another name in each process
		target, body = own.Replace(target), own.Replace(body)
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: site.test\r\n\r\n")))
		if err != nil {
			return // net/http answers 400 by itself
		}
		r.RemoteAddr = "192.0.2.1:1"
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if c := cookies[int(who)%len(cookies)]; c != "" {
			r.Header.Set("Cookie", c)
		}
		if body != "" {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if strings.HasPrefix(target, "/api/") {
				r.Header.Set("Content-Type", "application/json")
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		if strings.HasSuffix(r.URL.Path, "/live") { // which lasts as long as its reader
			time.AfterFunc(50*time.Millisecond, cancel)
		}
		w := httptest.NewRecorder()
		s.site.ServeHTTP(w, r.WithContext(ctx))
		if w.Code >= 500 {
			t.Errorf("%s %q: %d %s", method, target, w.Code, w.Body)
		}
		if w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s %q: no policy", method, target)
		}
	})
}
