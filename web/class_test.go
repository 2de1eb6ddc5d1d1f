package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sys/unix"

	"coldstart/lessons"
	"coldstart/web/bus"
	"coldstart/web/classroom"
	"coldstart/web/doortest"
	"coldstart/web/live"
	"coldstart/web/view"
)

const goodPassword = "a sentence nobody guesses"

// offered makes an account and the token of the link that a host would give away.
func (s *server) offered(name, role string) (a classroom.Account, token string) {
	s.t.Helper()
	a, err := s.store.CreateAccount(s.t.Context(), name, role)
	if err != nil {
		s.t.Fatal(err)
	}
	if token, err = s.store.OfferAccount(s.t.Context(), a.ID, time.Hour); err != nil {
		s.t.Fatal(err)
	}
	return a, token
}

// instructor is a browser that is signed in with a new account, made by the
// link that a host would give away.
func (s *server) instructor(name string) *browser {
	s.t.Helper()
	_, token := s.offered(name, classroom.RoleInstructor)
	b := s.browser()
	b.get("/")
	if r := b.form("/account", "token", token, "password", goodPassword); r.status != 303 {
		s.t.Fatalf("account gives %d %s", r.status, r.body)
	}
	return b
}

// newClass makes a class through the page and gives it as the store has it.
func (b *browser) newClass(title string) classroom.Class {
	b.s.t.Helper()
	r := b.form("/classes", "title", title)
	id, ok := strings.CutPrefix(r.header.Get("Location"), "/classes/")
	if r.status != 303 || !ok {
		b.s.t.Fatalf("a new class gives %d %s", r.status, r.body)
	}
	c, err := b.s.store.Class(b.s.t.Context(), id)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return c
}

var shownPhrase = regexp.MustCompile(`<p class="phrase"[^>]*>([a-z ]+)</p>`)

// join joins a class with its code and gives the phrase that is shown.
func (b *browser) join(c classroom.Class, nickname string) string {
	b.s.t.Helper()
	b.get("/join")
	r := b.form("/join", "code", view.CodeText(b.s.site.code(c.ID, c.CodeNumber)), "nickname", nickname)
	m := shownPhrase.FindStringSubmatch(r.body)
	if r.status != 200 || m == nil {
		b.s.t.Fatalf("joining gives %d %s", r.status, r.body)
	}
	return m[1]
}

