package conformance

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	corpus = flag.String("corpus", "testdata", "folder that directly holds the cases' *.json")
	engine = flag.String("engine", "quickjs", "quickjs or goja")
	only   *regexp.Regexp // from -run, when it names cases instead of tests
)

// expectedFailures reads "name: reason" lines. A reason is mandatory.
func expectedFailures(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "expected_failures.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m := map[string]string{}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, ok := strings.Cut(line, ": ")
		if !ok || len(reason) < 20 {
			t.Fatalf("expected_failures.txt: %q: want `name: why this cannot pass`", line)
		}
		m[name] = reason
	}
	return m
}

// TestConformance plays every case and compares with the recorded answers. On
// QuickJS at least 98 % must pass, and exactly the expected failures may fail.
func TestConformance(t *testing.T) {
	cases, err := Load(*corpus)
	if err != nil {
		t.Fatal(err)
	}
	door := newDoor(t, *engine)
	expected := map[string]string{}
	if *engine == "quickjs" {
		expected = expectedFailures(t)
	}
	type score struct{ passed, failed int }
	areas, total := map[string]*score{}, score{}
	for _, c := range cases {
		if only != nil && !only.MatchString(c.Name) {
			continue
		}
		begin := time.Now()
		diff := Run(t.Context(), door, c)
		a := areas[c.Area]
		if a == nil {
			a = &score{}
			areas[c.Area] = a
		}
		if diff == "" {
			a.passed++
			total.passed++
			if testing.Verbose() {
				fmt.Printf("pass %s (%d ms)\n", c.Name, time.Since(begin).Milliseconds())
			}
			if reason, ok := expected[c.Name]; ok {
				t.Errorf("%s passes, but expected_failures.txt lists it (%s): remove the line", c.Name, reason)
			}
			continue
		}
		a.failed++
		total.failed++
		fmt.Printf("FAIL %s: %s\n%s\n", c.Name, c.About, diff)
		if reason, ok := expected[c.Name]; ok {
			fmt.Printf("  expected: %s\n", reason)
		} else if *corpus == "testdata" && *engine == "quickjs" {
			t.Errorf("%s fails unexpectedly", c.Name)
		}
	}
	names := make([]string, 0, len(areas))
	for n := range areas {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		fmt.Printf("%-16s %3d passed, %d failed\n", n, areas[n].passed, areas[n].failed)
	}
	if n := total.passed + total.failed; n == 0 {
		t.Errorf("no case matches %v", only)
	} else if *engine == "quickjs" && only == nil && total.passed*100 < n*98 {
		t.Errorf("%d of %d pass: below 98 %%", total.passed, n)
	}
	fmt.Printf("%d passed, %d failed\n", total.passed, total.failed)
}

// TestOwn plays the cases of testdata/own: programs of this project with the
// answers that the same runtime gave. Each must pass.
func TestOwn(t *testing.T) {
	if *engine != "quickjs" || *corpus != "testdata" {
		t.Skip("the project's own cases are played with the default engine and corpus")
	}
	cases, err := Load(filepath.Join("testdata", "own"))
	if err != nil {
		t.Fatal(err)
	}
	door := newDoor(t, *engine)
	for _, c := range cases {
		if diff := Run(t.Context(), door, c); diff != "" {
			t.Errorf("%s: %s\n%s", c.Name, c.About, diff)
		}
	}
}
