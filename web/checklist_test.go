package web

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gorilla/websocket"

	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/doortest"
	"coldstart/web/view"
)

// The tests of the host's checklist, named after its rules.

// concrete is a row's address with its parameters filled in.
func (r route) concrete() string {
	return strings.NewReplacer(":track", "serverless", ":lesson", "hello", ":project", "hello", ":revision", "1", ":class", classSample, ":member", memberSample,
		":task", "1", ":code", "abcd-efgh", ":account", "0123456789ab", ":set", "t0000000", ":share", "0123456789ab", "*", "none.js").Replace(r.path)
}

// Ids that nothing has.
const (
	classSample  = "c0c0c0c0c0c0"
	memberSample = "d0d0d0d0d0d0"
)

// payload is a body that the row could take.
func (r route) payload() (kind string, body string) {
	if strings.HasPrefix(r.path, "/api/") {
		if r.method == http.MethodPost {
			return "application/json", `{"revision":1}`
		}
		return "application/json", `{"files":{"src/index.js":"x"}}`
	}
	return "application/x-www-form-urlencoded", "method=GET&path=/&question=quiz-1&answer=0&task=1&hint=1&code=abcdefgh&nickname=ada&title=T"
}

func TestRule1PolicyOnEveryAnswer(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	b := s.browser()
	b.get("/")
	want := []string{
		"default-src 'none'", "script-src 'self'", "img-src 'self' data:", "font-src 'self'", "connect-src 'self'", "worker-src 'self'", "frame-src 'self'",
		"form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'", "object-src 'none'",
	}
	nonces := map[string]bool{}
	paths := []string{"/none", "/learn/x/y"}
	private := map[string]bool{} // pages that show what is one person's
	for _, row := range s.site.routes {
		if row.method == http.MethodGet && !strings.HasPrefix(row.path, "/api/live") {
			paths = append(paths, row.concrete())
			private[row.concrete()] = row.access != public
		}
	}
	for _, path := range paths {
		r := b.get(path)
		policy := r.header.Values("Content-Security-Policy")
		if len(policy) != 1 {
			t.Errorf("%s: %d policies", path, len(policy))
			continue
		}
		for _, bad := range []string{"unsafe", "*", "http:", "https:", "blob:"} {
			if strings.Contains(policy[0], bad) {
				t.Errorf("%s: the policy allows %s", path, bad)
			}
		}
		directives := strings.Split(policy[0], "; ")
		for _, d := range want {
			if !slices.Contains(directives, d) {
				t.Errorf("%s: the policy lacks %s", path, d)
			}
		}
		style := directives[slices.IndexFunc(directives, func(d string) bool { return strings.HasPrefix(d, "style-src ") })]
		nonce, ok := strings.CutPrefix(style, "style-src 'self' 'nonce-")
		if !ok || nonces[nonce] || len(nonce) < 22 {
			t.Errorf("%s: styles by %q", path, style)
		}
		nonces[nonce] = true
		nonce = strings.TrimSuffix(nonce, "'")
		if strings.Contains(r.body, `name="csp-nonce"`) && !strings.Contains(r.body, strings.ReplaceAll(nonce, "+", "&#43;")) && !strings.Contains(r.body, nonce) {
			t.Errorf("%s: the page names another nonce than %s", path, nonce)
		}
		if strings.Contains(r.body, "<script>") || strings.Contains(r.body, " style=\"") || strings.Contains(r.body, " onclick=") {
			t.Errorf("%s: inline script or style", path)
		}
		for name, value := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "X-Frame-Options": "DENY",
			"Cross-Origin-Resource-Policy": "same-origin", "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
		} {
			if r.header.Get(name) != value {
				t.Errorf("%s: %s is %q", path, name, r.header.Get(name))
			}
		}
		if private[path] && r.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept by a cache: %q", path, r.header.Get("Cache-Control"))
		}
	}
}

// What no row of the table answers, and what a row refuses, carries the policy too.
func TestRule1PolicyOnWhatIsRefused(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	check := func(what string, status int, h http.Header) {
		t.Helper()
		if p := h.Values("Content-Security-Policy"); len(p) != 1 || !strings.HasPrefix(p[0], "default-src 'none'; ") || !strings.Contains(p[0], "frame-ancestors 'none'") {
			t.Errorf("%s, answered with %d: policies %q", what, status, p)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s, answered with %d: %v", what, status, h)
		}
	}
	statuses := map[int]bool{}
	for _, row := range s.site.routes {
		for _, method := range []string{"OPTIONS", "PATCH", "TRACE", "BREW", "POST"} {
			r := b.request(method, row.concrete(), "", nil)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			got := b.send(r)
			statuses[got.status] = true
			check(method+" "+row.path, got.status, got.header)
		}
	}
	for _, status := range []int{204, 403, 405} {
		if !statuses[status] {
			t.Errorf("nothing was answered with %d", status)
		}
	}
	for _, line := range []string{"OPTIONS *", "GET /%00", "GET /w/none/", "GET /w/" + strings.Repeat("0", 16) + "/x", "PUT /none"} {
		resp, _ := s.raw(line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		check(line, resp.StatusCode, resp.Header)
	}
}

func TestRule2WorkersAnswersAreSandboxed(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(c *doortest.Call) {
		switch {
		case strings.HasSuffix(c.Run.URL, "/throws"):
			c.Fail(&trace.Fault{Kind: trace.FaultException, Message: "x"})
		case strings.HasSuffix(c.Run.URL, "/redirect"):
			c.Head(302, [2]string{"Location", "https://elsewhere.example/"}, [2]string{"Content-Security-Policy", "script-src *"})
		}
	})
	slug := s.browser().deployed("<script>document.title = 1</script>")
	for _, host := range []string{"site.test", slug + ".localhost"} {
		for _, path := range []string{"/", "/throws", "/redirect", ""} {
			if path == "" && host != "site.test" {
				continue // where the site adds the slash
			}
			if host == "site.test" {
				path = "/w/" + slug + path
			}
			resp, _ := s.raw("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
			if p := resp.Header.Get("Content-Security-Policy"); p != "sandbox allow-scripts allow-forms" {
				t.Errorf("%s%s: policy %q", host, path, p)
			}
			if resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Cross-Origin-Resource-Policy") == "" || resp.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s%s: headers %v", host, path, resp.Header)
			}
		}
	}
}

func TestRule3ForeignPagesChangeNothing(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	b := s.browser()
	b.get("/")
	slug := b.deployed("x")
	before := s.contents()
	port := s.url[strings.LastIndexByte(s.url, ':'):]
	for _, row := range s.site.routes {
		if row.method == http.MethodGet || row.method == http.MethodHead {
			continue
		}
		for name, headers := range map[string][2]string{
			"no sign of a page":       {"", ""},
			"opaque origin":           {"null", ""},
			"opaque, fetched":         {"null", "cross-site"},
			"evil":                    {"https://evil.example", ""},
			"evil, modern":            {"https://evil.example", "cross-site"},
			"the preview's host":      {"http://" + slug + ".localhost" + port, "same-site"},
			"another port":            {"http://127.0.0.1:1", "same-site"},
			"another scheme":          {strings.Replace(s.url, "http:", "https:", 1), ""},
			"same host, lying header": {"null", "same-origin"},
			"two origins":             {s.url, ""},
		} {
			kind, body := row.payload()
			r := b.request(row.method, row.concrete(), kind, strings.NewReader(body))
			r.Header.Del("Origin")
			r.Header.Del("Sec-Fetch-Site")
			if headers[0] != "" {
				r.Header.Set("Origin", headers[0])
			}
			if headers[1] != "" {
				r.Header.Set("Sec-Fetch-Site", headers[1])
			}
			if name == "two origins" {
				r.Header.Add("Origin", "https://evil.example")
			}
			if got := b.send(r); got.status != http.StatusForbidden {
				t.Errorf("%s %s, %s: %d", row.method, row.path, name, got.status)
			}
		}
	}
	if s.contents() != before {
		t.Error("a refused request changed the database")
	}
}

