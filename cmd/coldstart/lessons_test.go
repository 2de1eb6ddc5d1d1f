package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io/fs"
	"strings"
	"testing"

	"coldstart/lessons"
)

func zipOf(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i+1 < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZippedLessons(t *testing.T) {
	const track, lesson = "---\ntitle: My track\nsummary: One lesson.\n---\n", "---\ntitle: Zipped\nsummary: S.\nminutes: 1\n---\nText.\n"
	for _, at := range []string{"", "repository-main/", "repository-main/some/lessons/"} {
		files, err := zippedLessons(zipOf(t, at+"01-mine/track.md", track, at+"01-mine/10-first/lesson.md", lesson, at+"README.md", "about"))
		if err != nil {
			t.Errorf("in %q: %v", at, err)
			continue
		}
		catalog, problems := lessons.Load(files)
		if catalog == nil || catalog.Lesson("mine", "first") == nil || catalog.Lesson("mine", "first").Title != "Zipped" {
			t.Errorf("in %q: the lesson is not there: %v", at, problems)
		}
		if _, err := fs.Stat(files, "README.md"); err != nil {
			t.Error(err)
		}
	}
	for name, k := range map[string]struct {
		data []byte
		want string
	}{
		"no zip":      {[]byte("text"), "not a zip archive"},
		"empty":       {zipOf(t), "no lessons"},
		"outside":     {zipOf(t, "../track.md", track), "leads out of it"},
		"two folders": {zipOf(t, "a/01-x/track.md", track, "b/01-y/track.md", track), "two folders"},
	} {
		if _, err := zippedLessons(k.data); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What an entry claims to hold counts, and the reader gives no more than that.
	big := zipOf(t, "01-mine/track.md", track, "big", "")
	claim := bytes.LastIndex(big, []byte("PK\x01\x02")) + 24 // its size in the central directory
	binary.LittleEndian.PutUint32(big[claim:], 1<<31)
	if _, err := zippedLessons(big); err == nil || !strings.Contains(err.Error(), "more than 256 MiB") {
		t.Errorf("two gigabytes are taken: %v", err)
	}
}
