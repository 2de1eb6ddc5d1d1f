package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"coldstart/web"
)

// lessonZip packs one lesson with this text, n times over.
func lessonZip(t *testing.T, n int, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name, text string) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("edge/track.md", "---\ntitle: Edge\nsummary: s\n---\n")
	for i := range n {
		dir := fmt.Sprintf("edge/l%d/", i)
		add(dir+"lesson.md", fmt.Sprintf("---\nid: l%d\ntitle: L\nsummary: s\n---\n%s\n", i, text))
		add(dir+"_files/index.js", "export default {};\n")
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLessonsAreReadApart(t *testing.T) {
	if instrumented {
		t.Skip("a bound on CPU time is met; make test runs it without the race detector")
	}
	if got, err := readApart(t.Context(), lessonZip(t, 1, "Text."), "t1234567"); err != nil || len(got) != 0 {
		t.Errorf("good lessons: %v, %v", got, err)
	}
	got, err := readApart(t.Context(), lessonZip(t, 1, "See [x](../nowhere)."), "t1234567")
	if err != nil || len(got) != 1 || got[0].String() != "edge/l0/lesson.md:6:5 E030 link ../nowhere: no such lesson" {
		t.Errorf("a mistake: %v, %v", got, err)
	}
	// More text than reading may take. It is far more than an upload may hold,
	// because nothing smaller is known that takes as much.
	var costly *web.LessonsError
	if got, err := readApart(t.Context(), lessonZip(t, 800, strings.Repeat("a *b* [c](https://example.com) `d`\n\n", 3000)), "t1234567"); !errors.As(err, &costly) {
		t.Errorf("costly lessons: %d problems, %v", len(got), err)
	}
	if _, err := readApart(t.Context(), []byte("no zip"), "t1234567"); err == nil || errors.As(err, &costly) {
		t.Errorf("no zip: %v", err)
	}
}