func (s *server) memberOf(c classroom.Class, nickname string) classroom.Member {
	s.t.Helper()
	members, err := s.store.Members(s.t.Context(), c.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range members {
		if m.Nickname == nickname {
			return m
		}
	}
	s.t.Fatalf("nobody in the class is %s", nickname)
	return classroom.Member{}
}

func TestJoinAndGoOnElsewhere(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	teacher := s.instructor("ada")
	class := teacher.newClass("Period 3")
	pupil := s.browser()
	pupil.get("/learn/serverless/hello")
	if r := pupil.json("PUT", "/api/projects/hello", obj{"files": obj{"src/index.js": "mine"}}); r.status != 200 {
		t.Fatal(r.body)
	}
	if r := pupil.get("/j/abcd-efgh"); r.status != 303 || r.header.Get("Location") != "/join?code=ABCD-EFGH" {
		t.Errorf("the short link gives %d %s", r.status, r.header.Get("Location"))
	}
	phrase := pupil.join(class, "Grace  Hopper")
	if len(strings.Fields(phrase)) != phraseWords {
		t.Errorf("phrase %q", phrase)
	}
	if r := pupil.get("/you"); !strings.Contains(r.body, "Period 3") || !strings.Contains(r.body, "You are Grace Hopper there") || strings.Contains(r.body, phrase) {
		t.Errorf("/you shows %s", r.body)
	}
	twin := s.browser()
	twin.get("/")
	code := s.site.code(class.ID, class.CodeNumber)
	if r := twin.form("/join", "code", strings.ToUpper(code), "nickname", "grace hopper"); r.status != 422 || !strings.Contains(r.body, "resume phrase") {
		t.Errorf("a nickname twice gives %d", r.status)
	}
	if r := twin.form("/resume", "phrase", strings.ReplaceAll(strings.ToUpper(phrase), " ", "-")); r.status != 303 {
		t.Fatalf("resuming gives %d %s", r.status, r.body)
	}
	for name, b := range map[string]*browser{"the first device": pupil, "the second device": twin} {
		if p := decode[projectJSON](t, b.get("/api/projects/hello")); p.Files["src/index.js"] != "mine" {
			t.Errorf("%s has %+v", name, p)
		}
	}
	if r := twin.form("/resume", "phrase", "acorn acorn acorn acorn acorn acorn"); r.status != 422 {
		t.Errorf("a wrong phrase gives %d", r.status)
	}
	again := twin.send(twin.request("POST", "/you/phrase", "", nil))
	if m := shownPhrase.FindStringSubmatch(again.body); m == nil || m[1] == phrase {
		t.Errorf("a new phrase: %v", m)
	}
	late := s.browser()
	late.get("/")
	if r := late.form("/resume", "phrase", phrase); r.status != 422 {
		t.Errorf("the phrase before gives %d", r.status)
	}
	// Rotating the code shuts the old one out, and nobody in.
	if r := teacher.send(teacher.request("POST", "/classes/"+class.ID+"/code", "", nil)); r.status != 303 {
		t.Fatal(r.status, r.body)
	}
	if r := late.form("/join", "code", code, "nickname", "late"); r.status != 422 || !strings.Contains(r.body, "expired") {
		t.Errorf("the code before gives %d", r.status)
	}
	data, err := readAll(s.path)
	if err != nil || strings.Contains(data, phrase) || strings.Contains(data, code) {
		t.Errorf("the database holds a phrase or a code itself, or %v", err)
	}
	if log := s.log.String(); strings.Contains(log, phrase) || strings.Contains(log, code) || strings.Contains(log, "Hopper") || strings.Contains(log, goodPassword) {
		t.Error("the log holds a phrase, a code, a name or a password")
	}
}

func TestGridFollowsLearners(t *testing.T) {
	clock := time.Now()
	var mu sync.Mutex
	now := func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
	s := newServer(t, func(c *doortest.Call) { _, _ = io.WriteString(c, "hello") }, func(c *Config) { c.Now = now })
	teacher := s.instructor("ada")
	class := teacher.newClass("Period 3")
	grace, linus := s.browser(), s.browser()
	grace.join(class, "Grace")
	live := teacher.follow(t, "/classes/"+class.ID+"/live?order=help")
	first := live.next(func(m boardMessage) bool { return len(m.Rows) == 1 })
	if !strings.Contains(first.Rows[0].HTML, "Grace") || strings.Contains(first.Rows[0].HTML, "cell-pass") {
		t.Errorf("first %+v", first)
	}
	linus.join(class, "=Linus")
	live.next(func(m boardMessage) bool { return len(m.Order) == 2 })
	me := s.workspaceOf(grace)
	fails := []classroom.Check{{Name: "1: greets", Task: 1, Message: "Expected <7>", Place: "src/index.js:3", Program: classroom.Files{"src/index.js": []byte("her <program>")}}}
	for range 2 {
		if err := (seen{s.store, s.site.touched}).SaveChecks(t.Context(), me, "hello", fails, classroom.ChecksRan); err != nil {
			t.Fatal(err)
		}
	}
	got := live.next(func(m boardMessage) bool {
		return slices.ContainsFunc(m.Rows, func(r boardRow) bool { return strings.Contains(r.HTML, "2 <span") })
	})
	if html := got.Rows[0].HTML; !strings.Contains(html, "Expected &lt;7&gt;") || !strings.Contains(html, "src/index.js:3") || len(got.Rows) != 1 {
		t.Errorf("the failing learner's row is %+v", got)
	}
	if r := grace.form("/you/hand", "class", class.ID, "up", "yes"); r.status != 303 {
		t.Fatal(r.body)
	}
	if m := live.next(func(m boardMessage) bool { return m.Say != "" }); m.Say != "Grace raised a hand." || m.Order[0] != s.memberOf(class, "Grace").ID {
		t.Errorf("a raised hand says %+v", m)
	}
	mu.Lock()
	clock = clock.Add(stuckAfter + 90*time.Second)
	mu.Unlock()
	page := teacher.get("/classes/" + class.ID)
	if !strings.Contains(page.body, "cell-stuck") || !strings.Contains(page.body, "stuck 6 min") || !strings.Contains(page.body, "hand raised") {
		t.Errorf("the page does not show who is stuck: %s", page.body)
	}
	common := teacher.get("/classes/" + class.ID + "/errors/hello/1")
	if !strings.Contains(common.body, "Expected &lt;7&gt;") || !strings.Contains(common.body, "her &lt;program&gt;") || !strings.Contains(common.body, "1 learner") {
		t.Errorf("common errors: %s", common.body)
	}
	if err := s.store.SaveChecks(t.Context(), me, "hello", []classroom.Check{{Name: "1: greets", Task: 1, Passed: true}}, classroom.ChecksDone); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(teacher.get("/classes/" + class.ID + "/export.csv").body)).ReadAll()
	want := [][]string{{"learner", "Hello: prediction", "Hello: task 1", "Hello: quiz", "tasks_passed"}, {"'=Linus", "", "", "", "0"}, {"Grace", "", "passed", "", "1"}}
	if err != nil || fmt.Sprint(rows) != fmt.Sprint(want) {
		t.Errorf("csv %v, %v", rows, err)
	}
	all := decode[classJSON](t, teacher.get("/classes/"+class.ID+"/export.json"))
	if len(all.Learners) != 2 || all.Learners[1].Lessons["hello"].Cells["task 1"] != "passed" || all.Learners[1].Lessons["hello"].Checks[0].Tries != 3 {
		t.Errorf("json %+v", all)
	}
	if r := teacher.get("/classes/" + class.ID + "/analytics"); r.status != 200 || !strings.Contains(r.body, "task 1") {
		t.Errorf("analytics %d", r.status)
	}
	// A note reaches the learner's lesson; the code is read, not changed.
	member := s.memberOf(class, "Grace")
	if r := grace.json("PUT", "/api/projects/hello", obj{"files": obj{"src/index.js": "her newest"}}); r.status != 200 {
		t.Fatal(r.body)
	}
	at := "/classes/" + class.ID + "/members/" + member.ID
	if r := teacher.get(at); r.status != 200 || !strings.Contains(r.body, "her newest") {
		t.Errorf("the learner's page %d", r.status)
	}
	if r := teacher.form(at+"/note", "text", "Look at <line> 3.", "lesson", "hello"); r.status != 303 {
		t.Fatal(r.body)
	}
	if r := grace.get("/learn/serverless/hello"); !strings.Contains(r.body, "Look at &lt;line&gt; 3.") {
		t.Error("the lesson does not show the note")
	}
	grace.form("/you/read", "class", class.ID)
	if r := grace.get("/learn/serverless/hello"); strings.Contains(r.body, "Look at &lt;line&gt; 3.") {
		t.Error("the lesson shows a note that was read")
	}
	if r := teacher.send(teacher.request("POST", at+"/hand", "", nil)); r.status != 303 || !s.memberOf(class, "Grace").Hand.IsZero() {
		t.Errorf("lowering a hand gives %d", r.status)
	}
	if r := teacher.form(at+"/merge", "into", s.memberOf(class, "=Linus").ID); r.status != 303 {
		t.Fatalf("merging gives %d %s", r.status, r.body)
	}
	if p := decode[projectJSON](t, linus.get("/api/projects/hello")); p.Files["src/index.js"] != "her newest" {
		t.Errorf("after the merge %+v", p)
	}
	if p := decode[projectJSON](t, grace.get("/api/projects/hello")); p.Files["src/index.js"] != "her newest" {
		t.Errorf("the merged learner's own browser has %+v", p)
	}
	// When the account goes, the live view ends within a second or so.
	a, err := s.store.AccountByName(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.DeleteAccount(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	live.end()
}

// stream is a live view that a test reads.
type stream struct {
	t *testing.T
	r *bufio.Reader
}

func (b *browser) follow(t *testing.T, path string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	r := b.request("GET", path, "", nil).WithContext(ctx)
	client := *b.client
	client.Timeout = 0
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("the live view answers %d", resp.StatusCode)
	}
	return &stream{t, bufio.NewReader(resp.Body)}
}

// next reads messages until one is as wanted.
func (s *stream) next(want func(boardMessage) bool) boardMessage {
	s.t.Helper()
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			s.t.Fatalf("the live view ended: %v", err)
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var m boardMessage
		if err := json.Unmarshal([]byte(data), &m); err != nil {
			s.t.Fatal(err)
		}
		if want(m) {
			return m
		}
	}
}