// A body that a form of another site could send without asking, or that is of no
// kind that the address takes, changes nothing, also when this site's page sends it.
func TestRule3KindsOfBodies(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil, func(c *Config) { c.Rates.Session, c.Rates.Run = Rate{PerSecond: -1}, Rate{PerSecond: -1} })
	boss := s.host()
	class := boss.newClass("Period 3")
	if r := boss.json("PUT", "/api/projects/hello", obj{"files": obj{"src/index.js": "x"}}); r.status != 200 {
		t.Fatal(r.body)
	}
	before := s.contents()
	for _, row := range s.site.routes {
		if !row.changes() || row.body == 0 {
			continue
		}
		right, body := row.payload()
		for _, kind := range []string{"", "text/plain", "text/plain; charset=application/json", "image/png", "application/json", "application/x-www-form-urlencoded", "multipart/mixed; boundary=x", ";"} {
			if kind == right {
				continue
			}
			r := boss.send(boss.request(row.method, strings.ReplaceAll(row.concrete(), classSample, class.ID), kind, strings.NewReader(body)))
			if r.status != http.StatusUnsupportedMediaType && (r.status != 404 || !strings.ContainsAny(row.path, ":")) {
				t.Errorf("%s %s takes a body of the kind %q: %d", row.method, row.path, kind, r.status)
			}
			if now := s.contents(); now != before {
				t.Errorf("%s %s changed the database for a body of the kind %q, which it answered with %d", row.method, row.path, kind, r.status)
				before = now
			}
		}
	}
}

func TestRule3ReadingChangesNothing(t *testing.T) {
	s, owner, link := sharing(t)
	link = strings.TrimPrefix(link, "/s/")
	for _, err := s.store.Deployment(t.Context(), s.workspaceOf(owner), "hello"); err != nil; _, err = s.store.Deployment(t.Context(), s.workspaceOf(owner), "hello") {
		if !errors.Is(err, classroom.ErrNotFound) { // what was run is kept beside the answer
			t.Fatal(err)
		}
	}
	boss := s.browser()
	boss.get("/")
	_, offer := s.offered("boss", classroom.RoleHost)
	if r := boss.form("/account", "token", offer, "password", goodPassword); r.status != 303 {
		t.Fatal(r.body)
	}
	ada := s.instructor("ada")
	class := ada.newClass("Period 3")
	owner.join(class, "owner-nick")
	m := keptSet.FindStringSubmatch(ada.upload("", zipped(t, reading("The edge", "Words."))))
	if m == nil {
		t.Fatal("no lessons were brought")
	}
	if r := ada.form("/classes/"+class.ID+"/members/"+s.memberOf(class, "owner-nick").ID+"/note", "text", "Look."); r.status != 303 {
		t.Fatal(r.body)
	}
	host, err := s.site.AdminLink(t.Context(), s.url, true)
	if err != nil {
		t.Fatal(err)
	}
	_, unused := s.offered("carl", classroom.RoleInstructor)
	real := strings.NewReplacer(classSample, class.ID, memberSample, s.memberOf(class, "owner-nick").ID, "t0000000", m[1], "0123456789ab", link)
	before := s.contents()
	answered := map[string]bool{}
	for _, row := range s.site.routes {
		if row.changes() || row.path == routeLive {
			continue
		}
		for _, token := range []string{"y", unused, host[strings.Index(host, "token=")+6:]} {
			for _, b := range []*browser{s.browser(), owner, ada, boss} {
				path := real.Replace(row.concrete())
				if row.path == routeClassLive {
					if b == ada && token == "y" {
						b.follow(t, path).next(func(boardMessage) bool { return true })
						answered[row.path] = true
					}
					continue
				}
				r := b.send(b.request(row.method, path+"?run=x&token="+token+"&tab=logs&lesson=hello", "", nil))
				answered[row.path] = answered[row.path] || r.status < 400
			}
		}
	}
	if s.contents() != before {
		t.Error("reading every page changed the database")
	}
	for _, row := range s.site.routes {
		switch row.path { // none of that name is here
		case "/static/*", "/docs/:page", "/docs/images/:image", "/labs/:lab", "/signin/provider", "/signin/return", routeLive:
			continue
		}
		if !row.changes() && !answered[row.path] {
			t.Errorf("%s was refused to everybody, so nothing was read there", row.path)
		}
	}
}

// contents is a hash of every row of every table.
func (s *server) contents() string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s.rows()))) }

// rows is every row of every table as text.
func (s *server) rows() string {
	s.t.Helper()
	db := s.open()
	defer db.Close()
	var out strings.Builder
	tables, err := db.Query(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for tables.Next() {
		var name string
		if err := tables.Scan(&name); err != nil {
			s.t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := tables.Close(); err != nil {
		s.t.Fatal(err)
	}
	for _, name := range names {
		rows, err := db.Query(`SELECT * FROM ` + name + ` ORDER BY rowid`)
		if err != nil {
			s.t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			s.t.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				s.t.Fatal(err)
			}
			for _, v := range values {
				fmt.Fprintf(&out, "%s %v\n", name, *v.(*any))
			}
		}
		if err := rows.Close(); err != nil {
			s.t.Fatal(err)
		}
	}
	return out.String()
}

// open opens the database a second time, for looking only.
func (s *server) open() *sql.DB {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.path+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		s.t.Fatal(err)
	}
	return db
}

// dial opens a live session as a page of some origin would; "" sends none.
func (b *browser) dial(origins ...string) (*websocket.Conn, *http.Response, error) {
	h := http.Header{}
	for _, origin := range origins {
		if origin != "" {
			h.Add("Origin", origin)
		}
	}
	d := websocket.Dialer{Jar: b.client.Jar, HandshakeTimeout: 5 * time.Second}
	return d.Dial("ws"+strings.TrimPrefix(b.s.url, "http")+"/api/live", h)
}

func TestRule4SocketsByOriginAndSession(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	b.get("/")
	for _, origin := range []string{"", "null", "https://evil.example", strings.Replace(s.url, "http:", "https:", 1), s.url + ".evil.example", "http://127.0.0.1"} {
		if conn, resp, err := b.dial(origin); err == nil {
			conn.Close()
			t.Errorf("origin %q may connect", origin)
		} else if resp == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("origin %q: %v %+v", origin, err, resp)
		}
	}
	if conn, resp, err := b.dial(s.url, "https://evil.example"); err == nil {
		conn.Close()
		t.Error("two origins may connect")
	} else if resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("two origins: %v %+v", err, resp)
	}
	stranger := s.browser()
	if _, resp, err := stranger.dial(s.url); err == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a session: %v", err)
	}
	conn, _, err := b.dial(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.WriteJSON(obj{"type": "hello", "project": "hello"}); err != nil {
		t.Fatal(err)
	}
	if _, frame, err := conn.ReadMessage(); err != nil || !bytes.Contains(frame, []byte(`"welcome"`)) {
		t.Fatalf("%s, %v", frame, err)
	}
	// A run of a lesson that was never saved stores its starter and runs it.
	if err := conn.WriteJSON(obj{"type": "run", "id": "r1", "request": obj{"method": "GET", "path": "/"}}); err != nil {
		t.Fatal(err)
	}
	for done := false; !done; {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		done = bytes.Contains(frame, []byte(`"kind":"done"`))
	}
	if p := decode[projectJSON](t, b.get("/api/projects/hello")); p.Revision != 1 {
		t.Errorf("after the run: %+v", p)
	}
	// The session's token is replaced; the socket of the old one ends.
	w, err := s.store.Projects(t.Context(), s.workspaceOf(b))
	if err != nil || len(w) != 1 {
		t.Fatal(w, err)
	}
	if _, err := s.store.RotateToken(t.Context(), w[0].Workspace); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	_ = conn.SetReadDeadline(begin.Add(20 * time.Second))
	for {
		if _, _, err = conn.ReadMessage(); err != nil {
			break
		}
	}
	var ce *websocket.CloseError
	if !errors.As(err, &ce) || ce.Code != 4003 || time.Since(begin) > time.Second {
		t.Errorf("the old session's socket ended with %v after %v", err, time.Since(begin))
	}
}

