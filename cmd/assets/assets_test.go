package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestStripComments(t *testing.T) {
	for in, want := range map[string]string{
		"a; // gone\nb;": "a;\nb;\n",
		"/** doc\n * more */\ndeclare const a: 1": "declare const a: 1\n",
		`const s: "http://x" | '/* no */';`:       "const s: \"http://x\" | '/* no */';\n",
		"type T = `//${string}`;":                 "type T = `//${string}`;\n",
		`const q: "\"// in";`:                     `const q: "\"// in";` + "\n",
		"a;\n\n\n   b;":                           "a;\nb;\n",
		"a; /* never closed":                      "a;\n",
	} {
		if got := stripComments(in); got != want {
			t.Errorf("stripComments(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFontName(t *testing.T) {
	for in, want := range map[string]string{
		"node_modules/x/files/commissioner-latin-wght-normal.woff2":   "commissioner.woff2",
		"node_modules/x/files/jetbrains-mono-latin-wght-normal.woff2": "jetbrains-mono.woff2",
		"files/commissioner-latin-ext-wght-normal.woff2":              "commissioner-ext.woff2",
	} {
		if got := fontName(in); got != want {
			t.Errorf("fontName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestEager(t *testing.T) {
	imports := map[string][]string{"out/a.js": {"out/b.js", "out/c.js"}, "out/b.js": {"out/c.js", "out/d.js"}, "out/d.js": {"out/a.js"}}
	got := eager("out/a.js", func(name string) []string { return imports[name] })
	if want := []string{"b.js", "c.js", "d.js"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A second write of the same output touches nothing; what is no longer made goes away.
func TestWriteKeepsWhatIsThere(t *testing.T) {
	b := builder{dist: t.TempDir(), out: new(bytes.Buffer)}
	script := []byte(strings.Repeat("export const a = 1;\n", 100))
	first := assets{web: map[string][]byte{"a-1.js": script, "old-1.css": []byte("a{}")}, engine: map[string][]byte{"quickjs.wasm": {0}}}
	if err := b.write(first); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(b.dist, "web", "a-1.js")
	for _, name := range []string{file, file + ".br", file + ".gz"} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
	before, err := os.Stat(file + ".br")
	if err != nil {
		t.Fatal(err)
	}
	second := first
	second.web = map[string][]byte{"a-1.js": script}
	if err := b.write(second); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(file + ".br")
	if err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("the twin was written again: %v", err)
	}
	if _, err := os.Stat(filepath.Join(b.dist, "web", "old-1.css")); !os.IsNotExist(err) {
		t.Errorf("an old file is still there: %v", err)
	}
	b.release = true
	if err := b.write(assets{web: second.web}); err != nil {
		t.Fatal(err)
	}
	if best, err := os.Stat(file + ".br"); err != nil || best.ModTime().Equal(before.ModTime()) {
		t.Errorf("the quick twin was kept for a release: %v", err)
	}
}

// The stamp follows every input, and nothing else.
func TestInputs(t *testing.T) {
	b := builder{root: t.TempDir()}
	b.dist = filepath.Join(b.root, "static", "dist")
	put := func(name, text string) {
		file := filepath.Join(b.root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stamp := func() string {
		s, err := b.inputs()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	put("web/client/lesson.ts", "1")
	first := stamp()
	put("web/view/page.go", "package view")
	if stamp() != first {
		t.Error("a file that is no input changed the stamp")
	}
	put("web/client/lesson.ts", "2")
	if stamp() == first {
		t.Error("a changed input kept the stamp")
	}
	put("web/client/lesson.ts", "1")
	if stamp() != first {
		t.Error("the stamp is not of the content")
	}
	b.release = true
	if stamp() == first {
		t.Error("a release has the stamp of a quick build")
	}
}

func TestUnknownFlag(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-fast"}, &out); err == nil {
		t.Error("no error")
	}
}