// end waits for the server to end the stream.
func (s *stream) end() {
	s.t.Helper()
	if _, err := io.Copy(io.Discard, s.r); err != nil {
		s.t.Errorf("the live view did not end by itself: %v", err)
	}
}

func TestClassBurstAsksOnlyWhoAllowedIt(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	s := newServer(t, func(c *doortest.Call) {
		mu.Lock()
		defer mu.Unlock()
		asked[c.Code]++
	})
	teacher := s.instructor("ada")
	class := teacher.newClass("Period 3")
	if r := teacher.form("/classes/"+class.ID+"/settings", "title", "Period 3", "lesson", "hello", "due:hello", "2027-01-31"); r.status != 303 {
		t.Fatalf("a due date gives %d %s", r.status, r.body)
	}
	fire := `<option value="hello">`
	if r := teacher.get("/classes/" + class.ID); !strings.Contains(r.body, "Nobody has allowed it yet") || strings.Contains(r.body, fire) {
		t.Error("a burst is offered before anybody allowed it")
	}
	for _, name := range []string{"yes", "no"} {
		b := s.browser()
		b.join(class, name)
		if r := b.get("/learn/serverless/hello"); !strings.Contains(r.body, "due 31 Jan 2027") {
			t.Error("the lesson does not say when it is due")
		}
		b.json("PUT", "/api/projects/hello", obj{"files": obj{"src/index.js": name}})
		if name == "yes" {
			b.form("/you/burst", "class", class.ID, "on", "yes")
		}
	}
	if r := teacher.get("/classes/" + class.ID); !strings.Contains(r.body, fire) || !strings.Contains(r.body, "1 Worker<") {
		t.Error("the page does not offer the burst")
	}
	if r := teacher.form("/classes/"+class.ID+"/burst", "lesson", "hello", "path", "/"); r.status != 303 {
		t.Fatalf("the burst gives %d %s", r.status, r.body)
	}
	mu.Lock()
	defer mu.Unlock()
	if asked["yes"] != burstEach || asked["no"] != 0 {
		t.Errorf("asked %v", asked)
	}
	if r := teacher.get("/classes/" + class.ID); !strings.Contains(r.body, "10 requests at the Workers of 1 learner") {
		t.Errorf("the page shows %s", r.body)
	}
}

