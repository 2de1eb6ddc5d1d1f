package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// TestWords collects every sentence that tells a learner, a visitor, an
// instructor or a host what went wrong, holds each to the voice of the design,
// and demands that it stands in a list of testdata: so each was read by someone
// before it is shown. UPDATE=1 go test ./cmd/coldstart -run Words rewrites the lists.
func TestWords(t *testing.T) {
	pages := map[string][]string{} // sentence to where it stands
	collectGo(t, pages, "../../web", "../../sandbox", "../../lessons")
	collectClient(t, pages, "../../web/client")
	listed(t, pages, "words.txt", 150, voice)

	// What a learner's own code catches. Many are the real runtime's words, which
	// programs compare, so they are listed and not held to the voice.
	thrown := map[string][]string{}
	collectIsolate(t, thrown, "../../sandbox/js")
	collectSentences(t, thrown, func(path string) bool { return nativeWords.MatchString(path) }, "../../sandbox")
	for s := range pages {
		delete(thrown, s)
	}
	// Every other whole sentence: hints in tables, what labs say, titles that ask.
	others := map[string][]string{}
	collectSentences(t, others, func(path string) bool { return !nativeWords.MatchString(path) }, "../../web", "../../sandbox", "../../lessons", ".")
	for s := range pages {
		delete(others, s)
	}
	listed(t, others, "words-others.txt", 200, func(s string) string {
		if why := voice(s); why != long { // a lab's description has several sentences
			return why
		}
		return ""
	})
	listed(t, thrown, "words-thrown.txt", 300, func(string) string { return "" })

	// What the commands print after "coldstart: ", so with a small letter.
	commands := map[string][]string{}
	collectCommands(t, commands, "../../cmd/coldstart")
	listed(t, commands, "words-commands.txt", 50, func(s string) string {
		if why := voice(s); why != small {
			return why
		}
		return ""
	})
}

// nativeWords are the files that answer programs in the real runtime's words.
var nativeWords = regexp.MustCompile(`/sandbox/(webapi|platform|query)/[a-z_]+\.go$`)

// listed fails for each sentence that is not in a file of testdata, or of which
// judge has something to say, and when fewer than least were found.
func listed(t *testing.T, said map[string][]string, name string, least int, judge func(string) string) {
	t.Helper()
	list := slices.Sorted(maps.Keys(said))
	for _, s := range list {
		if why := judge(s); why != "" {
			t.Errorf("%s: %q %s", said[s][0], s, why)
		}
	}
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(strings.Join(list, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	known, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(known), "\n")
	for _, s := range list {
		if !slices.Contains(lines, s) {
			t.Errorf("%s: %q is not in %s. Read it aloud: what happened, where, what to do. Then run with UPDATE=1", said[s][0], s, file)
		}
	}
	if len(list) < least {
		t.Errorf("only %d sentences for %s were found: the collector is blind", len(list), file)
	}
}

// Where words reach a person: fields of these types, arguments of these
// functions. Names are without their package, as packages are walked apart.
// plainError is not among them: bindings answer in the real runtime's words,
// which programs compare.
var (
	shownFields = map[string][]string{
		"Fault": {"Message", "Hint"}, "Error": {"Message", "Heading"}, "ErrorPage": {"Heading", "Message"}, "InputError": {"Message"},
		"FilesError": {"Reason"}, "Failure": {"Message"}, "ServerMessage": {"Message"},
	}
	// Pages that show what was wrong with a form, in a field of this name.
	shownOnPages = []string{"Error", "Banner"}
	shownCalls   = map[string]int{
		"fail": 1, "again": 0, "refused": 1, "live.bad": 0, "web.take": 1, "workerFault": 1, "showClasses": 2, "check.failure": 0,
		"live.end": 1, "live.closing": 1, "live.close": 1,
	}
)

// pkg is what a package says in constants and in functions that give a string.
type pkg struct {
	name   string
	consts map[string]ast.Expr
	funcs  map[string]*ast.FuncDecl
}

func collectGo(t *testing.T, said map[string][]string, roots ...string) {
	t.Helper()
	folders := map[string]map[string]*ast.File{}
	for _, root := range roots {
		goFiles(t, root, func(path string, f *ast.File) {
			if folders[filepath.Dir(path)] == nil {
				folders[filepath.Dir(path)] = map[string]*ast.File{}
			}
			folders[filepath.Dir(path)][path] = f
		})
	}
	for _, files := range folders {
		p := pkg{consts: map[string]ast.Expr{}, funcs: map[string]*ast.FuncDecl{}}
		for _, f := range files {
			p.name = f.Name.Name
			for _, d := range f.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					if d.Recv == nil {
						p.funcs[d.Name.Name] = d
					}
				case *ast.GenDecl:
					for _, spec := range d.Specs {
						if v, ok := spec.(*ast.ValueSpec); ok && len(v.Names) == len(v.Values) {
							for i, n := range v.Names {
								p.consts[n.Name] = v.Values[i]
							}
						}
					}
				}
			}
		}
		for path, f := range files {
			for _, d := range f.Decls {
				p.collect(said, path, d)
			}
		}
	}
}