// A live view of a class is a socket too, though it only sends.
func TestRule4LiveViewsAreBounded(t *testing.T) {
	s := newServer(t, nil)
	ada := s.instructor("ada")
	class := ada.newClass("Period 3")
	path := "/classes/" + class.ID + "/live"
	for _, site := range []string{"cross-site", "same-site", "none"} {
		r := ada.request("GET", path, "", nil)
		r.Header.Set("Sec-Fetch-Site", site)
		if got := ada.send(r); got.status != http.StatusForbidden {
			t.Errorf("asked for by a page that is %s: %d", site, got.status)
		}
	}
	var views []*stream
	for range maxViewers {
		views = append(views, ada.follow(t, path))
	}
	s.until("coldstart_class_views_open", fmt.Sprint(maxViewers))
	if r := ada.get(path); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" {
		t.Errorf("one live view too many: %d", r.status)
	}
	// An account that is removed loses its views within a second, however much goes on in the class.
	me, err := s.store.AccountOf(t.Context(), s.workspaceOf(ada))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, calm := context.WithCancel(t.Context())
	defer calm()
	wg.Go(func() {
		for ctx.Err() == nil {
			s.site.boards.changed(class.ID)
			time.Sleep(10 * time.Millisecond)
		}
	})
	if err := s.store.DeleteAccount(t.Context(), me.ID); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for _, v := range views {
		v.end()
	}
	if d := time.Since(begin); d > time.Second {
		t.Errorf("the views of an account that is gone ended after %v", d)
	}
}

func (s *server) workspaceOf(b *browser) string {
	s.t.Helper()
	token, _, _ := strings.Cut(b.cookie(), ".")
	w, err := s.store.Workspace(s.t.Context(), token)
	if err != nil {
		s.t.Fatal(err)
	}
	return w.ID
}

func TestRule5SessionCookie(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, public, cookie string
		secure               bool
	}{{"plain", "", "coldstart", false}, {"https", "https://learn.example.org", "__Host-coldstart", true}} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, nil, func(c *Config) { c.PublicURL = test.public })
			resp, _ := s.raw("GET / HTTP/1.1\r\nHost: learn.example.org\r\nConnection: close\r\n\r\n")
			cookies := resp.Cookies()
			if len(cookies) != 1 {
				t.Fatalf("cookies %v", cookies)
			}
			k := cookies[0]
			if k.Name != test.cookie || k.Secure != test.secure || !k.HttpOnly || k.SameSite != http.SameSiteLaxMode || k.Path != "/" || k.Domain != "" || len(k.Value) != 45 {
				t.Errorf("cookie %+v", k)
			}
			if secure := resp.Header.Get("Strict-Transport-Security") != ""; secure != test.secure {
				t.Errorf("HSTS over %s: %v", test.name, secure)
			}
			token, _, _ := strings.Cut(k.Value, ".")
			ask := func(cookie string) int {
				resp, _ := s.raw("GET /api/projects HTTP/1.1\r\nHost: learn.example.org\r\nCookie: " + cookie + "\r\nConnection: close\r\n\r\n")
				return resp.StatusCode
			}
			for name, c := range map[string]struct {
				cookie string
				want   int
			}{
				"good":           {k.Name + "=" + k.Value, 200},
				"twice":          {k.Name + "=" + k.Value + "; " + k.Name + "=" + k.Value, 400},
				"unsigned":       {k.Name + "=" + token, 401},
				"forged":         {k.Name + "=" + token + "." + strings.Repeat("A", 22), 401},
				"another's code": {k.Name + "=" + strings.Repeat("A", 22) + "." + k.Value[23:], 401},
				"other name":     {"__Secure-coldstart=" + k.Value, 401},
			} {
				if got := ask(c.cookie); got != c.want {
					t.Errorf("%s: %d, want %d", name, got, c.want)
				}
			}
			// A session is stored at its first write. What is stored can stand in any of the database's files.
			save, _ := s.raw("PUT /api/projects/canary-project HTTP/1.1\r\nHost: learn.example.org\r\nCookie: " + k.Name + "=" + k.Value + "\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nContent-Length: 26\r\nConnection: close\r\n\r\n" + `{"files":{"worker.js":""}}`)
			if save.StatusCode != 200 {
				t.Fatalf("saving gives %d", save.StatusCode)
			}
			stored := s.rows()
			for _, name := range []string{s.path, s.path + "-wal"} {
				data, err := os.ReadFile(name)
				if err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
				stored += string(data)
			}
			if !strings.Contains(stored, "canary-project") {
				t.Fatal("what was saved is not seen in the database")
			}
			if strings.Contains(stored, token) {
				t.Error("the database holds the token itself")
			}
		})
	}
	a, b := newServer(t, nil).browser(), newServer(t, nil).browser()
	a.get("/")
	b.get("/")
	if a.cookie() == b.cookie() {
		t.Error("two visitors got one session")
	}
}

// Whoever signs in gets a session that no browser had before, and the one that
// the browser had is no way into the account. Signing in again ends the first.
func TestRule5SigningInRotates(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	s.instructor("ada")
	status := func(cookie, path string) int {
		r := s.browser().request("GET", path, "", nil)
		r.Header.Set("Cookie", cookieName+"="+cookie)
		return s.browser().send(r).status
	}
	signIn := func(b *browser) string {
		t.Helper()
		if r := b.form("/signin", "name", "ada", "password", goodPassword); r.status != 303 {
			t.Fatalf("signing in gives %d", r.status)
		}
		return b.cookie()
	}
	here, there := s.browser(), s.browser()
	here.get("/")
	before := here.cookie()
	first, other := signIn(here), signIn(there)
	second := signIn(here)
	seen := map[string]bool{before: true}
	for _, c := range []string{first, second, other} {
		if seen[c] {
			t.Error("a session was given twice")
		}
		seen[c] = true
	}
	for name, c := range map[string]struct {
		cookie string
		want   int
	}{
		"the session from before": {before, 403}, "the first of two in one browser": {first, 403}, "the second": {second, 200}, "another browser's": {other, 200},
	} {
		if got := status(c.cookie, "/classes"); got != c.want {
			t.Errorf("%s opens the account's classes with %d, want %d", name, got, c.want)
		}
	}

	// Who becomes an instructor keeps their work, and no session of the learner that they were.
	carl := s.browser()
	carl.deployed("x")
	learners := carl.cookie()
	_, offer := s.offered("carl", classroom.RoleInstructor)
	if r := carl.form("/account", "token", offer, "password", goodPassword); r.status != 303 {
		t.Fatal(r.body)
	}
	if r := carl.get("/api/projects"); r.status != 200 || !strings.Contains(r.body, `"id":"w"`) {
		t.Errorf("the new instructor's work: %d %s", r.status, r.body)
	}
	for _, path := range []string{"/classes", "/api/projects"} {
		if got := status(learners, path); got != 401 {
			t.Errorf("the session of before the account opens %s: %d", path, got)
		}
	}
}

