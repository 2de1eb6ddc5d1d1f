package web

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"coldstart/web/classroom"
	"coldstart/web/doortest"
)

// sharing is a server whose Workers answer with their code, and a learner who
// shares one of them.
func sharing(t *testing.T, change ...func(*Config)) (s *server, owner *browser, link string) {
	t.Helper()
	s = newServer(t, func(c *doortest.Call) {
		c.Log("logged <i>")
		c.Head(200, [2]string{"Content-Type", "text/plain"})
		_, _ = io.WriteString(c, "answer of "+c.Code)
	}, change...)
	owner = s.browser()
	owner.get("/")
	if r := owner.json("PUT", "/api/projects/hello", obj{"files": obj{"src/index.js": "shared <code>"}, "title": "Mine"}); r.status != 200 {
		t.Fatal(r.body)
	}
	if r := owner.form("/learn/serverless/hello/run", "method", "POST", "path", "/x?y='1'", "headers", "Authorization: a secret\nA: 1"); r.status != 303 {
		t.Fatal(r.body)
	}
	r := owner.form("/share", "project", "hello")
	if r.status != 303 || !strings.HasPrefix(r.header.Get("Location"), "/s/") {
		t.Fatalf("sharing gives %d %s", r.status, r.body)
	}
	return s, owner, r.header.Get("Location")
}

func TestShareRunFork(t *testing.T) {
	s, owner, link := sharing(t)
	if r := owner.json("PUT", "/api/projects/hello", obj{"files": obj{"src/index.js": "changed since"}}); r.status != 200 {
		t.Fatal(r.body)
	}
	slug := decode[projectJSON](t, owner.get("/api/projects/hello")).Slug
	visitor := s.browser()
	page := visitor.get(link)
	for _, want := range []string{"shared &lt;code&gt;", "POST", "answer of shared", "logged &lt;i&gt;", "The recorded run"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the shared page lacks %q", want)
		}
	}
	for _, not := range []string{"changed since", "a secret", slug, s.workspaceOf(owner), "Stop sharing"} {
		if strings.Contains(page.body, not) {
			t.Errorf("the shared page holds %q", not)
		}
	}
	r := visitor.send(visitor.request("POST", link+"/run", "", nil))
	at, _, _ := strings.Cut(r.header.Get("Location"), "#")
	if r.status != 303 || !strings.HasPrefix(at, link+"?run=") {
		t.Fatalf("running again gives %d %s", r.status, r.body)
	}
	if again := visitor.get(at); !strings.Contains(again.body, "Your run, beside the recorded one") || !strings.Contains(again.body, "curl -i -X") {
		t.Errorf("the visitor's run is not on the page: %s", again.body)
	}
	r = visitor.send(visitor.request("POST", link+"/fork", "", nil))
	own := r.header.Get("Location")
	if r.status != 303 || !strings.HasPrefix(own, "/p/fork-") {
		t.Fatalf("forking gives %d %s", r.status, r.body)
	}
	if bench := visitor.get(own); bench.status != 200 || !strings.Contains(bench.body, "shared &lt;code&gt;") || !strings.Contains(bench.body, `id="page-data"`) || strings.Contains(bench.body, "run-checks") {
		t.Errorf("the fork's workbench %d", bench.status)
	}
	r = visitor.form(own+"/run", "method", "GET", "path", "/", "file:src/index.js", "forked")
	if r.status != 303 || !strings.HasPrefix(r.header.Get("Location"), own+"?run=") {
		t.Fatalf("running the fork gives %d %s", r.status, r.body)
	}
	visitor.send(visitor.request("POST", link+"/fork", "", nil))
	if bench := visitor.get(own); !strings.Contains(bench.body, "forked") {
		t.Error("forking again lost the fork's edit")
	}
	if r := s.browser().get(own); r.status != 404 {
		t.Errorf("another learner's fork gives %d", r.status)
	}
	archive := s.browser().get(link + "/export.zip").body
	z, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	if err != nil || !holds(t, z, "src/index.js", "shared <code>") {
		t.Errorf("the zip of a share: %v", err)
	}
	stranger := s.browser()
	stranger.get("/")
	stranger.form("/you/phrase")
	if r := stranger.form("/you/unshare", "share", strings.TrimPrefix(link, "/s/")); r.status != 404 && r.status != 401 {
		t.Errorf("another learner takes the link back: %d", r.status)
	}
	if r := owner.form("/you/unshare", "share", strings.TrimPrefix(link, "/s/")); r.status != 303 {
		t.Fatal(r.body)
	}
	if r := visitor.get(link); r.status != 404 {
		t.Errorf("a link taken back gives %d", r.status)
	}
}

