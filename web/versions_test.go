package web

import (
	"fmt"
	"slices"
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
	save := func(text, why string, more bool) {
		t.Helper()
		files := obj{"src/index.js": text}
		if more {
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
		save(fmt.Sprintf("version %d", i), "restore", i%2 == 0)
	}
	list := decode[[]struct{ Revision int64 }](t, b.get(project+"/versions"))
	if len(list) != 20 || list[0].Revision != saved.Revision {
		t.Fatalf("%d versions, the newest is %d of %d", len(list), list[0].Revision, saved.Revision)
	}
	// Which older ones are kept depends on when they were saved.
	first := saved.Revision - 24
	at := slices.IndexFunc(list, func(v struct{ Revision int64 }) bool { return (v.Revision-first)%2 == 1 })
	want := fmt.Sprintf("version %d", list[at].Revision-first)
	old := decode[projectJSON](t, b.get(fmt.Sprintf("%s/versions/%d", project, list[at].Revision)))
	if len(old.Files) != 1 || old.Files["src/index.js"] != want {
		t.Fatalf("the files of %s were %q", want, old.Files)
	}
	save(want, "restore", false)
	if got := now(); len(got) != 1 || got["src/index.js"] != want {
		t.Errorf("brought back: %q", got)
	}
	if r := b.form("/learn/serverless/hello/undo"); r.status >= 400 {
		t.Fatal(r.status, r.body)
	}
	if got := now(); len(got) != 2 || got["src/index.js"] != "version 24" || got["more.txt"] != "beside version 24" {
		t.Errorf("taken back: %q", got)
	}
}