var update = os.Getenv("UPDATE") != ""

// TestRule6Matrix asks every row as every kind of person and compares with a
// golden table, so that a new row cannot come in without saying whose it is.
func TestRule6Matrix(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil, func(c *Config) { c.Rates.Session = Rate{PerSecond: -1} })
	owner := s.browser()
	owner.get("/")
	if r := owner.json("PUT", "/api/projects/hello", obj{"files": obj{"src/index.js": "the owner's secret"}}); r.status != 200 {
		t.Fatal(r.body)
	}
	boss := s.host()
	other := s.browser()
	other.get("/")
	// The owner and a mate are in one class; another instructor has one too.
	ada := s.instructor("ada")
	class := ada.newClass("Period 3")
	owner.join(class, "owner-nick")
	mate := s.browser()
	mate.join(class, "mate")
	foreign := s.instructor("bob")
	foreign.newClass("Period 4")
	inClass := strings.NewReplacer(classSample, class.ID, memberSample, s.memberOf(class, "owner-nick").ID)
	var table strings.Builder
	fmt.Fprintf(&table, "%-6s %-45s %-10s %8s  anonymous other mate foreign-instructor host\n", "method", "path", "access", "body")
	for _, row := range s.site.routes {
		fmt.Fprintf(&table, "%-6s %-45s %-10s %8d ", row.method, row.path, row.access, row.body)
		for _, who := range []*browser{s.browser(), other, mate, foreign, boss} {
			kind, body := row.payload()
			path := inClass.Replace(row.concrete())
			var r *http.Request
			if row.changes() && row.body > 0 {
				r = who.request(row.method, path, kind, strings.NewReader(body))
			} else {
				r = who.request(row.method, path, "", nil)
			}
			got := who.send(r)
			if strings.Contains(got.body, "owner-nick") {
				t.Errorf("%s %s shows another learner's name", row.method, row.path)
			}
			if strings.Contains(got.body, "the owner's secret") {
				t.Errorf("%s %s shows another learner's code", row.method, row.path)
			}
			if got.status >= 500 {
				t.Errorf("%s %s: %d %s", row.method, row.path, got.status, got.body)
			}
			fmt.Fprintf(&table, " %d", got.status)
			if who == foreign && row.path == "/signout" {
				foreign.form("/signin", "name", "bob", "password", goodPassword)
			}
		}
		table.WriteByte('\n')
	}
	const golden = "testdata/routes.golden"
	if update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if table.String() != string(want) {
		t.Errorf("the routes are not those of %s; look at each difference, then run with UPDATE=1:\n%s", golden, table.String())
	}
	if m := s.memberOf(class, "owner-nick"); !m.Hand.IsZero() || m.Burst {
		t.Errorf("the owner's place in the class is now %+v", m)
	}
	if p := decode[projectJSON](t, owner.get("/api/projects/hello")); p.Files["src/index.js"] != "the owner's secret" || p.Revision != 1 {
		t.Errorf("the owner's project is now %+v", p)
	}
	// Others were refused for who they are, not for what they asked: the class's own instructor is not.
	rows := slices.Clone(s.site.routes)
	slices.SortStableFunc(rows, func(a, b route) int { // the learner is taken out of the class at the end
		return strings.Count(a.path, "/remove") - strings.Count(b.path, "/remove")
	})
	for _, row := range rows {
		if !strings.Contains(row.path, ":class") || row.path == routeClassLive {
			continue
		}
		kind, body := row.payload()
		r := ada.request(row.method, inClass.Replace(row.concrete()), "", nil)
		if row.body > 0 {
			r = ada.request(row.method, inClass.Replace(row.concrete()), kind, strings.NewReader(body))
		}
		if got := ada.send(r); got.status == 401 || got.status == 403 || got.status == 404 {
			t.Errorf("%s %s refuses the class's own instructor: %d", row.method, row.path, got.status)
		}
	}
}

// An instructor's own class in the address is no way to learners of another, and
// a link for one purpose none to another.
func TestRule6NothingIsReachedByAnotherName(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil, func(c *Config) { c.Rates.Session = Rate{PerSecond: -1} })
	class := s.instructor("ada").newClass("Period 3")
	pupil := s.browser()
	pupil.join(class, "owner-nick")
	pupil.json("PUT", "/api/projects/hello", obj{"files": obj{"src/index.js": "the pupil's own"}})
	m := s.memberOf(class, "owner-nick")
	bob := s.instructor("bob")
	own := bob.newClass("Period 4")
	s.browser().join(own, "someone")
	tried := 0
	for _, row := range s.site.routes {
		if !strings.Contains(row.path, ":member") {
			continue
		}
		tried++
		path := strings.NewReplacer(classSample, own.ID, memberSample, m.ID).Replace(row.concrete())
		r := bob.request(row.method, path, "", nil)
		if row.body > 0 {
			r = bob.request(row.method, path, "application/x-www-form-urlencoded", strings.NewReader("text=hello&into="+s.memberOf(own, "someone").ID))
		}
		if got := bob.send(r); got.status != 404 {
			t.Errorf("%s %s, of another class's learner: %d", row.method, row.path, got.status)
		}
	}
	if tried < 6 {
		t.Errorf("only %d routes name a learner", tried)
	}
	if r := bob.form("/classes/"+own.ID+"/members/"+s.memberOf(own, "someone").ID+"/merge", "into", m.ID); r.status != 400 {
		t.Errorf("putting a learner together with one of another class gives %d", r.status)
	}
	if p := decode[projectJSON](t, pupil.get("/api/projects/hello")); p.Files["src/index.js"] != "the pupil's own" || s.memberOf(class, "owner-nick").ID != m.ID {
		t.Errorf("the learner's work is now %+v", p)
	}

	_, offer := s.offered("carl", classroom.RoleInstructor)
	link, err := s.site.AdminLink(t.Context(), s.url, false)
	if err != nil {
		t.Fatal(err)
	}
	_, claim, _ := strings.Cut(link, "token=")
	carl := s.browser()
	carl.get("/")
	if r := carl.form("/setup", "token", offer); r.status != 403 || carl.get("/host").status != 403 {
		t.Errorf("an instructor's link makes a host: %d", r.status)
	}
	if r := carl.form("/account", "token", claim, "password", goodPassword); r.status != 403 {
		t.Errorf("the host's link opens an account: %d", r.status)
	}
	if r := carl.form("/setup", "token", claim); r.status != 303 {
		t.Fatalf("the host's link gives %d", r.status)
	}
	if r := carl.get("/setup?token=" + offer); r.status != 403 {
		t.Errorf("the setup page takes an instructor's link: %d", r.status)
	}
}

func TestRule7AClassJoinsFromOneAddress(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	class := s.instructor("ada").newClass("Period 3")
	code := s.site.code(class.ID, class.CodeNumber)
	var wg sync.WaitGroup
	var mu sync.Mutex
	bad := map[int]int{}
	for i := range 60 {
		wg.Go(func() {
			b := s.browser()
			statuses := []int{b.get("/").status, b.get("/learn/serverless/hello").status, b.json("PUT", "/api/projects/hello", obj{"base": 0, "files": obj{"src/index.js": "x"}}).status}
			statuses = append(statuses, b.form("/learn/serverless/hello/run", "path", "/").status, b.get("/j/"+code).status)
			statuses = append(statuses, b.form("/join", "code", code, "nickname", fmt.Sprint("learner ", i)).status, b.get("/you").status)
			mu.Lock()
			defer mu.Unlock()
			for _, status := range statuses {
				if status != 200 && status != 303 {
					bad[status]++
				}
			}
		})
	}
	wg.Wait()
	if len(bad) > 0 {
		t.Errorf("of 60 learners some got %v", bad)
	}
	if members, err := s.store.Members(t.Context(), class.ID); err != nil || len(members) != 60 {
		t.Errorf("%d learners are in the class, %v", len(members), err)
	}
}