func TestRule8WrongCodesAreThrottled(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newServer(t, nil, func(c *Config) {
		c.Now = func() time.Time { return now }
		c.TrustedProxies = append(c.TrustedProxies, localhost)
		c.Rates.Session, c.Rates.Workspace = Rate{PerSecond: -1}, Rate{PerSecond: -1}
	})
	class := s.instructor("ada").newClass("Period 3")
	try := func(b *browser, from, code string) reply {
		v := url.Values{"code": {code}, "nickname": {"n" + from}}
		r := b.request("POST", "/join", "application/x-www-form-urlencoded", strings.NewReader(v.Encode()))
		r.Header.Set("X-Forwarded-For", from)
		return b.send(r)
	}
	alone := 0 // of one address, while all together are far from too many
	for i := range 40 {
		if r := try(s.browser(), "198.51.100.9", fmt.Sprintf("%08d", i)); r.status == 422 {
			alone++
		}
	}
	if alone != 30 {
		t.Errorf("%d of 40 tries of one address were let through", alone)
	}
	tries := 10_000
	if testing.Short() {
		tries = 1500 // the clock stands still: what is refused once is refused for good
	}
	tried := 0
	b := s.browser()
	for i := range tries {
		if r := try(b, fmt.Sprintf("10.0.0.%d", i%50), fmt.Sprintf("%08d", i)); r.status == 422 {
			tried++
			if i >= 1000 {
				t.Errorf("try %d was let through after twenty of each address", i)
			}
		} else if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" {
			t.Fatalf("try %d gives %d", i, r.status)
		}
	}
	// 40 bits a code: with so few tries let through, the odds of a hit stay under one in a million.
	if tried > 400 || float64(tried)/(1<<40) > 1e-6 {
		t.Errorf("%d of %d tries were let through", tried, tries)
	}
	if r := try(s.browser(), "192.0.2.1", s.site.code(class.ID, class.CodeNumber)); r.status != 200 {
		t.Errorf("the right code from a clean address gives %d", r.status)
	}
	if r := try(s.browser(), "10.0.0.1", s.site.code(class.ID, class.CodeNumber)); r.status != http.StatusTooManyRequests {
		t.Errorf("the right code from a throttled address gives %d", r.status)
	}
}

// Tries that arrive all at once are no more than those that arrive in a row.
func TestWrongTriesAtOnceAreThrottled(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newServer(t, nil, func(c *Config) {
		c.Now = func() time.Time { return now }
		c.Rates.Session, c.Rates.Workspace, c.Rates.Wrong = Rate{PerSecond: -1}, Rate{PerSecond: -1}, Rate{0.1, 5}
	})
	s.instructor("ada")
	for path, fields := range map[string][]string{
		"/join":   {"nickname", "n", "code", "00000000"},
		"/resume": {"phrase", "no such phrase is known here"},
		"/signin": {"name", "ada", "password", "wrong wrong wrong"},
	} {
		var tried atomic.Int64
		var wg sync.WaitGroup
		for range 40 {
			b := s.browser()
			wg.Go(func() {
				if r := b.form(path, fields...); r.status == http.StatusUnprocessableEntity {
					tried.Add(1)
				} else if r.status != http.StatusTooManyRequests {
					t.Errorf("%s gives %d", path, r.status)
				}
			})
		}
		wg.Wait()
		if n := tried.Load(); n != 5 {
			t.Errorf("%s: %d of 40 tries at once were let through, five may be", path, n)
		}
	}
}

// Tries of one name's password are counted wherever they come from, so that many
// addresses together guess no faster. Other names are not held up.
func TestRule8TriesOfOneNameAreThrottled(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newServer(t, nil, func(c *Config) {
		c.Now = func() time.Time { return now }
		c.TrustedProxies = append(c.TrustedProxies, localhost)
	})
	s.instructor("ada")
	s.instructor("bob")
	try := func(from, name, password string) reply {
		v := url.Values{"name": {name}, "password": {password}}
		r := s.browser().request("POST", "/signin", "application/x-www-form-urlencoded", strings.NewReader(v.Encode()))
		r.Header.Set("X-Forwarded-For", from)
		return s.browser().send(r)
	}
	for i := range 12 {
		want := 422
		if i >= 10 {
			want = http.StatusTooManyRequests
		}
		if r := try(fmt.Sprint("192.0.2.", i), "ada", "wrong wrong wrong"); r.status != want {
			t.Errorf("wrong try %d gives %d, want %d", i+1, r.status, want)
		}
	}
	if r := try("198.51.100.1", " ADA ", goodPassword); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" {
		t.Errorf("the right password of a throttled name gives %d", r.status)
	}
	if r := try("192.0.2.1", "bob", goodPassword); r.status != 303 {
		t.Errorf("another name's right password gives %d", r.status)
	}
	now = now.Add(time.Minute)
	if r := try("198.51.100.1", "ada", goodPassword); r.status != 303 {
		t.Errorf("a minute later the right password gives %d", r.status)
	}
}

// A host cannot remove the account that they are signed in with: nobody would be left.
func TestHostKeepsTheirOwnAccount(t *testing.T) {
	s := newServer(t, nil)
	a, token := s.offered("boss", classroom.RoleHost)
	boss := s.browser()
	boss.get("/")
	if r := boss.form("/account", "token", token, "password", goodPassword); r.status != 303 {
		t.Fatal(r.body)
	}
	if r := boss.form("/host/accounts/"+a.ID+"/remove", "sure", "yes"); r.status != http.StatusConflict || boss.get("/host").status != 200 {
		t.Errorf("the host removes their own account: %d", r.status)
	}
}

// A name that nobody has, and an account that nobody has used yet, cost as much
// time as a wrong password: nobody learns from the clock whose names are known.
func TestUnknownNamesTakeAsLong(t *testing.T) {
	known := hashPassword(goodPassword)
	quickest := func(stored string) time.Duration {
		best := time.Hour
		for range 5 {
			used := cpuUsed()
			if checkPassword(stored, "wrong wrong wrong") {
				t.Errorf("a wrong password fits %q", stored)
			}
			best = min(best, cpuUsed()-used)
		}
		return best
	}
	wrong := quickest(known)
	for _, stored := range []string{"", "$argon2id$", strings.Replace(known, "v=19", "v=16", 1), strings.Replace(known, "m=", "m=99", 1)} {
		if d := quickest(stored); d < wrong/2 {
			t.Errorf("%q is refused in %v, a wrong password in %v", stored, d, wrong)
		}
	}
}

