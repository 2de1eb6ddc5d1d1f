package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// swapping is a folder in which before is told of each name just before it is
// opened: after whoever reads it has looked what it is.
type swapping struct {
	fs.FS
	before func(name string)
}

func (s swapping) Open(name string) (fs.File, error) {
	s.before(name)
	return s.FS.Open(name)
}

// No link leads out of a folder of lessons, neither one that lies there nor one
// that takes a file's or a folder's place after it was looked at.
func TestLessonsStayInTheirFolder(t *testing.T) {
	const track, lesson = "---\ntitle: My track\nsummary: One lesson.\n---\n", "---\ntitle: Inside\nsummary: S.\nminutes: 1\n---\nText.\n"
	const secret = "---\ntitle: canary\nsummary: canary\nminutes: 1\n---\ncanary\n"
	write := func(dir string, files ...string) {
		t.Helper()
		for i := 0; i+1 < len(files); i += 2 {
			name := filepath.Join(dir, files[i])
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(files[i+1]), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	both := t.TempDir()
	outside := filepath.Join(both, "outside")
	write(outside, "secret.md", secret, "stolen/lesson.md", secret, "02-track/track.md", secret, "02-track/10-stolen/lesson.md", secret)
	folder := func() (string, fs.FS) {
		dir, err := os.MkdirTemp(both, "lessons")
		if err != nil {
			t.Fatal(err)
		}
		write(dir, "01-mine/track.md", track, "01-mine/10-first/lesson.md", lesson, "01-mine/10-first/_files/worker.js", "export default {};\n", "01-mine/20-next/lesson.md", lesson)
		files, err := lessonFiles(dir)
		if err != nil {
			t.Fatal(err)
		}
		return dir, files
	}
	// load gives every text that the lessons show or hand out.
	load := func(files fs.FS) (said string, problems []lessons.Problem) {
		catalog, problems := lessons.Load(files)
		for _, tr := range catalog.Tracks {
			said += tr.Title + tr.Summary
			for _, l := range tr.Lessons() {
				said += fmt.Sprint(l.Text, l.Checks)
				for name, b := range l.Starter {
					said += name + string(b)
				}
			}
		}
		for _, p := range problems {
			said += p.String()
		}
		return said, problems
	}

	dir, files := folder()
	for name, to := range map[string]string{
		"sources.yaml":                      filepath.Join(outside, "secret.md"),
		"01-mine/30-linked/lesson.md":       filepath.Join(outside, "secret.md"),
		"01-mine/31-relative/lesson.md":     "../../../outside/secret.md",
		"01-mine/32-loop/lesson.md":         "lesson.md",
		"01-mine/10-first/_files/secret.js": filepath.Join(outside, "secret.md"),
		"01-mine/33-folder":                 filepath.Join(outside, "stolen"),
		"02-track":                          filepath.Join(outside, "02-track"),
	} {
		at := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.Symlink(to, at)); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{name, name + "/lesson.md", name + "/track.md"} {
			if b, err := fs.ReadFile(files, name); err == nil {
				t.Errorf("%s leads to %q", name, b)
			}
		}
	}
	if said, _ := load(files); strings.Contains(said, "canary") || !strings.Contains(said, "Inside") {
		t.Errorf("with links in it, the folder says %s", said)
	}

	for _, name := range []string{"01-mine/track.md", "01-mine/10-first", "01-mine/10-first/lesson.md", "01-mine/10-first/_files/worker.js"} {
		dir, files := folder()
		at, swapped := filepath.Join(dir, name), false
		said, problems := load(swapping{files, func(opened string) {
			if opened != name || swapped {
				return
			}
			swapped = true
			to := "secret.md"
			if name == "01-mine/10-first" {
				to = "stolen"
			}
			if err := errors.Join(os.Rename(at, at+".away"), os.Symlink(filepath.Join(outside, to), at)); err != nil {
				t.Error(err)
			}
		}})
		if !swapped || strings.Contains(said, "canary") {
			t.Errorf("%s was swapped %v, and the folder says %s", name, swapped, said)
		}
		if len(problems) == 0 {
			t.Errorf("nobody is told of %s", name)
		}
	}
}
