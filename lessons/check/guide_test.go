package check

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"coldstart/docs"
)

// guide is what authors are told.
func guide(t *testing.T) string {
	t.Helper()
	text, err := fs.ReadFile(docs.Files, "authoring.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// words are the first groups of a pattern's matches, each once, in order.
func words(pattern, text string) []string {
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found[m[1]] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// sources are the files beside this one and those of the loader, without tests
// and without the manual, whose problems authors of lessons never meet.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, dir := range []string{".", ".."} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") || filepath.Base(name) == "manual.go" {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}

// TestGuideListsEveryCode holds the guide's table of lint equal to the codes
// in the source.
func TestGuideListsEveryCode(t *testing.T) {
	_, table, _ := strings.Cut(guide(t), "| code | says |")
	told := words(`\b([EW]0\d\d)\b`, table)
	known := words(`"([EW]0\d\d)"`, sources(t))
	if !slices.Equal(told, known) {
		t.Errorf("the guide lists\n%v\nthe source has\n%v", told, known)
	}
	for _, promised := range strings.Fields("E001 E002 E003 E004 E006 E010 E011 E012 E013 E014 E015 W016 E020 W021 E030 E031 E032 W040") {
		if !slices.Contains(known, promised) {
			t.Errorf("%s is promised and gone", promised)
		}
	}
}

// TestGuideListsEveryHelper holds the guide's table of helpers, and its list of
// matchers, equal to what checks.js is given.
func TestGuideListsEveryHelper(t *testing.T) {
	text := guide(t)
	_, table, _ := strings.Cut(text, "| helper | does |")
	table, matchers, _ := strings.Cut(table, "Matchers: ")
	matchers, _, _ = strings.Cut(matchers, "\n")
	var cells []string
	for row := range strings.Lines(table) {
		if cols := strings.SplitN(row, "|", 3); len(cols) == 3 {
			cells = append(cells, cols[1])
		}
	}
	told := words("`([a-zA-Z]+)[(`]", strings.Join(cells, "\n"))

	_, kit, _ := strings.Cut(prelude, "function context(i, given, noted)")
	kit, _, _ = strings.Cut(kit, "global.__coldstartChecks")
	given := slices.DeleteFunc(words(`(?m)^      (\w+):`, kit), func(w string) bool { return w == "expect" }) // told of above the table
	if !slices.Equal(told, given) {
		t.Errorf("the guide lists helpers\n%v\nchecks get\n%v", told, given)
	}

	_, code, _ := strings.Cut(prelude, "matchers = {")
	code, _, _ = strings.Cut(code, "\n  };")
	if told, known := words(`(to[A-Z]\w+)`, matchers), words(`(?m)^    (to[A-Z]\w+):`, code); !slices.Equal(told, known) {
		t.Errorf("the guide lists matchers\n%v\nexpect has\n%v", told, known)
	}
}

// TestEveryMessageOfLintIsShown reads lint.go: each message that only a run
// finds is one of TestLintInTheSandbox.
func TestEveryMessageOfLintIsShown(t *testing.T) {
	source, err := os.ReadFile("lint.go")
	if err != nil {
		t.Fatal(err)
	}
	shown, err := os.ReadFile("lint_test.go")
	if err != nil {
		t.Fatal(err)
	}
	added := regexp.MustCompile(`"([EW]0\d\d)", "([^"]*)"`).FindAllSubmatch(source, -1)
	if len(added) < 8 {
		t.Fatalf("only %d messages found", len(added))
	}
	for _, m := range added {
		pattern := regexp.MustCompile(`%[a-z]`).ReplaceAllString(regexp.QuoteMeta(string(m[1])+" "+string(m[2])), ".+")
		if !regexp.MustCompile(pattern).Match(shown) {
			t.Errorf("%s %q is in no test", m[1], m[2])
		}
	}
}