func TestRule7OneLearnerIsSlowedDown(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newServer(t, nil, func(c *Config) { c.Now = func() time.Time { return now } })
	b := s.browser()
	b.get("/")
	refused := 0
	for range 20 {
		if r := b.form("/learn/serverless/hello/run", "path", "/"); r.status == 429 {
			refused++
			if r.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
	}
	if refused != 5 {
		t.Errorf("of 20 clicks on Run %d were refused", refused)
	}
	slug := decode[projectJSON](t, b.get("/api/projects/hello")).Slug
	for range 100 {
		if r := b.get("/w/" + slug + "/"); r.status != 200 {
			t.Fatalf("the learner's Worker answers %d: its visitors have a budget of their own", r.status)
		}
	}
	now = now.Add(time.Second) // and with it come four more
	if r := b.form("/learn/serverless/hello/run", "path", "/", "times", "warm20"); r.status != 303 {
		t.Errorf("Run 20 times gives %d", r.status)
	}
	if r := b.form("/learn/serverless/hello/run", "path", "/"); r.status != 303 {
		t.Errorf("after Run 20 times, which is one click, Run gives %d", r.status)
	}
	other := s.browser()
	other.get("/")
	if r := other.form("/learn/serverless/hello/run", "path", "/"); r.status != 303 {
		t.Errorf("another learner of the same address gets %d", r.status)
	}
}

// Each budget is spent by whom it is for, wherever they ask from and whatever
// they ask for, and by nobody else. A second later there is one more of it.
func TestRule7EachBudgetIsItsOwners(t *testing.T) {
	t.Parallel()
	const most = 5
	few := Rate{1, most}
	type from func(b *browser, address, method, path string) reply
	for name, c := range map[string]struct {
		set    func(*Rates)
		spend  func(ask from, who []*browser, slugs []string, i int) reply // the i-th try, of the budget's owner
		others func(ask from, who []*browser, slugs []string) []reply      // which have other budgets, or need none
	}{
		"an address's requests": {
			func(r *Rates) { r.Address = few },
			func(ask from, who []*browser, _ []string, i int) reply {
				return ask(who[i%2], "192.0.2.1", "GET", []string{"/", "/you"}[i%2])
			},
			func(ask from, who []*browser, slugs []string) []reply {
				return []reply{ask(who[0], "192.0.2.2", "GET", "/"), ask(who[0], "192.0.2.1", "GET", "/healthz"), ask(who[0], "192.0.2.1", "GET", "/w/"+slugs[0]+"/")}
			},
		},
		"an address as IPv6 writes it": {
			func(r *Rates) { r.Address = few },
			func(ask from, who []*browser, _ []string, i int) reply {
				return ask(who[0], []string{"192.0.2.1", "::ffff:192.0.2.1"}[i%2], "GET", "/")
			},
			func(ask from, who []*browser, _ []string) []reply {
				return []reply{ask(who[0], "::ffff:192.0.2.2", "GET", "/")}
			},
		},
		"a network of IPv6": { // of which one caller has 2^64 addresses
			func(r *Rates) { r.Address = few },
			func(ask from, who []*browser, _ []string, i int) reply {
				return ask(who[0], fmt.Sprintf("2001:db8:0:1:%x::%x", i*i, i+1), "GET", "/")
			},
			func(ask from, who []*browser, _ []string) []reply {
				return []reply{ask(who[0], "2001:db8:0:2::1", "GET", "/")}
			},
		},
		"a learner's writes": {
			func(r *Rates) { r.Session = few },
			func(ask from, who []*browser, _ []string, i int) reply {
				return ask(who[0], fmt.Sprint("192.0.2.", i), "PUT", fmt.Sprint("/api/projects/p", i))
			},
			func(ask from, who []*browser, _ []string) []reply {
				return []reply{ask(who[1], "192.0.2.1", "PUT", "/api/projects/p"), ask(who[0], "192.0.2.1", "GET", "/api/projects")}
			},
		},
		"an address's new learners": {
			func(r *Rates) { r.Workspace = few },
			func(ask from, who []*browser, _ []string, i int) reply {
				return ask(who[0].s.browser(), "192.0.2.1", "PUT", "/api/projects/p")
			},
			func(ask from, who []*browser, _ []string) []reply {
				s := who[0].s
				return []reply{ask(s.browser(), "192.0.2.2", "PUT", "/api/projects/p"), ask(who[0], "192.0.2.1", "PUT", "/api/projects/p"), ask(s.browser(), "192.0.2.1", "GET", "/")}
			},
		},
		"a Worker's requests": {
			func(r *Rates) { r.Worker = few },
			func(ask from, who []*browser, slugs []string, i int) reply {
				return ask(who[0], fmt.Sprint("192.0.2.", i), "GET", fmt.Sprint("/w/", slugs[0], "/", i))
			},
			func(ask from, who []*browser, slugs []string) []reply {
				return []reply{ask(who[0], "192.0.2.1", "GET", "/w/"+slugs[1]+"/"), ask(who[0], "192.0.2.1", "GET", "/")}
			},
		},
		"an address's requests to Workers": {
			func(r *Rates) { r.WorkerCaller = few },
			func(ask from, who []*browser, slugs []string, i int) reply {
				return ask(who[0], "192.0.2.1", "GET", "/w/"+slugs[i%2]+"/")
			},
			func(ask from, who []*browser, slugs []string) []reply {
				return []reply{ask(who[0], "192.0.2.2", "GET", "/w/"+slugs[0]+"/"), ask(who[0], "192.0.2.1", "GET", "/")}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			s := newServer(t, nil, func(cfg *Config) {
				cfg.Now = func() time.Time { return now }
				cfg.TrustedProxies = append(cfg.TrustedProxies, localhost)
				c.set(&cfg.Rates)
			})
			ask := func(b *browser, address, method, path string) reply {
				var r *http.Request
				if method == "PUT" {
					r = b.request(method, path, "application/json", strings.NewReader(`{"files":{"src/index.js":"x"}}`))
				} else {
					r = b.request(method, path, "", nil)
				}
				r.Header.Set("X-Forwarded-For", address)
				return b.send(r)
			}
			who := []*browser{s.browser(), s.browser()}
			var slugs []string
			for _, b := range who {
				slugs = append(slugs, b.deployed("x"))
			}
			now = now.Add(time.Minute) // what that took is there again
			for i := range most + 2 {
				r := c.spend(ask, who, slugs, i)
				if refused := r.status == http.StatusTooManyRequests; refused != (i >= most) {
					t.Errorf("try %d of %d: %d", i+1, most, r.status)
				} else if refused && r.header.Get("Retry-After") != "1" {
					t.Errorf("told to come again after %q seconds", r.header.Get("Retry-After"))
				}
			}
			for i, r := range c.others(ask, who, slugs) {
				if r.status != 200 {
					t.Errorf("other %d, who has a budget of their own: %d", i, r.status)
				}
			}
			now = now.Add(time.Second)
			for i, want := range []bool{false, true} {
				if r := c.spend(ask, who, slugs, 2*i); (r.status == http.StatusTooManyRequests) != want {
					t.Errorf("a second later, try %d: %d", i+1, r.status)
				}
			}
		})
	}
}

// Bursts are counted for the class that they ask, whatever their instructor may
// do otherwise.
func TestRule7AClassRestsBetweenBursts(t *testing.T) {
	now := time.Now()
	s := newServer(t, nil, func(c *Config) { c.Now = func() time.Time { return now } })
	ada := s.instructor("ada")
	first, second := ada.newClass("Period 3"), ada.newClass("Period 4")
	burst := func(class classroom.Class) reply {
		return ada.form("/classes/"+class.ID+"/burst", "lesson", "hello", "path", "/")
	}
	for i := range 5 {
		r := burst(first)
		if refused := r.status == http.StatusTooManyRequests; refused != (i >= 3) || !refused && r.status != 303 {
			t.Errorf("burst %d gives %d", i+1, r.status)
		} else if refused && r.header.Get("Retry-After") != "5" {
			t.Errorf("told to come again after %q seconds", r.header.Get("Retry-After"))
		}
	}
	if r := burst(second); r.status != 303 {
		t.Errorf("another class's burst gives %d", r.status)
	}
	now = now.Add(5 * time.Second)
	if r := burst(first); r.status != 303 {
		t.Errorf("five seconds later a burst gives %d", r.status)
	}
}

// A clock that is set back shuts nobody out for as long as it was ahead.
func TestRule7ClockJumps(t *testing.T) {
	now := time.Now().Round(0) // without the monotonic reading, which a real clock has
	l := newLimiter(Rate{1, 2}, func() time.Time { return now })
	for i, step := range []struct {
		jump    time.Duration
		refused bool
	}{{0, false}, {0, false}, {0, true}, {-24 * time.Hour, true}, {time.Second, false}, {0, true}, {48 * time.Hour, false}, {0, false}, {0, true}} {
		now = now.Add(step.jump)
		if err := l.take("ada", "too fast"); (err != nil) != step.refused {
			t.Errorf("step %d, after a jump by %v: %v", i, step.jump, err)
		}
	}
}

// Callers who invent ever new names for themselves cost no more memory than is
// set aside for it, and do not get one forgotten who has spent their budget.
func TestRule7NamesOfCallersAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	l := newLimiter(Rate{1, 2}, func() time.Time { return now })
	for i := range maxBuckets - 1 {
		_ = l.take(fmt.Sprint("early ", i), "")
	}
	now = now.Add(time.Minute) // all of theirs is there again
	for i := range 3 {
		if err := l.take("greedy", "spent"); (err != nil) != (i == 2) {
			t.Fatalf("try %d gives %v", i, err)
		}
	}
	for i := range 1000 {
		_ = l.take(fmt.Sprint("late ", i), "")
	}
	if n := len(l.buckets); n > maxBuckets {
		t.Errorf("%d callers are remembered", n)
	}
	if l.take("greedy", "spent") == nil {
		t.Error("who had spent their budget was forgotten")
	}
	for i := range 2 * maxBuckets { // and when nobody's is there again
		_ = l.take(fmt.Sprint("flood ", i), "")
	}
	if n := len(l.buckets); n > maxBuckets {
		t.Errorf("%d callers are remembered in a flood", n)
	}
}

