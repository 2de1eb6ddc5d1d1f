package web

import (
	"fmt"
	"testing"
)

// Twenty versions are kept, any of them comes back as one step over all files,
// and Undo takes that step back.
func TestVersionsComeBack(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	const project = "/api/projects/hello"
	b.get("/learn/serverless/hello")
	var saved projectJSON
	save := func(text, why string) {
		t.Helper()
		files := obj{"src/index.js": text}
		if text != "version 7" {
			files["more.txt"] = "beside " + text
		}
		r := b.json("PUT", project, obj{"base": saved.Revision, "files": files, "why": why})
		if r.status != 200 {
			t.Fatal(r.status, r.body)
		}
		saved = decode[projectJSON](t, r)
	}
	now := func() map[string]string { return decode[projectJSON](t, b.get(project)).Files }
	for i := range 25 {
		save(fmt.Sprintf("version %d", i), "restore")
	}
	list := decode[[]struct{ Revision int64 }](t, b.get(project+"/versions"))
	if len(list) != 20 || list[0].Revision != saved.Revision {
		t.Fatalf("%d versions, the newest is %d of %d", len(list), list[0].Revision, saved.Revision)
	}
	old := decode[projectJSON](t, b.get(fmt.Sprintf("%s/versions/%d", project, saved.Revision-17)))
	if len(old.Files) != 1 || old.Files["src/index.js"] != "version 7" {
		t.Fatalf("seventeen versions ago the files were %q", old.Files)
	}
	save("version 7", "restore")
	if got := now(); len(got) != 1 || got["src/index.js"] != "version 7" {
		t.Errorf("brought back: %q", got)
	}
	if r := b.form("/learn/serverless/hello/undo"); r.status >= 400 {
		t.Fatal(r.status, r.body)
	}
	if got := now(); len(got) != 2 || got["src/index.js"] != "version 24" || got["more.txt"] != "beside version 24" {
		t.Errorf("taken back: %q", got)
	}
}