// sentence is a text of several words with a capital, or something known at run
// time, at its beginning, and a full stop, a question mark or a shout at its end.
var sentence = regexp.MustCompile(`^[\p{Lu}…$“"][^\n]* [^\n]*[.?!]$`)

// collectSentences takes every whole sentence of the Go files for which in is
// true, whatever its place: a table of hints or the argument of a helper reaches
// people as well as the places that collectGo knows.
func collectSentences(t *testing.T, said map[string][]string, in func(path string) bool, roots ...string) {
	t.Helper()
	for _, root := range roots {
		goFiles(t, root, func(path string, f *ast.File) {
			if !in(filepath.ToSlash(path)) {
				return
			}
			for _, d := range f.Decls {
				ast.Inspect(d, func(n ast.Node) bool {
					e, ok := n.(ast.Expr)
					sum, isSum := n.(*ast.BinaryExpr)
					isSum = isSum && sum.Op == token.ADD
					if _, literal := n.(*ast.BasicLit); !ok || !literal && !isSum {
						return true
					}
					for _, s := range (pkg{}).words(&ast.BadDecl{}, e, 0) {
						s = strings.ReplaceAll(verbs.ReplaceAllString(s, "…"), "%%", "%")
						if sentence.MatchString(s) && strings.IndexFunc(s, unicode.IsLetter) >= 0 {
							said[s] = append(said[s], filepath.ToSlash(strings.TrimPrefix(path, "../../")))
						}
					}
					return !isSum // its parts are no sentences of their own
				})
			}
		})
	}
}

// goFiles gives f every Go file under root that is the program's own: no tests,
// nothing generated, no samples.
func goFiles(t *testing.T, root string, f func(path string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || d.Name() == "doortest") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_templ.go") || strings.Contains(path, "/view/sample") || strings.Contains(path, "/view/gallery") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err == nil {
			f(path, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// collect takes what a declaration shows.
func (p pkg) collect(said map[string][]string, path string, decl ast.Decl) {
	say := func(e ast.Expr, before ...string) {
		for _, s := range p.words(decl, e, 0) {
			s = strings.Join(before, "") + strings.ReplaceAll(verbs.ReplaceAllString(s, "…"), "%%", "%")
			if strings.IndexFunc(s, unicode.IsLetter) >= 0 {
				said[s] = append(said[s], filepath.ToSlash(strings.TrimPrefix(path, "../../")))
			}
		}
	}
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			typ := name(n.Type)
			fields := shownFields[typ[strings.LastIndex(typ, ".")+1:]]
			if strings.HasSuffix(typ, "Page") && typ != "ErrorPage" {
				fields = append(fields[:len(fields):len(fields)], shownOnPages...)
			}
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); !ok {
					if len(fields) > 0 {
						say(e)
					}
				} else if slices.Contains(fields, name(kv.Key)) {
					say(kv.Value)
				}
			}
		case *ast.CallExpr:
			called := name(n.Fun)
			last := called[strings.LastIndex(called, ".")+1:]
			for _, as := range []string{last, p.name + "." + last} {
				if at, ok := shownCalls[as]; ok && at < len(n.Args) {
					say(n.Args[at])
				}
			}
			if (called == "errors.New" || called == "fmt.Errorf") && len(n.Args) > 0 {
				// One of these that begins with a capital is shown as it is.
				if text := p.words(decl, n.Args[0], 0)[0]; unicode.IsUpper([]rune(text + " ")[0]) {
					say(n.Args[0])
				}
			}
			if last == "Errorf" && !slices.Contains([]string{"fmt.Errorf", "t.Errorf", "b.Errorf"}, called) {
				say(n.Args[0], "…: ") // of a value in a file: the line stands before it
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if s, ok := to.(*ast.SelectorExpr); ok && len(n.Lhs) == len(n.Rhs) && slices.Contains(shownOnPages, s.Sel.Name) {
					say(n.Rhs[i])
				}
			}
		}
		return true
	})
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