// cpuUsed is what this process has used, which tells more than the clock on a
// busy machine.
func cpuUsed() time.Duration {
	var r unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func TestPasswordsAndAccounts(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	link, err := s.site.AdminLink(t.Context(), s.url, false)
	if err != nil {
		t.Fatal(err)
	}
	boss := s.browser()
	boss.get("/")
	if r := boss.form("/setup", "token", link[strings.Index(link, "token=")+6:]); r.status != 303 || r.header.Get("Location") != "/host" {
		t.Fatalf("setup gives %d %s", r.status, r.header.Get("Location"))
	}
	offered := func(r reply) string {
		t.Helper()
		m := regexp.MustCompile(`/account\?token=([A-Za-z0-9_-]+)`).FindStringSubmatch(r.body)
		if r.status != 200 || m == nil {
			t.Fatalf("no link in %d %s", r.status, r.body)
		}
		return m[1]
	}
	for _, bad := range []string{"", "two words", "<x>", strings.Repeat("x", 300)} {
		if r := boss.form("/host/accounts", "name", bad); r.status != 422 {
			t.Errorf("the name %q gives %d", bad, r.status)
		}
	}
	token := offered(boss.form("/host/accounts", "name", " Ada@School.example "))
	if r := boss.form("/host/accounts", "name", "ada@school.example"); r.status != 422 {
		t.Errorf("a name twice gives %d", r.status)
	}
	if r := boss.get("/account?token=" + token); r.status != http.StatusConflict {
		t.Errorf("the instructor's link in the host's browser gives %d", r.status)
	}
	if r := boss.form("/account", "token", token, "password", goodPassword); r.status != http.StatusConflict || boss.get("/host").status != 200 {
		t.Errorf("an instructor's account in the host's browser gives %d", r.status)
	}
	ada := s.browser()
	ada.get("/")
	before := ada.cookie()
	for _, bad := range []string{"short", "my ada@school.example pass", strings.Repeat("x", 201)} {
		if r := ada.form("/account", "token", token, "password", bad); r.status != 422 {
			t.Errorf("the password %q gives %d", bad, r.status)
		}
	}
	if r := ada.form("/account", "token", token, "password", goodPassword); r.status != 303 || ada.cookie() == before {
		t.Fatalf("accepting gives %d, rotated %v", r.status, ada.cookie() != before)
	}
	if r := ada.form("/account", "token", token, "password", goodPassword); r.status != http.StatusGone {
		t.Errorf("accepting twice gives %d", r.status)
	}
	class := ada.newClass("Period 3")
	if r := ada.get("/host"); r.status != 403 {
		t.Errorf("an instructor sees the host's page: %d", r.status)
	}
	elsewhere := s.browser()
	elsewhere.get("/")
	if r := elsewhere.form("/signin", "name", "ada@school.example", "password", "wrong wrong wrong"); r.status != 422 {
		t.Errorf("a wrong password gives %d", r.status)
	}
	if r := elsewhere.form("/signin", "name", "Ada@school.example", "password", goodPassword); r.status != 303 {
		t.Fatalf("signing in gives %d", r.status)
	}
	if r := elsewhere.get("/classes/" + class.ID); r.status != 200 {
		t.Errorf("the class from another browser gives %d", r.status)
	}
	signedIn := elsewhere.cookie()
	if r := elsewhere.send(elsewhere.request("POST", "/signout", "", nil)); r.status != 303 || elsewhere.get("/classes").status != 403 && elsewhere.get("/classes").status != 401 {
		t.Errorf("signing out gives %d", r.status)
	}
	stale := s.browser().request("GET", "/classes", "", nil)
	stale.Header.Set("Cookie", cookieName+"="+signedIn)
	if r := s.browser().send(stale); r.status != 403 && r.status != 401 {
		t.Errorf("the session that was signed out gives %d", r.status)
	}
	if r := ada.get("/classes"); r.status != 200 {
		t.Errorf("the other browser gives %d", r.status)
	}
	if r := boss.send(boss.request("POST", "/signout", "", nil)); r.status != http.StatusConflict {
		t.Errorf("a host without an account signs out: %d", r.status)
	}
	a, err := s.store.AccountByName(t.Context(), "ada@school.example")
	if err != nil || !strings.HasPrefix(a.Password, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("the password is kept as %q, %v", a.Password, err)
	}
	reset := offered(boss.send(boss.request("POST", "/host/accounts/"+a.ID+"/link", "", nil)))
	anew := s.browser()
	anew.get("/")
	if r := anew.form("/account", "token", reset, "password", "another sentence, longer"); r.status != 303 {
		t.Fatal(r.body)
	}
	if r := ada.get("/classes"); r.status == 200 {
		t.Error("a browser from before the reset is still in")
	}
	if r := boss.form("/host/accounts/"+a.ID+"/remove", "sure", "yes"); r.status != 303 {
		t.Fatal(r.body)
	}
	if r := anew.get("/classes"); r.status == 200 {
		t.Error("a removed account is still in")
	}
}

func TestEraseTakesEverything(t *testing.T) {
	s := newServer(t, nil)
	class := s.instructor("ada").newClass("Period 3")
	b := s.browser()
	b.join(class, "Grace")
	slug := b.deployed("export default {}")
	b.form("/learn/serverless/hello/answer", "question", "quiz-1", "answer", "0")
	me := s.workspaceOf(b)
	if r := b.form("/you/erase"); r.status != 400 {
		t.Errorf("without the tick it gives %d", r.status)
	}
	if r := b.form("/you/erase", "sure", "yes"); r.status != 303 {
		t.Fatalf("erasing gives %d %s", r.status, r.body)
	}
	db := s.open()
	defer db.Close()
	for _, table := range []string{"projects", "versions", "answers", "progress", "members", "activity", "phrases", "devices", "runs", "records", "shares", "failures"} {
		var n int
		if err := db.QueryRow(`SELECT count(*) FROM `+table+` WHERE workspace = ?`, me).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s holds %d rows, %v", table, n, err)
		}
	}
	if r := b.get("/w/" + slug + "/"); r.status != 404 {
		t.Errorf("the Worker still answers %d", r.status)
	}
	if p := b.get("/api/projects/hello"); p.status != 401 && !strings.Contains(p.body, "starter") {
		t.Errorf("after erasing: %d %s", p.status, p.body)
	}
}

