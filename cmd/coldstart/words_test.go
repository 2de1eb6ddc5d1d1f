package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// TestWords collects every sentence that tells a learner, a visitor or an
// instructor what went wrong, holds each to the voice of the design, and
// demands that it stands in testdata/words.txt: so each was read by someone
// before it is shown. UPDATE=1 go test ./cmd/coldstart -run Words rewrites the list.
func TestWords(t *testing.T) {
	said := map[string][]string{} // sentence to where it stands
	collectGo(t, said, "../../web", "../../sandbox", "../../lessons")
	collectClient(t, said, "../../web/client")
	var list []string
	for s, where := range said {
		if why := voice(s); why != "" {
			t.Errorf("%s: %q %s", where[0], s, why)
		}
		list = append(list, s)
	}
	slices.Sort(list)
	const file = "testdata/words.txt"
	now := strings.Join(list, "\n") + "\n"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	listed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Split(string(listed), "\n")
	for _, sentence := range list {
		if !slices.Contains(known, sentence) {
			t.Errorf("%s: %q is not in %s. Read it aloud: what happened, where, what to do. Then run with UPDATE=1", said[sentence][0], sentence, file)
		}
	}
	if len(list) < 150 {
		t.Errorf("only %d sentences were found: the collector is blind", len(list))
	}
}

// shown are the fields and functions whose words reach a person.
var (
	shownFields = map[string][]string{
		"trace.Fault": {"Message", "Hint"}, "Fault": {"Message", "Hint"}, "Error": {"Message", "Heading"}, "web.Error": {"Message", "Heading"},
		"view.ErrorPage": {"Heading", "Message"},
	}
	// plainError is not among them: bindings answer in the real runtime's words, which programs compare.
	shownCalls = map[string]int{"fail": 1}
)

func collectGo(t *testing.T, said map[string][]string, roots ...string) {
	t.Helper()
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata") {
				return filepath.SkipDir
			}
			if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_templ.go") || strings.Contains(path, "/view/sample") || strings.Contains(path, "/view/gallery") {
				return nil
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CompositeLit:
					fields := shownFields[name(n.Type)]
					for _, e := range n.Elts {
						if kv, ok := e.(*ast.KeyValueExpr); ok && slices.Contains(fields, name(kv.Key)) {
							say(said, path, kv.Value)
						}
					}
				case *ast.CallExpr:
					if at, ok := shownCalls[name(n.Fun)]; ok && at < len(n.Args) {
						say(said, path, n.Args[at])
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// name is an identifier or a qualified one, "" for anything else.
func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return name(e.X) + "." + e.Sel.Name
	case *ast.StarExpr:
		return name(e.X)
	}
	return ""
}

func say(said map[string][]string, path string, e ast.Expr) {
	if s := strings.ReplaceAll(verbs.ReplaceAllString(words(e), "…"), "%%", "%"); strings.Trim(s, "… .:") != "" {
		said[s] = append(said[s], filepath.ToSlash(strings.TrimPrefix(path, "../../")))
	}
}

var verbs = regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)

// words is the text of an expression, with … for what is only known at run time.
func words(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return s
		}
	case *ast.BinaryExpr:
		return words(e.X) + words(e.Y)
	case *ast.ParenExpr:
		return words(e.X)
	case *ast.CallExpr:
		if name(e.Fun) == "fmt.Sprintf" && len(e.Args) > 0 {
			return words(e.Args[0])
		}
	}
	return "…"
}

var (
	// What the page's scripts say: a call of say, a thrown Error, a refused run.
	clientWords = regexp.MustCompile("(?:\\bsay\\(|new Error\\(|#notice\\(|refused = |forget\\()\\s*(\"(?:[^\"\\\\]|\\\\.)*\"|`(?:[^`\\\\]|\\\\.)*`)")
	inserted    = regexp.MustCompile(`\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}`)
)

func collectClient(t *testing.T, said map[string][]string, root string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*.ts"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, ".test.ts") || strings.HasSuffix(path, ".worker.ts") {
			continue
		}
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range clientWords.FindAllStringSubmatch(string(src), -1) {
			s := inserted.ReplaceAllString(m[1][1:len(m[1])-1], "…")
			if strings.Trim(s, "… .:") != "" {
				said[s] = append(said[s], filepath.ToSlash(strings.TrimPrefix(path, "../../")))
			}
		}
	}
}

var forbidden = regexp.MustCompile(`(?i)\b(oops|sorry|please|unfortunately|whoops|uh-oh|illegal|fatal|panic|goroutine|nil pointer|simply|obviously|you forgot|your fault)\b`)

// voice is what a sentence does wrong, "" when nothing.
func voice(s string) string {
	switch {
	case strings.Contains(strings.ReplaceAll(strings.ReplaceAll(s, "!=", ""), "[!", ""), "!"):
		return "shouts"
	case forbidden.MatchString(s):
		return "says “" + forbidden.FindString(s) + "”: short, exact, no blame, nothing of our insides"
	case unicode.IsLower([]rune(s)[0]):
		return "begins with a small letter"
	case len([]rune(s)) > 240:
		return "is too long"
	}
	return ""
}