var verbs = regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)

// words are the texts that an expression can be, with … for what is only known
// at run time. It follows constants, a function's own variables, and functions
// of the package that give a string first.
func (p pkg) words(in ast.Node, e ast.Expr, depth int) []string {
	unknown := []string{"…"}
	if depth > 4 {
		return unknown
	}
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return []string{s}
		}
	case *ast.BinaryExpr:
		var all []string
		for _, a := range p.words(in, e.X, depth+1) {
			for _, b := range p.words(in, e.Y, depth+1) {
				all = append(all, a+b)
			}
		}
		return all
	case *ast.ParenExpr:
		return p.words(in, e.X, depth)
	case *ast.Ident:
		if c, ok := p.consts[e.Name]; ok {
			return p.words(in, c, depth+1)
		}
		var all []string
		ast.Inspect(in, func(n ast.Node) bool {
			if a, ok := n.(*ast.AssignStmt); ok && len(a.Lhs) == len(a.Rhs) {
				for i, to := range a.Lhs {
					if name(to) == e.Name {
						all = append(all, p.words(in, a.Rhs[i], depth+1)...)
					}
				}
			}
			return true
		})
		if len(all) > 0 {
			return all
		}
	case *ast.CallExpr:
		called := name(e.Fun)
		if called == "fmt.Sprintf" && len(e.Args) > 0 {
			return p.words(in, e.Args[0], depth+1)
		}
		if f, ok := p.funcs[called]; ok && f.Body != nil && f.Type.Results != nil && name(f.Type.Results.List[0].Type) == "string" {
			var all []string
			ast.Inspect(f, func(n ast.Node) bool {
				if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) > 0 {
					all = append(all, p.words(f, r.Results[0], depth+1)...)
				}
				return true
			})
			return all
		}
	}
	return unknown
}

var (
	// What the page's scripts say: a call of say, a thrown Error, a refused run …
	clientWords = regexp.MustCompile("(?:\\bsay\\(|new Error\\(|#notice\\(|refused = |forget\\()\\s*(\"(?:[^\"\\\\]|\\\\.)*\"|`(?:[^`\\\\]|\\\\.)*`)")
	// … and every other text that is a whole sentence.
	clientSentences = regexp.MustCompile("(\"[A-Z][^\"\\\\\n]* [^\"\\\\\n]*\\.\"|`(?:[A-Z]|\\$\\{)[^`\\\\\n]* [^`\\\\\n]*\\.`)")
	inserted        = regexp.MustCompile(`\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}`)
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
		for _, m := range append(clientWords.FindAllStringSubmatch(string(src), -1), clientSentences.FindAllStringSubmatch(string(src), -1)...) {
			s := inserted.ReplaceAllString(m[1][1:len(m[1])-1], "…")
			if strings.Trim(s, "… .:") != "" {
				said[s] = append(said[s], filepath.ToSlash(strings.TrimPrefix(path, "../../")))
			}
		}
	}
}

// Errors that our part of the isolate makes: on a line with one, each text that
// has more than one word.
var (
	isolateErrors = regexp.MustCompile(`\b\w*(?:Error|Exception)\((.*)`)
	literals      = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`(?:[^`\\\\]|\\\\.)*`")
)

func collectIsolate(t *testing.T, said map[string][]string, root string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*.ts"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range isolateErrors.FindAllStringSubmatch(string(src), -1) {
			for _, text := range literals.FindAllString(inserted.ReplaceAllString(line[1], "…"), -1) {
				if s := text[1 : len(text)-1]; strings.Contains(s, " ") && strings.IndexFunc(s, unicode.IsLetter) >= 0 {
					said[s] = append(said[s], filepath.ToSlash(strings.TrimPrefix(path, "../../")))
				}
			}
		}
	}
}

// collectCommands takes the errors that the program's own commands make.
func collectCommands(t *testing.T, said map[string][]string, root string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || (name(call.Fun) != "errors.New" && name(call.Fun) != "fmt.Errorf") {
				return true
			}
			for _, s := range (pkg{}).words(f, call.Args[0], 0) {
				s = strings.ReplaceAll(verbs.ReplaceAllString(s, "…"), "\n", " ")
				if strings.IndexFunc(s, unicode.IsLetter) >= 0 {
					said[s] = append(said[s], filepath.ToSlash(strings.TrimPrefix(path, "../../")))
				}
			}
			return true
		})
	}
}

// A sentence in any of the places through which words reach a person is found,
// so that TestWords fails on one that nobody listed.
func TestWordsAreFound(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "said.go"), []byte(`package live