func TestPasswordHashes(t *testing.T) {
	a, b := hashPassword("x"), hashPassword("x")
	if a == b || !checkPassword(a, "x") || checkPassword(a, "y") {
		t.Error("hashes do not tell passwords apart")
	}
	for _, broken := range []string{"", "x", "$argon2id$v=19$m=99999999,t=1,p=1$AAAA$AAAA", "$argon2id$v=18$m=64,t=1,p=1$c29tZXNhbHQ$c29tZWtleXNvbWVrZXk"} {
		if checkPassword(broken, "x") {
			t.Errorf("%q takes a password", broken)
		}
	}
}

var localhost = netip.MustParsePrefix("127.0.0.0/8")

// readAll is the database as it lies on the disk, with what is not yet in its main file.
func readAll(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	wal, err := os.ReadFile(path + "-wal")
	return string(data) + string(wal), err
}

// TestGridCrossesServers: what a learner does on one server of a site is seen
// on another one's live view.
func TestGridCrossesServers(t *testing.T) {
	s := newServer(t, nil, func(c *Config) { c.Bus = &bus.Local{} })
	second, stop := startServer(t, s.site.config)
	defer stop()
	second.store, second.door, second.path = s.store, s.door, s.path
	class := s.instructor("ada").newClass("Period 3")
	pupil := s.browser()
	pupil.join(class, "Grace")
	teacher := second.browser()
	teacher.get("/")
	if r := teacher.form("/signin", "name", "ada", "password", goodPassword); r.status != 303 {
		t.Fatalf("signing in on the other server gives %d", r.status)
	}
	live := teacher.follow(t, "/classes/"+class.ID+"/live")
	live.next(func(m boardMessage) bool { return len(m.Rows) == 1 })
	if r := pupil.form("/you/hand", "class", class.ID, "up", "yes"); r.status != 303 {
		t.Fatal(r.body)
	}
	live.next(func(m boardMessage) bool { return m.Say == "Grace raised a hand." })
	pupil.form("/learn/serverless/hello/answer", "question", "quiz-1", "answer", "0")
	live.next(func(m boardMessage) bool {
		return len(m.Rows) == 1 && strings.Contains(m.Rows[0].HTML, "cell-pass")
	})
}

// TestNotesReachAnOpenLesson: what a class says to a learner is on an open page
// without a reload, and the hand is the same on both sides.
func TestNotesReachAnOpenLesson(t *testing.T) {
	s := newServer(t, nil)
	ada := s.instructor("ada")
	class := ada.newClass("Period 3")
	grace, alan := s.browser(), s.browser()
	grace.join(class, "Grace")
	alan.join(class, "Alan")
	at := "/classes/" + class.ID + "/members/" + s.memberOf(class, "Grace").ID
	page := grace.livePage("hello")
	if news := page.news(); news != (live.ClassNews{}) {
		t.Errorf("at first the page is told %+v", news)
	}
	if r := grace.form("/you/hand", "class", class.ID, "up", "yes", "lesson", "hello"); r.status != 303 || r.header.Get("Location") != "/learn/serverless/hello" {
		t.Fatalf("raising a hand in a lesson gives %d %s", r.status, r.header.Get("Location"))
	}
	if news := page.news(); !news.Hand {
		t.Errorf("after raising a hand: %+v", news)
	}
	if r := grace.get("/learn/serverless/hello"); !strings.Contains(r.body, `aria-pressed="true"`) || !strings.Contains(r.body, "data-hand") {
		t.Error("the lesson does not show the raised hand")
	}
	if r := ada.send(ada.request("POST", at+"/hand", "", nil)); r.status != 303 {
		t.Fatal(r.body)
	}
	if news := page.news(); news.Hand {
		t.Errorf("after the instructor lowered it: %+v", news)
	}
	ada.form(at+"/note", "text", "Look at <b>line</b> 1.")
	if news := page.news(); news.Note != "Look at <b>line</b> 1." {
		t.Errorf("after a note: %+v", news)
	}
	again := grace.livePage("hello")
	if news := again.news(); news.Note == "" {
		t.Error("a page that connects later does not hear of the note")
	}
	page.news() // every page is told
	grace.form("/you/read", "class", class.ID)
	if news := page.news(); news.Note != "" {
		t.Errorf("after it was read: %+v", news)
	}
	other := alan.livePage("hello")
	if news := other.news(); news != (live.ClassNews{}) {
		t.Errorf("another learner is told %+v", news)
	}
}

