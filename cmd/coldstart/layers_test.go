package main

import (
	"bufio"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const module = "coldstart"

// readLayers reads the layered block of ARCHITECTURE.md: package to line number.
func readLayers(t *testing.T) map[string]int {
	t.Helper()
	f, err := os.Open("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	layers, in, line := map[string]int{}, false, 0
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		switch text := sc.Text(); {
		case text == "```layers":
			in = true
		case in && text == "```":
			return layers
		case in:
			line++
			for _, p := range strings.Fields(text) {
				layers[p] = line
			}
		}
	}
	t.Fatal("ARCHITECTURE.md has no ```layers block")
	return nil
}

// listPackages runs go list and gives each package of the module with what it imports of the module.
func listPackages(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	pkgs := map[string][]string{}
	for _, l := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		f := strings.Fields(l)
		name := strings.TrimPrefix(f[0], module+"/")
		pkgs[name] = nil
		for _, imp := range f[1:] {
			if rest, ok := strings.CutPrefix(imp, module+"/"); ok {
				pkgs[name] = append(pkgs[name], rest)
			}
		}
	}
	return pkgs
}

// TestLayers demands that every package stands in the block of ARCHITECTURE.md
// and imports only packages on lower lines, or on its own line when it is a subpackage.
func TestLayers(t *testing.T) {
	layers := readLayers(t)
	pkgs := listPackages(t)
	for name, imports := range pkgs {
		line, ok := layers[name]
		if !ok {
			t.Errorf("package %s is missing from the layers block of ARCHITECTURE.md", name)
			continue
		}
		for _, imp := range imports {
			if l, ok := layers[imp]; ok && l <= line {
				t.Errorf("%s (line %d of the layers) imports %s (line %d): arrows only go down", name, line, imp, l)
			}
		}
	}
	for name := range layers {
		if _, ok := pkgs[name]; !ok {
			t.Errorf("the layers block of ARCHITECTURE.md names %s, which does not exist", name)
		}
	}
}

// TestPackageComment demands one package comment per package, in doc.go (main.go for a command).
func TestPackageComment(t *testing.T) {
	for name := range listPackages(t) {
		dir := filepath.Join("../..", name)
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		var with []string
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil && !strings.HasPrefix(f.Doc.Text(), "Code generated") {
				with = append(with, filepath.Base(path))
			}
		}
		want := "doc.go"
		if strings.HasPrefix(name, "cmd/") {
			want = "main.go"
		}
		if len(with) != 1 || with[0] != want {
			t.Errorf("package %s: package comments in %v, want exactly one, in %s", name, with, want)
		}
	}
}

// eachTestFile calls f with the text of every file of tests and its package's name.
func eachTestFile(t *testing.T, f func(name string, src []byte)) {
	t.Helper()
	for name := range listPackages(t) {
		files, err := filepath.Glob(filepath.Join("../..", name, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f(name, src)
		}
	}
}

// TestChildrenRunAlone demands that a package whose test binary is its own
// child processes stands in the Makefile's CHILDREN, so that no package without
// children competes with them for the processors.
func TestChildrenRunAlone(t *testing.T) {
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^CHILDREN := (.*)\$\$$`).FindSubmatch(text)
	if line == nil {
		t.Fatal("the Makefile has no CHILDREN")
	}
	alone := regexp.MustCompile(string(line[1]) + "$")
	found := 0
	eachTestFile(t, func(name string, src []byte) {
		if !regexp.MustCompile(`os\.Exit\(sandbox\.Main\(`).Match(src) {
			return
		}
		found++
		if !alone.MatchString("coldstart/" + name) {
			t.Errorf("%s starts children in its tests: add it to CHILDREN in the Makefile", name)
		}
	})
	if found < 4 {
		t.Errorf("only %d packages with children were found", found)
	}
}

// TestWhatTheRaceDetectorLeavesOutIsPlayed demands that a test which skips itself
// under the race detector is named by a line of the Makefile that plays it without.
func TestWhatTheRaceDetectorLeavesOutIsPlayed(t *testing.T) {
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	played := map[string]string{} // package to the patterns it is played with
	for _, m := range regexp.MustCompile(`(?m)^\t\$\(GO\) test -short (?:-p 2 )?-timeout \w+ ((?:\./\S+ )+)-run (.*)`).FindAllSubmatch(text, -1) {
		for name := range strings.FieldsSeq(string(m[1])) {
			played[strings.TrimPrefix(name, "./")] += string(m[2])
		}
	}
	found := 0
	eachTestFile(t, func(name string, src []byte) {
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\) \{\n(?:.*\n)??\tif (?:instrumented|raced) \{\n\t\tt\.Skip`).FindAllSubmatch(src, -1) {
			found++
			if !strings.Contains(played[name], string(m[1])) {
				t.Errorf("%s: %s skips itself under the race detector: add it to a line of the Makefile's test-go", name, m[1])
			}
		}
	})
	if found < 6 {
		t.Errorf("only %d tests that skip themselves were found", found)
	}
}