const kept = "From a constant."

var hints = []string{"In a table of hints.", "no sentence", "Nor this"}

func f(c *call, n int) error {
	say := "From a variable."
	if n > 1 {
		say = "From its other value."
	}
	p.Error = "On a form."
	_ = &trace.Fault{Message: "What stopped a run.", Hint: "What to do."}
	_ = &web.Error{Heading: "A heading", Message: kept}
	_ = &InputError{Message: say}
	_ = &FilesError{Reason: fmt.Sprintf("The file %q is %d kB.", "a", n)}
	_ = &jsonline.Error{file, 1, "In settings."}
	_ = view.SignInPage{Error: "On another form."}
	_ = x.end(code, "Too often.")
	_ = bad("The path is longer than %d kB.", n)
	_ = errors.New("As an error.")
	_ = errors.New("for the log alone")
	_ = item.Get("id").Errorf("At a line.")
	return fail(404, "Nothing "+"here: "+of(n)+".")
}

func of(n int) string { if n > 0 { return "a page" }; return "a lesson" }
`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "said.ts"), []byte("say(\"Saved\"); throw new Error(`Line ${n + f({})} is short`); state(\"offline\", \"Kept in this browser.\", `${n} of ${all} pass.`);"), 0o644); err != nil {
		t.Fatal(err)
	}
	said := map[string][]string{}
	collectGo(t, said, dir)
	collectClient(t, said, dir)
	isolate := t.TempDir()
	if err := os.WriteFile(filepath.Join(isolate, "thrown.ts"), []byte("if (n) throw new NativeTypeError(`KV: ${of(n, { a: 1 })} is no key.`);\nreturn domError(\"AbortError\", \"It was \\\"stopped\\\".\");"), 0o644); err != nil {
		t.Fatal(err)
	}
	collectIsolate(t, said, isolate)
	commands := t.TempDir()
	if err := os.WriteFile(filepath.Join(commands, "main.go"), []byte("package main\n\nfunc f() error {\n\treturn fmt.Errorf(\"no lesson %q; have %s\", a, b)\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	collectCommands(t, said, commands)
	want := []string{
		"A heading", "As an error.", "From a constant.", "From a variable.", "From its other value.", "In settings.", "It was \\\"stopped\\\".", "KV: … is no key.", "Kept in this browser.", "Line … is short",
		"Nothing here: a lesson.", "Nothing here: a page.", "On a form.", "On another form.", "Saved", "The file … is … kB.", "The path is longer than … kB.",
		"Too often.", "What stopped a run.", "What to do.", "no lesson …; have …", "… of … pass.", "…: At a line.",
	}
	if got := slices.Sorted(maps.Keys(said)); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	sentences := map[string][]string{}
	collectSentences(t, sentences, func(string) bool { return true }, dir)
	if sentences["In a table of hints."] == nil || sentences["Nothing here: …."] == nil || sentences["no sentence"] != nil || sentences["Nor this"] != nil {
		t.Errorf("whole sentences found: %q", slices.Sorted(maps.Keys(sentences)))
	}
}

var forbidden = regexp.MustCompile(`(?i)\b(oops|sorry|please|unfortunately|whoops|uh-oh|illegal|fatal|panic|goroutine|nil pointer|simply|obviously|you forgot|your fault)\b`)

const (
	small = "begins with a small letter"
	long  = "is too long"
)

// voice is what a sentence does wrong, "" when nothing.
func voice(s string) string {
	switch {
	case strings.Contains(strings.NewReplacer("!=", "", "[!", "", "!/", "", "! Name", "").Replace(s), "!"):
		return "shouts"
	case forbidden.MatchString(s):
		return "says “" + forbidden.FindString(s) + "”: short, exact, no blame, nothing of our insides"
	case unicode.IsLower([]rune(s)[0]):
		return small
	case len([]rune(s)) > 240:
		return long
	}
	return ""
}