// openPage is a page's socket that a test reads.
type openPage struct {
	t    *testing.T
	conn *websocket.Conn
	rest []live.ServerMessage
}

// livePage opens a project's socket and says hello.
func (b *browser) livePage(project string) *openPage {
	b.s.t.Helper()
	conn, _, err := b.dial(b.s.url)
	if err != nil {
		b.s.t.Fatal(err)
	}
	b.s.t.Cleanup(func() { conn.Close() })
	if err := conn.WriteJSON(live.ClientMessage{Type: "hello", Project: project}); err != nil {
		b.s.t.Fatal(err)
	}
	return &openPage{t: b.s.t, conn: conn}
}

// news reads until the class says something.
func (p *openPage) news() live.ClassNews {
	p.t.Helper()
	if err := p.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		p.t.Fatal(err)
	}
	for {
		for len(p.rest) > 0 {
			m := p.rest[0]
			if p.rest = p.rest[1:]; m.Class != nil {
				return *m.Class
			}
		}
		_, data, err := p.conn.ReadMessage()
		if err != nil {
			p.t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			var m live.ServerMessage
			if err := json.Unmarshal(line, &m); err != nil {
				p.t.Fatal(err)
			}
			p.rest = append(p.rest, m)
		}
	}
}

// BenchmarkBoard is one learner's event in a class of three hundred who did the
// first track's lessons, from the store to the message of a live view.
func BenchmarkBoard(b *testing.B) {
	store, err := classroom.Open(b.Context(), classroom.Config{Path: filepath.Join(b.TempDir(), "c.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	catalog, _ := lessons.Load(lessons.Shipped())
	site, err := New(Config{Door: &doortest.Door{}, Catalog: catalog, Store: store})
	if err != nil {
		b.Fatal(err)
	}
	defer site.Close(context.Background())
	track := catalog.Tracks[0].Lessons()
	var set []classroom.Assignment
	for _, l := range track {
		set = append(set, classroom.Assignment{Lesson: l.ID})
	}
	learner := func() string {
		id := classroom.NewID(20)
		if err := store.CreateWorkspace(b.Context(), id, classroom.NewToken()); err != nil {
			b.Fatal(err)
		}
		return id
	}
	owner := learner()
	class, err := store.CreateClass(b.Context(), owner, "Period 3", set)
	if err != nil {
		b.Fatal(err)
	}
	var all []string
	for i := range 300 {
		id := learner()
		if _, err := store.Join(b.Context(), class.ID, id, fmt.Sprint(i), fmt.Sprint(i)); err != nil {
			b.Fatal(err)
		}
		for _, l := range track {
			var checks []classroom.Check
			for _, task := range l.Tasks {
				checks = append(checks, classroom.Check{Name: fmt.Sprint(task.N, ": greets"), Task: task.N, Passed: true}, classroom.Check{Name: fmt.Sprint(task.N, ": answers"), Task: task.N, Passed: true})
			}
			if err := store.SaveChecks(b.Context(), id, l.ID, checks, classroom.ChecksDone); err != nil {
				b.Fatal(err)
			}
		}
		all = append(all, id)
	}
	v := site.boards.open(class.ID, owner)
	defer site.boards.close(class.ID, owner, v)
	board := &board{s: site, class: class.ID, owner: owner, v: v}
	if _, err := board.next(b.Context()); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		id := all[i%len(all)]
		b.StopTimer()
		if err := store.SaveChecks(b.Context(), id, track[0].ID, []classroom.Check{{Name: "1: greets", Task: 1, Message: "Expected 7", Place: fmt.Sprint("src/index.js:", i)}}, classroom.ChecksRan); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		site.boards.touched(id, track[0].ID)
		if _, err := board.next(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// What the analytics of a lesson say, on learners of every kind.
func TestFunnel(t *testing.T) {
	l := &lessons.Lesson{Track: &lessons.Track{}}
	l.Tasks, l.Questions = []*lessons.Task{{N: 1}, {N: 2}}, []*lessons.Question{{ID: "p", Predict: true}, {ID: "q"}}
	at := func(minute int) time.Time { return time.Unix(int64(minute)*60, 0) }
	check := func(task, began, passed int) classroom.Check {
		c := classroom.Check{Task: task, Began: at(began), Passed: passed >= 0}
		if c.Passed {
			c.PassedAt = at(passed)
		}
		return c
	}
	got := funnel(l, []*classroom.Work{
		{Checks: []classroom.Check{check(1, 0, 4), check(1, 1, 6), check(2, 7, 7)}, Done: at(7), Answers: []classroom.Answer{{Piece: "p", FirstCorrect: true}, {Piece: "q", FirstCorrect: true}}},
		{Checks: []classroom.Check{check(1, 0, 2), check(2, 3, -1)}, Hints: map[int]int{1: 2, 2: 1}, Answers: []classroom.Answer{{Piece: "p"}}},
		{Checks: []classroom.Check{check(1, 5, 5), check(1, 5, -1)}, Hints: map[int]int{1: 1}},
		{Checks: []classroom.Check{check(1, 9, 9)}},
		{},
	})
	want := []view.FunnelStep{
		{Name: "begun", Reached: 5},
		{Name: "task 1", Reached: 3, Median: 2 * time.Minute, Hints: 2}, // 6, 2 and 0 minutes
		{Name: "task 2", Reached: 1, Hints: 1},
		{Name: "done", Reached: 1},
	}
	if !slices.Equal(got.Steps, want) {
		t.Errorf("steps %+v", got.Steps)
	}
	if got.Predict != (view.Share{Part: 1, Of: 2}) || got.Hints != 2 {
		t.Errorf("predictions %+v, %d opened hints", got.Predict, got.Hints)
	}
}

// However often learners do something, a live view is drawn twice a second at most.
func TestLiveViewIsDrawnTwiceASecondAtMost(t *testing.T) {
	s := newServer(t, nil)
	teacher := s.instructor("ada")
	class := teacher.newClass("Period 3")
	grace := s.browser()
	grace.join(class, "Grace")
	live := teacher.follow(t, "/classes/"+class.ID+"/live?order=help")
	live.next(func(m boardMessage) bool { return len(m.Rows) == 1 })
	var drawn atomic.Int64
	go func() { // until the stream is closed at the test's end
		for {
			line, err := live.r.ReadString('\n')
			if err != nil {
				return
			}
			if strings.HasPrefix(line, "data: ") {
				drawn.Add(1)
			}
		}
	}()
	member := s.memberOf(class, "Grace").ID
	begin := time.Now() // nothing has changed since the view was drawn first
	for up := true; drawn.Load() < 4; up = !up {
		if time.Since(begin) > time.Minute {
			t.Fatal("the view is not drawn")
		}
		if err := s.store.RaiseHand(t.Context(), class.ID, member, up); err != nil {
			t.Fatal(err)
		}
		s.site.classChanged(class.ID)
		<-time.After(5 * time.Millisecond)
	}
	if took := time.Since(begin); took < 3*boardEvery {
		t.Errorf("drawn four times in %v", took)
	}
}

// A live view that is open says when its page is out of date: another lesson
// set has other columns, a new code is shown large.
func TestLiveViewSaysThatItsPageIsOutOfDate(t *testing.T) {
	s := newServer(t, nil)
	teacher := s.instructor("ada")
	class := teacher.newClass("Period 3")
	at := "/classes/" + class.ID
	shown := func() string {
		t.Helper()
		_, rest, ok := strings.Cut(teacher.get(at).body, `data-heading="`)
		heading, _, _ := strings.Cut(rest, `"`)
		if !ok || heading == "" {
			t.Fatal("the page has no heading")
		}
		return heading
	}
	live := teacher.follow(t, at+"/live")
	before := shown()
	if m := live.next(func(boardMessage) bool { return true }); m.Heading != before || m.Order == nil || m.Sum == "" {
		t.Errorf("a view without learners begins with %+v", m)
	}
	for _, change := range []func() reply{
		func() reply { return teacher.form(at+"/settings", "title", "Period 3") },
		func() reply { return teacher.form(at+"/settings", "title", "Period 4", "lesson", "hello") },
		func() reply { return teacher.send(teacher.request("POST", at+"/code", "", nil)) },
		func() reply { return teacher.form(at+"/end", "sure", "yes") },
	} {
		if r := change(); r.status != 303 {
			t.Fatalf("the change gives %d %s", r.status, r.body)
		}
		now := live.next(func(m boardMessage) bool { return m.Heading != before }).Heading
		if page := teacher.get(at); strings.Contains(page.body, "data-heading") && shown() != now {
			t.Errorf("the view says %s, the page %s", now, shown())
		}
		before = now
	}
}

// An ended class lets nobody in, lets everybody out, and keeps what they did.
func TestEndedClass(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	teacher := s.instructor("ada")
	class := teacher.newClass("Period 3")
	grace, late := s.browser(), s.browser()
	grace.join(class, "Grace")
	at := "/classes/" + class.ID
	if r := teacher.form(at + "/end"); r.status != 400 {
		t.Errorf("ending without a tick gives %d", r.status)
	}
	if r := teacher.form(at+"/end", "sure", "yes"); r.status != 303 {
		t.Fatalf("ending gives %d", r.status)
	}
	late.get("/join")
	if r := late.form("/join", "code", s.site.code(class.ID, class.CodeNumber), "nickname", "Late"); r.status != 422 {
		t.Errorf("the code of an ended class gives %d", r.status)
	}
	if r := teacher.get(at + "/code"); r.status != http.StatusGone {
		t.Errorf("the code's page gives %d", r.status)
	}
	if r := grace.get("/you"); strings.Contains(r.body, "You are Grace there") {
		t.Error("the learner is still in the class")
	}
	if r := teacher.get(at + "/export.csv"); r.status != 200 || !strings.Contains(r.body, "Grace") {
		t.Errorf("the results afterwards: %d %s", r.status, r.body)
	}
}