// Nothing that is shipped holds a credential: the image is one binary, built from these files.
func TestRule9NoCredentials(t *testing.T) {
	secret := regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{60}|\bxox[abprs]-[0-9A-Za-z-]{20}|\bAIza[0-9A-Za-z_-]{35}\b|\bsk_live_[0-9a-zA-Z]{24}|\bnpm_[A-Za-z0-9]{36}\b`)
	if !secret.MatchString("token = gh" + "p_" + strings.Repeat("a1", 18)) {
		t.Fatal("a credential would not be seen")
	}
	marks := []string{"PRIVATE KEY", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "xox", "AIza", "sk_live_", "npm_"}
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == ".git" || name == "node_modules" || name == "bin" || name == "dist" || name == "out" {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		if !slices.ContainsFunc(marks, func(mark string) bool { return bytes.Contains(data, []byte(mark)) }) {
			return nil // an expression over everything would take long
		}
		if at := secret.FindIndex(data); at != nil {
			t.Errorf("%s holds what looks like a credential, at byte %d", path, at[0])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 500 {
		t.Errorf("only %d files were looked at", files)
	}
}

func TestRule10BodiesAndHeadersAreBounded(t *testing.T) {
	s := newServer(t, nil, func(c *Config) { c.Rates.Session = Rate{PerSecond: -1} })
	b := s.browser()
	b.get("/")
	link, err := s.site.AdminLink(t.Context(), s.url, false)
	if err != nil {
		t.Fatal(err)
	}
	if r := b.form("/setup", "token", link[strings.Index(link, "token=")+6:]); r.status != 303 {
		t.Fatal(r.body)
	}
	for _, row := range s.site.routes {
		if !row.changes() {
			continue
		}
		kind, _ := row.payload()
		over := append(bytes.Repeat([]byte(" "), int(row.body)), '1')
		if kind != "application/json" && row.body > 0 {
			over = append([]byte("a="), bytes.Repeat([]byte("x"), int(row.body)-1)...)
		}
		for name, body := range map[string]func() io.Reader{
			"with its length": func() io.Reader { return bytes.NewReader(over) },
			"chunked":         func() io.Reader { return io.MultiReader(bytes.NewReader(over)) },
		} {
			// A megabyte is what a request, its client and the compressed page that says no cost without a body.
			most := 2*row.body + 1<<20
			r, used := allocating(most, func() reply { return b.send(b.request(row.method, row.concrete(), kind, body())) })
			if r.status != http.StatusRequestEntityTooLarge {
				t.Errorf("%s %s with a byte too many, %s: %d %s", row.method, row.path, name, r.status, r.body)
			}
			if used > most {
				t.Errorf("%s %s with a byte too many, %s: %d kB were allocated for %d kB", row.method, row.path, name, used>>10, row.body>>10)
			}
		}
	}
	resp, _ := s.raw("GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("x", 40<<10) + "\r\nConnection: close\r\n\r\n")
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("40 kB of headers: %d", resp.StatusCode)
	}
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	r := b.send(b.request("PUT", "/api/projects/hello", "application/json", strings.NewReader(`{"files":{"a.js":""},"vars":{"A":`+deep+`}}`)))
	if r.status != 400 || !strings.Contains(r.body, "nested") {
		t.Errorf("deep JSON: %d %s", r.status, r.body)
	}
	var many, parts strings.Builder
	for i := range 300_000 {
		fmt.Fprintf(&many, `,"%d":""`, i)
	}
	for i := range 1200 {
		fmt.Fprintf(&parts, "--x\r\nContent-Disposition: form-data; name=\"f%d\"\r\n\r\n\r\n", i)
	}
	for name, c := range map[string]struct{ method, path, kind, body string }{
		"JSON of many values":      {"PUT", "/api/projects/hello", "application/json", `{"files":{` + many.String()[1:] + `}}`},
		"JSON of an endless array": {"PUT", "/api/projects/hello", "application/json", `{"files":{"a.js":""},"vars":{"A":[` + strings.Repeat("1,", 1_000_000) + `1]}}`},
		"a form of many fields":    {"POST", "/join", "application/x-www-form-urlencoded", strings.Repeat("a&", 8000)},
		"a form of many parts":     {"POST", "/projects", "multipart/form-data; boundary=x", parts.String() + "--x--\r\n"},
	} {
		most := int64(4*len(c.body) + 4<<20)
		r, used := allocating(most, func() reply { return b.send(b.request(c.method, c.path, c.kind, strings.NewReader(c.body))) })
		if r.status != 400 || used > most {
			t.Errorf("%s: %d %.200s, %d kB allocated for %d kB", name, r.status, r.body, used>>10, len(c.body)>>10)
		}
	}
}

// allocating tells what a request had allocated: all of it, garbage included, so
// that no collection flatters the figure. Buffers that are usually used again are
// dropped at random under the race detector, so more than most is tried anew.
func allocating(most int64, send func() reply) (r reply, used int64) {
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r = send()
		runtime.ReadMemStats(&after)
		if used = int64(after.TotalAlloc - before.TotalAlloc); used <= most {
			break
		}
	}
	return r, used
}

// However a body arrives, its parts are counted as they come.
func TestPartsAreCounted(t *testing.T) {
	body := "--x\r\n\r\na\r\n--x\r\n\r\nb\n--\r\n--x\r\n\r\nc\r\n--x--\r\n" // three, and one in whose text a mark begins
	for _, slowly := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, func(r io.Reader) io.Reader { return r }} {
		for most, want := range map[int]bool{2: false, 3: true} {
			got, err := io.ReadAll(newPartsBody(io.NopCloser(slowly(strings.NewReader(body))), "x", most))
			if (err == nil) != want || want && string(got) != body {
				t.Errorf("at most %d: %q, %v", most, got, err)
			}
		}
	}
}

func TestRule11SlowClients(t *testing.T) {
	n, timeouts := 100, Timeouts{Header: 500 * time.Millisecond, Body: 500 * time.Millisecond, Write: 500 * time.Millisecond}
	within := 3 * time.Second
	if !testing.Short() {
		n, timeouts, within = 500, Timeouts{}, 10*time.Second
	}
	s := newServer(t, nil, func(c *Config) { c.Timeouts = timeouts })
	begin := time.Now()
	var wg sync.WaitGroup
	for i := range n {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		// Some drip their headers, some a body, some fall silent after the head or say nothing at all.
		text, every := "GET / HTTP/1.1\r\nX-Slow: "+strings.Repeat("x", 1000), time.Second
		if i%2 == 1 {
			text = "PUT /api/projects/hello HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
		}
		if i%4 > 1 {
			every = time.Hour
		}
		wg.Go(func() { drip(t, conn, text, every, begin.Add(within)) })
	}
	client := s.browser()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ; time.Since(begin) < within; <-tick.C {
		asked := time.Now()
		if r := client.get("/healthz"); r.status != 200 {
			t.Errorf("health %d", r.status)
		}
		if d := time.Since(asked); d > 250*time.Millisecond {
			t.Errorf("health took %v", d)
		}
	}
	wg.Wait()
}

// drip sends a byte each time the clock allows until the server hangs up. It
// sends the head of a PUT at once and drips what follows.
func drip(t *testing.T, conn net.Conn, text string, every time.Duration, end time.Time) {
	defer conn.Close()
	if head, _, ok := strings.Cut(text, "\r\n\r\n"); ok {
		if _, err := io.WriteString(conn, head+"\r\n\r\n"); err != nil {
			return
		}
		text = strings.Repeat(" ", 1000)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, conn)
	}()
	tick := time.NewTicker(every)
	defer tick.Stop()
	late := time.After(time.Until(end) + time.Second)
	for i := 0; ; i++ {
		if _, err := conn.Write([]byte{text[i%len(text)]}); err != nil {
			return
		}
		select {
		case <-gone:
			return
		case <-tick.C:
		case <-late:
		}
		if time.Now().After(end) {
			t.Error("a dripping client is still connected")
			return
		}
	}
}

func TestRule11SlowReaderIsCut(t *testing.T) {
	ended := make(chan struct{})
	s := newServer(t, func(c *doortest.Call) {
		defer close(ended)
		piece := make([]byte, 64<<10)
		for {
			if _, err := c.Write(piece); err != nil {
				return
			}
		}
	}, func(c *Config) { c.Timeouts.Write = 300 * time.Millisecond })
	slug := s.browser().deployed("x")
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /w/"+slug+"/ HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("a Worker still writes to a visitor who does not read")
	}
}

// Connections are no more than the host lets be open: the next one waits for a
// place. Who keeps one without asking anything gives it back.
func TestRule11ConnectionsAreBounded(t *testing.T) {
	const most = 3
	s := newServer(t, nil, func(c *Config) {
		c.MaxConns, c.MaxConnsEach = most, most
		c.Timeouts.Idle = 500 * time.Millisecond
	})
	begin := time.Now()
	ask := func() (net.Conn, *bufio.Reader) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		return conn, bufio.NewReader(conn)
	}
	answered := func(in *bufio.Reader) {
		t.Helper()
		resp, err := http.ReadResponse(in, nil)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%+v %v", resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	var open []*bufio.Reader
	for range most {
		_, in := ask()
		answered(in)
		open = append(open, in)
	}
	_, late := ask()
	answered(late)
	if d := time.Since(begin); d < 500*time.Millisecond {
		t.Errorf("connection %d is answered after %v, while %d are open", most+1, d, most)
	}
	for i, in := range open {
		if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("connection %d asks nothing and ends with %v", i, err)
		}
	}
}

// One address cannot take all connections, whatever it does with them; a proxy
// that is trusted may.
func TestRule11ConnectionsOfOneAddress(t *testing.T) {
	for name, trusted := range map[string]bool{"anybody": false, "a trusted proxy": true} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil, func(c *Config) {
				c.MaxConns = 8
				if trusted {
					c.TrustedProxies = append(c.TrustedProxies, netip.MustParsePrefix("127.0.0.2/32"))
				}
			})
			from := func(address string) (conn net.Conn, answered bool) {
				d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
				conn, err := d.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { conn.Close() })
				_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
				_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") // refused ones may be closed before
				resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
				}
				return conn, err == nil && resp.StatusCode == 200
			}
			var greedy []net.Conn
			for i := range 7 {
				conn, answered := from("127.0.0.2")
				greedy = append(greedy, conn)
				if want := trusted || i < 4; answered != want {
					t.Errorf("connection %d is answered: %v", i+1, answered)
				}
			}
			if _, answered := from("127.0.0.3"); !answered {
				t.Error("another address is not answered")
			}
			// A connection that ends gives its place back.
			greedy[0].Close()
			for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				if _, answered := from("127.0.0.2"); answered {
					break
				}
				if time.Now().After(end) {
					t.Fatal("the place of a connection that ended is not given back")
				}
			}
		})
	}
}

func TestRule12StaticStaysInside(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	for _, path := range []string{"/static/../static.go", "/static/%2e%2e/static.go", "/static/..%2fstatic.go", "/static//etc/passwd", "/static/manifest.json/../x", `/static/..\static.go`} {
		resp, body := s.raw("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if resp.StatusCode == 200 || strings.Contains(body, "package static") {
			t.Errorf("%s: %d %.80q", path, resp.StatusCode, body)
		}
	}
}

func TestRule17SecretsStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	const canary = "cAnArY"
	s := newServer(t, func(c *doortest.Call) {
		c.Log(canary + "-logged\x1b[31m")
		c.Fail(&trace.Fault{Kind: trace.FaultException, Message: canary + "-thrown"})
	})
	b := s.browser()
	b.get("/")
	b.json("PUT", "/api/projects/hello", obj{"title": canary, "files": obj{"src/index.js": canary + "-source"}, "vars": obj{"SECRET": canary}})
	b.json("PUT", "/api/projects/hello", obj{"files": obj{"../" + canary: canary}})
	b.form("/learn/serverless/hello/run", "path", "/"+canary, "body", canary, "headers", "Authorization: "+canary)
	b.form("/learn/serverless/hello/answer", "question", canary, "answer", canary)
	b.get("/setup?token=" + canary)
	s.raw("GET /" + canary + "%7f%0aforged%1b[31m HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	slug := decode[projectJSON](t, b.get("/api/projects/hello")).Slug
	b.get("/w/" + slug + "/" + canary)
	s.raw("BREW" + canary + " / HTTP/1.1\r\nHost: " + canary + "\r\nConnection: close\r\n\r\n")
	s.site.log.Error("with\x1b[31m escapes", "error", errors.New("line\x00one"), "password", canary, "body", canary)
	// What accounts and classes hand out: links, passwords, codes and phrases, right and wrong ones.
	link, err := s.site.AdminLink(t.Context(), s.url, false)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{canary, link[strings.Index(link, "token=")+6:], goodPassword}
	boss := s.browser()
	boss.get("/setup?token=" + secrets[1])
	boss.form("/setup", "token", secrets[1])
	boss.form("/host/accounts", "name", "grace")
	ada := s.instructor("ada")
	class := ada.newClass("Period 3")
	pupil := s.browser()
	phrase := pupil.join(class, "canary-nick")
	code := s.site.code(class.ID, class.CodeNumber)
	pupil.get("/j/" + code)
	s.browser().form("/resume", "phrase", phrase)
	b.form("/resume", "phrase", canary+" and five more words here")
	b.form("/signin", "name", "ada", "password", canary+canary)
	elsewhere := s.browser()
	elsewhere.form("/signin", "name", "ada", "password", goodPassword)
	ada.form("/classes/"+class.ID+"/members/"+s.memberOf(class, "canary-nick").ID+"/note", "text", canary)
	secrets = append(secrets, phrase, code, view.CodeText(code), "canary-nick", string(s.site.secret))
	for _, x := range []*browser{b, boss, ada, pupil, elsewhere} {
		token, _, _ := strings.Cut(x.cookie(), ".")
		secrets = append(secrets, token, x.cookie())
	}
	log := s.log.String()
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 2); err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"log": log, "metrics": fmt.Sprint(s.scrape()), "profile": profile.String()} {
		if len(text) < 1000 {
			t.Fatalf("the %s is %q", where, text)
		}
		for i, secret := range secrets {
			if len(secret) < 5 {
				t.Fatalf("secret %d is %q", i, secret)
			}
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("the %s holds %q: %s", where, secret, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
	for _, c := range []byte(log) {
		if c < 0x20 && c != '\n' || c == 0x7f {
			t.Fatalf("the log holds byte %#x", c)
		}
	}
	for _, want := range []string{"route=/api/projects/:project", "method=PUT", "status=200", "duration_us=", "request="} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
}

// Control bytes are made visible before the log's own format sees them, which may
// be one that writes them as they are.
func TestRule17ControlBytesAreSeen(t *testing.T) {
	var out strings.Builder
	log := slog.New(LogHandler(plainLog{&out}))
	log.With("lesson", "a\x1b[2Jb").Error("said\rtwice", "error", errors.New("line\x00one\u202e\u0085"), "run", "\x7f\ttab")
	if got, want := out.String(), "said\uFFFDtwice lesson=a\uFFFD[2Jb error=line\uFFFDone\uFFFD\uFFFD run=\uFFFD tab"; got != want {
		t.Errorf("the log has %q, want %q", got, want)
	}
}

// plainLog writes what it is given as it is.
type plainLog struct{ out *strings.Builder }

func (h plainLog) Enabled(context.Context, slog.Level) bool { return true }
func (h plainLog) WithGroup(string) slog.Handler            { return h }
func (h plainLog) WithAttrs(attrs []slog.Attr) slog.Handler { return plainLogWith{h, attrs} }

func (h plainLog) Handle(_ context.Context, r slog.Record) error {
	h.out.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(h.out, " %s=%s", a.Key, a.Value)
		return true
	})
	return nil
}

type plainLogWith struct {
	plainLog
	attrs []slog.Attr
}

func (h plainLogWith) Handle(ctx context.Context, r slog.Record) error {
	all := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	all.AddAttrs(h.attrs...)
	r.Attrs(func(a slog.Attr) bool { all.AddAttrs(a); return true })
	return h.plainLog.Handle(ctx, all)
}

func TestRule18NoDebugRoutes(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	b := s.browser()
	for _, row := range s.site.routes {
		for _, part := range []string{"debug", "pprof", "metrics", "expvar", "trace"} {
			if strings.Contains(row.path, part) {
				t.Errorf("%s is a route of the public port", row.path)
			}
		}
		if r := b.get(row.concrete()); strings.Contains(r.body, "goroutine profile:") || strings.Contains(r.body, "go_goroutines") {
			t.Errorf("%s shows what only the debug address may", row.path)
		}
	}
	for _, path := range []string{"/debug/pprof/", "/debug/vars", "/debug/process", "/debug/free", "/metrics", "/debug/pprof/goroutine?debug=1"} {
		if r := b.get(path); r.status != 404 {
			t.Errorf("%s: %d", path, r.status)
		}
	}
}

func TestPanicIsOneAnswerAndOneLine(t *testing.T) {
	s := newServer(t, nil)
	s.site.static = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a secret of ours") })
	b := s.browser()
	if r := b.get("/static/x.js"); r.status != 500 || strings.Contains(r.body, "secret") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if !strings.Contains(s.log.String(), "handler panicked") {
		t.Error("the panic was not logged")
	}
	if r := b.get("/healthz"); r.status != 200 {
		t.Errorf("health %d", r.status)
	}
}

func TestTrustedProxies(t *testing.T) {
	s := &Site{config: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}}
	for _, test := range []struct {
		remote, forwarded, proto string
		caller                   string
		secure                   bool
	}{
		{"192.0.2.7:1", "1.2.3.4", "https", "192.0.2.7", false},
		{"10.1.1.1:1", "1.2.3.4", "https", "1.2.3.4", true},
		{"10.1.1.1:1", "6.6.6.6, 1.2.3.4, 10.2.2.2", "http", "1.2.3.4", false},
		{"10.1.1.1:1", "nonsense", "", "10.1.1.1", false},
		{"10.1.1.1:1", "", "", "10.1.1.1", false},
		{"[fd00::1]:1", "2001:db8::5", "https", "2001:db8::5", true},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.remote
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-For", test.forwarded)
		}
		if test.proto != "" {
			r.Header.Set("X-Forwarded-Proto", test.proto)
		}
		if got := s.caller(r).String(); got != test.caller {
			t.Errorf("%s for %q: caller %s", test.remote, test.forwarded, got)
		}
		if got := s.secure(r); got != test.secure {
			t.Errorf("%s by %q: secure %v", test.remote, test.proto, got)
		}
	}
}

func TestErrorsAreSentences(t *testing.T) {
	for _, err := range []error{
		errors.New("disk /var/lib/secret on fire"), classroom.ErrBusy, classroom.ErrFull, classroom.ErrNotFound, classroom.ErrTooMany, errSlow,
		&http.MaxBytesError{Limit: 4096}, fail(400, "A sentence."),
	} {
		e := visible(err)
		if !strings.HasSuffix(e.Message, ".") || strings.Contains(e.Message, "secret") || strings.Contains(e.Message, "classroom:") || strings.Contains(e.Message, "!") {
			t.Errorf("%v is shown as %q", err, e.Message)
		}
	}
}

func TestPagesAreCompressed(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	for _, encoding := range []string{"br", "gzip"} {
		resp, body := s.raw("GET /learn/serverless/hello HTTP/1.1\r\nHost: x\r\nAccept-Encoding: deflate, " + encoding + "\r\nConnection: close\r\n\r\n")
		if resp.Header.Get("Content-Encoding") != encoding || strings.Contains(body, "<html") || !strings.Contains(resp.Header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s: %v", encoding, resp.Header)
		}
	}
	resp, body := s.raw("GET /learn/serverless/hello HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br;q=0, gzip;q=0\r\nConnection: close\r\n\r\n")
	if resp.Header.Get("Content-Encoding") != "" || !strings.Contains(body, "<html") {
		t.Errorf("refused encodings: %v", resp.Header)
	}
}