// holds reports whether a zip has a file with a text somewhere in its folders.
func holds(t *testing.T, z *zip.Reader, name, text string) bool {
	t.Helper()
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, name) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), text) {
			return true
		}
	}
	return false
}

func TestEmbedIsFramedOnlyWhereAllowed(t *testing.T) {
	for name, from := range map[string][]string{"nowhere": nil, "one site": {"https://lms.example.org"}} {
		t.Run(name, func(t *testing.T) {
			s, owner, link := sharing(t, func(c *Config) { c.EmbedFrom = from })
			r := s.browser().get("/embed/" + strings.TrimPrefix(link, "/s/"))
			themed := s.browser().request("GET", "/embed/"+strings.TrimPrefix(link, "/s/"), "", nil)
			themed.Header.Set("Cookie", "theme=dark; "+cookieName+"="+owner.cookie())
			if got := s.browser().send(themed); strings.Contains(got.body, "data-theme") || strings.Contains(got.body, "Stop sharing") || got.header.Get("Set-Cookie") != "" {
				t.Error("a frame elsewhere depends on a cookie")
			}
			want, old := "frame-ancestors 'none'", "DENY"
			if from != nil {
				want, old = "frame-ancestors https://lms.example.org", ""
			}
			if r.status != 200 || !strings.Contains(r.header.Get("Content-Security-Policy"), want) || r.header.Get("X-Frame-Options") != old || r.header.Get("Set-Cookie") != "" {
				t.Errorf("embed answers %d with %v", r.status, r.header)
			}
			if strings.Contains(owner.get(link).body, "&lt;iframe") != (from != nil) {
				t.Error("the frame's code is offered where nobody may frame it, or not where they may")
			}
			if r := owner.get(link); !strings.Contains(r.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
				t.Error("the page itself may be framed")
			}
		})
	}
}

func TestImportAndTakeAlong(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	b.get("/")
	upload := func(archive []byte, fields ...string) reply {
		t.Helper()
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for i := 0; i < len(fields); i += 2 {
			if err := form.WriteField(fields[i], fields[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if archive != nil {
			w, err := form.CreateFormFile("zip", "p.zip")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(archive); err != nil {
				t.Fatal(err)
			}
		}
		if err := form.Close(); err != nil {
			t.Fatal(err)
		}
		return b.send(b.request("POST", "/projects", form.FormDataContentType(), &body))
	}
	zipped := func(name string, data []byte) []byte {
		t.Helper()
		var archive bytes.Buffer
		z := zip.NewWriter(&archive)
		if err := pack(z, name, data); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return archive.Bytes()
	}
	r := upload(zipped("folder/src/index.ts", []byte("from a zip")), "title", "Zipped <b>")
	if r.status != 303 {
		t.Fatalf("a zip gives %d %s", r.status, r.body)
	}
	if page := b.get(r.header.Get("Location")); page.status != 200 || !strings.Contains(page.body, "from a zip") || !strings.Contains(page.body, "Zipped &lt;b&gt;") {
		t.Errorf("its page %d", page.status)
	}
	if r := upload(nil, "text", "pasted\r\ncode"); r.status != 303 || !strings.Contains(b.get(r.header.Get("Location")).body, "pasted\ncode") {
		t.Errorf("pasted code gives %d", r.status)
	}
	for name, archive := range map[string][]byte{
		"not a zip": []byte("hello"), "climbing": zipped("../evil.js", []byte("x")), "a bomb": zipped("big.js", make([]byte, 64<<20)),
	} {
		if r := upload(archive); r.status != http.StatusBadRequest && r.status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s gives %d %.200s", name, r.status, r.body)
		}
	}
	if r := upload(nil); r.status != 400 {
		t.Errorf("nothing gives %d", r.status)
	}
	if err := s.store.SaveChecks(t.Context(), s.workspaceOf(b), "hello", []classroom.Check{{Name: "1: greets", Task: 1, Passed: true}}, classroom.ChecksDone); err != nil {
		t.Fatal(err)
	}
	all := b.get("/you/export.zip")
	z, err := zip.NewReader(strings.NewReader(all.body), int64(len(all.body)))
	if err != nil || !holds(t, z, "src/index.ts", "from a zip") || !holds(t, z, "src/index.js", "pasted") || !holds(t, z, "data.json", "1: greets") {
		t.Errorf("everything as a zip: %v", err)
	}
	for _, f := range z.File {
		if f.Name != "data.json" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var data dataJSON
		if err := json.NewDecoder(r).Decode(&data); err != nil || len(data.Projects) != 2 || data.Progress["hello"].Done.IsZero() {
			t.Errorf("data.json %+v, %v", data, err)
		}
	}
}
