package lessons

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"coldstart/sandbox/trace"
)

// folder makes a lessons folder with one good lesson, 10-track/20-first, with
// files changed or, when empty, removed. Names without / are in that lesson.
func folder(changes map[string]string) fstest.MapFS {
	files := map[string]string{
		"10-track/track.md":             "---\ntitle: T\nsummary: S.\n---\n",
		"10-track/20-first/lesson.md":   good,
		"10-track/20-first/checks.js":   "test(\"1: greets\", async () => {});\n",
		"10-track/20-first/_files/a.ts": "export {};\n",
	}
	for name, text := range changes {
		if !strings.Contains(name, "/") || strings.HasPrefix(name, "_") {
			name = "10-track/20-first/" + name
		}
		name = strings.TrimPrefix(name, "./")
		files[name] = text
		if text == "" {
			delete(files, name)
		}
	}
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

const good = `---
id: first
title: First
open: a.ts
---
Text.

## 1. Greet
Do it.

:::quiz
Why?
- [x] this
- [ ] that
  > no.
:::
`

// edit is the good lesson with one thing replaced.
func edit(from, to string) map[string]string {
	if !strings.Contains(good, from) {
		panic("not in the good lesson: " + from)
	}
	return map[string]string{"lesson.md": strings.Replace(good, from, to, 1)}
}

func TestTheGoodFolderIsGood(t *testing.T) {
	cat, ps := Load(folder(nil))
	if len(ps) > 0 || len(cat.Lessons()) != 1 {
		t.Fatalf("%v", ps)
	}
}

const at = "10-track/20-first/"

// problems are every message that needs no sandbox, with its place. Files
// whose names begin with ./ are beside the tracks.
var problems = []struct {
	name  string
	files map[string]string
	want  string
}{
	{"no id", edit("id: first\n", ""), at + "lesson.md:1:1 E001 missing \"id\"; add `id: first` (progress is stored under it)"},
	{"bad id", edit("id: first", "id: First One"), at + "lesson.md:2:5 E001 id \"First One\" must be small letters, digits and hyphens, at most 64"},
	{"no title", edit("title: First\n", ""), at + "lesson.md:1:1 E001 missing \"title\"; add `title: first`"},
	{
		"id twice",
		map[string]string{"10-track/30-second/lesson.md": good, "10-track/30-second/_files/a.ts": "x", "10-track/30-second/checks.js": "test('1: a', async () => {});"},
		"10-track/30-second/lesson.md:2:5 E002 id \"first\" is also used in 10-track/20-first/lesson.md:2",
	},
	{"unknown key", edit("title:", "minuts: 8\ntitle:"), at + "lesson.md:3:1 E003 unknown key \"minuts\"; did you mean \"minutes\"?"},
	{"unknown limit", edit("open:", "limits: { cpu: 5 }\nopen:"), at + "lesson.md:4:11 E003 unknown limit \"cpu\"; did you mean \"cpu_ms\"?"},
	{"unknown request key", edit("open:", "request: { verb: GET }\nopen:"), at + "lesson.md:4:12 E003 unknown key \"verb\" in request"},
	{"open", edit("open: a.ts", "open: b.ts"), at + "lesson.md:4:7 E004 open: \"b.ts\" is not in _files; did you mean \"a.ts\"?"},
	{"not YAML", edit("title: First", "title: [a"), at + "lesson.md:2:1 E005 front matter is not YAML: did not find expected ',' or ']'"},
	{"no front matter", map[string]string{"lesson.md": "Text."}, at + "lesson.md:1:1 E005 must begin with front matter between two lines of ---"},
	{"alias", edit("title: First", "title: &a First"), at + "lesson.md:3:8 E005 title: YAML anchors and aliases are not taken here; write the value out"},
	{"minutes", edit("open:", "minutes: soon\nopen:"), at + "lesson.md:4:10 E005 minutes must be a whole number from 1"},
	{"kind", edit("open:", "kind: test\nopen:"), at + "lesson.md:4:7 E005 kind \"test\" must be lesson or challenge"},
	{"points of a lesson", edit("open:", "points: [5]\nopen:"), at + "lesson.md:4:9 E005 points belong to a challenge; add `kind: challenge`"},
	{"points too few", edit("open:", "kind: challenge\npoints: [5, 6]\nopen:"), at + "lesson.md:5:9 E005 points lists 2 numbers for 1 tasks; write one per task"},
	{"method", edit("open:", "request: { method: get }\nopen:"), at + "lesson.md:4:20 E005 method \"get\" must be capital letters, such as POST"},
	{"over the ceiling", edit("open:", "limits: { cpu_ms: 5000 }\nopen:"), at + "lesson.md:4:11 E006 cpu_ms 5000 is over this server's ceiling (2000)"},
	{"no track.md", map[string]string{"10-track/track.md": ""}, "10-track/track.md:1:1 E007 missing; add it with `title:` and `summary:`, or begin the folder's name with _"},
	{"no lesson.md", map[string]string{"lesson.md": ""}, at + "lesson.md:1:1 E007 missing; every lesson folder holds one (begin the folder's name with _ to hide it)"},
	{"no _files", map[string]string{"_files/a.ts": ""}, at + "lesson.md:1:1 E007 there is no _files folder; it holds what the learner starts with"},
	{"folder name", map[string]string{"10-track/Lesson Two/lesson.md": good}, "10-track/Lesson Two:1:1 E008 folder name must be a number and words in small letters, such as 20-first-worker"},
	{"same address", map[string]string{"10-track/30-first/lesson.md": good}, "10-track/30-first:1:1 E008 folder has the same address as 20-first; rename one"},
	{"no checks", map[string]string{"checks.js": "", "_solution/a.ts": "export const a = 1;\n"}, at + "lesson.md:1:1 E009 there is a _solution but no checks.js"},
	{"task without check", map[string]string{"checks.js": "// nothing\n"}, at + "lesson.md:8:1 E010 task 1 has no check; name one \"1: …\" in checks.js"},
	{"check without task", map[string]string{"checks.js": "test(\"1: a\", async () => {});\n\n  test(\"3: b\", async () => {});\n"}, at + "checks.js:3:3 E011 check \"3: …\" names no task (lesson.md has only task 1)"},
	{"check without number", map[string]string{"checks.js": "test(\"1: a\", async () => {});\ntest(\"b\", async () => {});\n"}, at + "checks.js:2:1 E011 check \"b\" names no task; begin its name with the task's number, \"1: …\", or make it a test.guard"},
	{"solution same as starter", map[string]string{"_solution/a.ts": "export {};\n"}, at + "_solution/a.ts:1:1 W017 same as in _files; remove it, a solution holds only what differs"},
	{"quiz without answer", edit("[x]", "[ ]"), at + "lesson.md:11:1 E020 quiz has no right answer; mark one \"- [x]\""},
	{"quiz with one answer", edit("- [ ] that\n  > no.\n", ""), at + "lesson.md:11:1 E020 quiz has nothing to choose from; write at least two answers, a line each"},
	{"wrong answer unexplained", edit("\n  > no.", ""), at + "lesson.md:14:1 W021 wrong answer without explanation; add `  > why` under it"},
	{"marker never closed", edit("\n:::\n", "\n"), at + "lesson.md:11:1 E022 :::quiz is never closed; end it with a line that is only :::"},
	{"unknown marker", edit(":::quiz", ":::quizz"), at + "lesson.md:11:1 E022 :::quizz is not known; did you mean \"quiz\"?"},
	{"marker in marker", edit("Why?", ":::hint\nWhy?"), at + "lesson.md:12:1 E022 :::hint opens inside :::quiz (line 11); close that with ::: first"},
	{"marker closes nothing", edit("Text.", ":::"), at + "lesson.md:6:1 E022 ::: closes nothing; remove it or open :::predict, :::quiz, :::hint or :::lab before it"},
	{"quotation mark", edit(":::quiz", ":::quiz id=\"a"), at + "lesson.md:11:12 E022 the quotation mark after id= is never closed"},
	{"kind of question", edit(":::quiz", ":::quiz kind=choise"), at + "lesson.md:11:1 E023 quiz has no kind \"choise\"; did you mean \"choice\"?"},
	{"unknown setting of a question", edit(":::quiz", ":::quiz knd=choice"), at + "lesson.md:11:1 E023 quiz has no setting \"knd\"; did you mean \"kind\"?"},
	{"no question", edit("Why?\n", ""), at + "lesson.md:11:1 E023 quiz asks nothing; write the question above the answers"},
	{"mark without axis", edit(":::quiz", ":::quiz kind=mark\nWhere?\n= 5\n:::\n:::quiz"), at + "lesson.md:11:1 E023 mark needs an axis: from= and to= as numbers, from below to (above 0 with scale=log)"},
	{"not a figure", edit(":::quiz", ":::quiz kind=number\nHow many?\n= some\n:::\n:::quiz"), at + "lesson.md:13:1 E023 \"some\" is not an answer; write `= 400 ± 20%` or `= {iso.each} ± 20%`"},
	{"order of one", edit(":::quiz", ":::quiz kind=order\nOrder?\n1. a\n:::\n:::quiz"), at + "lesson.md:11:1 E020 quiz has nothing to order; write at least two lines `1. …`, in the right order"},
	{"match of one", edit(":::quiz", ":::quiz kind=match\nMatch?\n- a => b\n:::\n:::quiz"), at + "lesson.md:11:1 E020 quiz has nothing to match; write lines `- left => right` with at least two different right sides"},
	{"question id twice", edit(":::quiz", ":::quiz kind=number id=quiz-2\nHow many?\n= 5\n:::\n:::quiz"), at + "lesson.md:15:1 E023 question id \"quiz-2\" is used twice; give each its own id="},
	{"too hard", edit("Text.", strings.Repeat("[a](", 500)), at + "lesson.md:6:1 E024 more than 120 [ in one paragraph; split it"},
	{"unknown lab", edit("Text.", ":::lab races\n:::"), at + "lesson.md:6:1 E025 there is no lab \"races\"; did you mean \"race\"?"},
	{"unknown setting of a lab", edit("Text.", ":::lab race contender=node\n:::"), at + "lesson.md:6:1 E025 lab race has no setting \"contender\"; did you mean \"contenders\"?"},
	{"setting that is no number", edit("Text.", ":::lab race samples=many\n:::"), at + "lesson.md:6:1 E025 samples of lab race is a number, not \"many\""},
	{"no lab", edit("Text.", ":::lab\n:::"), at + "lesson.md:6:1 E025 which lab? name it in this line, such as `:::lab race`"},
	{"tasks count from 1", edit("## 1.", "## 2."), at + "lesson.md:8:1 E026 task 2 should be task 1: tasks count from 1 without gaps"},
	{"too long", edit("Text.", strings.Repeat("word ", 401)), at + "lesson.md:1:1 W027 404 words; a lesson says what it has to in 400"},
	{"no such lesson", edit("Text.", "Go [on](../30-routing)."), at + "lesson.md:6:4 E030 link ../30-routing: no such lesson"},
	{"scheme", edit("Text.", "Go [on](javascript:x)."), at + "lesson.md:6:4 E030 link javascript:x: only http, https, mailto and relative links are allowed"},
	{"image", edit("Text.", "![on](x.png)"), at + "lesson.md:6:1 E030 image x.png: lessons hold no image files; draw with a table or a code block, or embed a lab"},
	{"no such item", edit("open:", "covers: { S999: quiz }\nopen:"), at + "lesson.md:4:11 E031 covers: no such item \"S999\""},
	{"no such place", edit("open:", "covers: { S94: predict }\nopen:"), at + "lesson.md:4:11 E032 covers S94: there is no predict in this lesson"},
	{"no such numbered place", edit("open:", "covers: { S94: task 2 }\nopen:"), at + "lesson.md:4:11 E032 covers S94: there is no \"task 2\" in this lesson"},
	{"no place at all", edit("open:", "covers: { S94: here }\nopen:"), at + "lesson.md:4:11 E032 covers S94: \"here\" is no place; write task N, quiz, predict or lab, with a number or name when there are several"},
	{"source", edit("Text.", "So it is[^who]."), at + "lesson.md:6:9 E033 source [^who] is not defined; add a line `[^who]: Who says so, YEAR.` or an entry in sources.yaml"},
	{"old translation", with(edit("open:", "revision: 5\nopen:"), "lesson.nl.md", strings.Replace(good, "id: first\ntitle: First\nopen: a.ts", "title: Eerste\nrevision: 3", 1)), at + "lesson.nl.md:1:1 W040 translates revision 3; lesson.md is at 5"},
	{"translation with other tasks", with(nil, "lesson.nl.md", "---\ntitle: Eerste\n---\nTekst.\n"), at + "lesson.nl.md:1:1 E041 has 0 tasks; lesson.md has 1"},
	{"coming", map[string]string{"10-track/track.md": "---\ntitle: T\ncoming:\n  Bad Name: { title: x }\n---\n"}, "10-track/track.md:4:3 E008 coming: \"Bad Name\" is not a folder name; write it like 20-first-worker"},
	{"front matter is a list", edit("id: first\ntitle: First\nopen: a.ts", "- a"), at + "lesson.md:2:1 E005 front matter must be keys and values, such as `id: first-worker`"},
	{"title is a list", edit("title: First", "title: [a]"), at + "lesson.md:3:8 E005 title must be text"},
	{"uploaded: a long id", edit("id: first", "id: "+strings.Repeat("f", 55)), at + "lesson.md:2:5 E001 id \"" + strings.Repeat("f", 55) + "\" has more than 54 characters, the most for lessons that are uploaded"},
	{"labs is text", edit("open:", "labs: race\nopen:"), at + "lesson.md:4:7 E005 labs must be a list, such as [a, b]"},
	{"labs holds a list", edit("open:", "labs: [[race]]\nopen:"), at + "lesson.md:4:8 E005 labs must be a list of plain values"},
	{"limits is text", edit("open:", "limits: 5\nopen:"), at + "lesson.md:4:9 E005 limits must be keys and values, such as { cpu_ms: 50 }"},
	{"limit is a word", edit("open:", "limits: { cpu_ms: lots }\nopen:"), at + "lesson.md:4:19 E005 cpu_ms must be a whole number from 1"},
	{"headers are text", edit("open:", "request: { headers: a }\nopen:"), at + "lesson.md:4:21 E005 headers must be names and values, such as { accept: text/html }"},
	{"body is a list", edit("open:", "request: { body: [a] }\nopen:"), at + "lesson.md:4:18 E005 body must be text"},
	{"path", edit("open:", "request: { path: hello }\nopen:"), at + "lesson.md:4:18 E005 path \"hello\" must begin with / or be a whole address"},
	{"points are words", edit("open:", "kind: challenge\npoints: [many]\nopen:"), at + "lesson.md:5:10 E005 points must be whole numbers from 1, one per task"},
	{"track without front matter", map[string]string{"10-track/track.md": "Text."}, "10-track/track.md:1:1 E005 must begin with front matter between two lines of ---"},
	{"track without title", map[string]string{"10-track/track.md": "---\nsummary: S.\n---\n"}, "10-track/track.md:1:1 E001 missing \"title\"; add `title: track`"},
	{"coming without title", map[string]string{"10-track/track.md": "---\ntitle: T\ncoming:\n  40-later: { kind: lesson }\n---\n"}, "10-track/track.md:4:3 E005 coming: 40-later needs a title"},
	{"tracks with one address", map[string]string{"20-track/track.md": "---\ntitle: T\n---\n"}, "20-track:1:1 E008 folder has the same address as 10-track; rename one"},
	{"lesson too large", edit("Text.", strings.Repeat("x", 129<<10)), at + "lesson.md:1:1 E007 cannot read: larger than 128 kB"},
	{"file too large", map[string]string{"_files/big.bin": strings.Repeat("x", 5<<20)}, at + "_files/big.bin:1:1 E007 cannot read: larger than 4096 kB"},
	{"too many files", many(201), at + "_files:1:1 E007 more than 200 files or 4 MB"},
	{"number without answer", edit(":::quiz", ":::quiz kind=number\nHow many?\n:::\n:::quiz"), at + "lesson.md:11:1 E020 quiz has no right answer; add a line `= 400 ± 20%`"},
	{"no address", edit("Text.", "Go [on](http://[x)."), at + "lesson.md:6:4 E030 link http://[x: not an address"},
	{"address without scheme", edit("Text.", "Go [on](//example.com)."), at + "lesson.md:6:4 E030 link //example.com: write https: before it"},
	{"translation without front matter", map[string]string{"lesson.nl.md": "Tekst."}, at + "lesson.nl.md:1:1 E005 must begin with front matter between two lines of ---"},
	{"translation without title", map[string]string{"lesson.nl.md": strings.Replace(good, "id: first\ntitle: First\nopen: a.ts", "revision: 1", 1)}, at + "lesson.nl.md:1:1 E001 missing \"title\"; add `title:` in this language"},
	{"translation with another question", map[string]string{"lesson.nl.md": strings.NewReplacer("id: first\ntitle: First\nopen: a.ts", "title: Eerste", ":::quiz", ":::quiz id=why").Replace(good)}, at + "lesson.nl.md:9:1 E041 question why differs from lesson.md; keep kinds, ids and the number of options"},
	{"translation without questions", map[string]string{"lesson.nl.md": "---\ntitle: Eerste\n---\nTekst.\n\n## 1. Groet\nDoe het.\n"}, at + "lesson.nl.md:1:1 E041 has 0 questions; lesson.md has 1"},
	{"sources are a list", map[string]string{"./sources.yaml": "- a\n"}, "sources.yaml:1:1 E005 not a YAML mapping of ids to { text, date, url }"},
	{"source is text", map[string]string{"./sources.yaml": "who: me\n"}, "sources.yaml:1:6 E005 who must be { text, date, url }"},
	{"source with an unknown key", map[string]string{"./sources.yaml": "who: { txt: me }\n"}, "sources.yaml:1:8 E003 unknown key \"txt\"; did you mean \"text\"?"},
	{"glossary is no list", map[string]string{"./glossary.yaml": "a: b\n"}, "glossary.yaml:1:1 E005 not a YAML list of { term, text, also, mark, see }"},
	{"term without text", map[string]string{"./glossary.yaml": "- { term: VM }\n"}, "glossary.yaml:1:3 E005 a term is written { term, text, also, mark, see }, in a translation with `is` for its word, and with a text of at most 400 bytes"},
	{"term twice", map[string]string{"./glossary.yaml": "- { term: VM, text: a }\n- { term: vm, text: b }\n"}, "glossary.yaml:2:3 E002 the term \"vm\" is there twice"},
	{"term of a translation alone", map[string]string{"./glossary.yaml": "- { term: VM, text: a }\n", "./glossary.nl.yaml": "- { term: doos, text: b }\n"}, "glossary.nl.yaml:1:3 E005 the term \"doos\" is not in glossary.yaml; write the English word, and this language's as `is`"},
}

func TestProblems(t *testing.T) {
	for _, c := range problems {
		t.Run(c.name, func(t *testing.T) {
			config := Config{}
			if strings.HasPrefix(c.name, "uploaded: ") {
				config.Mark = "t1234567"
			}
			_, ps := config.Load(folder(c.files))
			var all []string
			for _, p := range ps {
				if p.String() == c.want {
					return
				}
				all = append(all, p.String())
			}
			t.Errorf("want %s\ngot  %s", c.want, strings.Join(all, "\n     "))
		})
	}
}

// many is so many files of a starter.
func many(n int) map[string]string {
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("_files/f%d.txt", i)] = "x"
	}
	return files
}

// TestEveryMessageIsShown reads this package's source: each message of lint is
// one of the problems above, so that the table is the list of all.
func TestEveryMessageIsShown(t *testing.T) {
	// What only a disk or a renderer that fails can bring about.
	unshown := []string{"cannot read the folder: %s", "only plain files are taken, no links", "cannot render: %v"}
	for place, format := range messages(t, ".") {
		if slices.Contains(unshown, format) {
			continue
		}
		shown := asPattern(format)
		if !slices.ContainsFunc(problems, func(p struct {
			name  string
			files map[string]string
			want  string
		},
		) bool {
			return shown.MatchString(p.want)
		}) {
			t.Errorf("%s: %q is in no test", place, format)
		}
	}
}

// messages are the formats that problems are added with, by place.
func messages(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	set := gotoken.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "manual.go" { // the manual has messages and tests of its own
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || f.Sel.Name != "add" && f.Sel.Name != "problem" && f.Sel.Name != "wrong" {
				return true
			}
			for _, arg := range call.Args {
				if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == gotoken.STRING {
					if text, err := strconv.Unquote(lit.Value); err == nil && strings.Contains(text, " ") {
						found[set.Position(lit.Pos()).String()] = text
						return true
					}
				}
			}
			return true
		})
	}
	if len(found) < 20 {
		t.Fatalf("only %d messages found", len(found))
	}
	return found
}

// asPattern matches what a format makes.
func asPattern(format string) *regexp.Regexp {
	return regexp.MustCompile(regexp.MustCompile(`%[a-z]`).ReplaceAllString(strings.ReplaceAll(regexp.QuoteMeta(format), "%%", "%"), ".*"))
}

func with(m map[string]string, name, text string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[name] = text
	return m
}

func TestInheritance(t *testing.T) {
	files := edit("open: a.ts", "open: a.ts\nminutes: 3")
	files["10-track/track.md"] = "---\ntitle: T\nsummary: S.\nminutes: 20\nlimits: { cpu_ms: 70, memory_mb: 16 }\nrequest: { path: /x }\n---\n"
	cat, ps := Load(folder(files))
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	l := cat.ByID("first")
	if l.Minutes != 3 || l.Request.Path != "/x" || l.Limits != (trace.Limits{CPU: 70 * time.Millisecond, Memory: 16 << 20}) {
		t.Errorf("minutes %d, path %s, limits %+v", l.Minutes, l.Request.Path, l.Limits)
	}
	if l.Title != "First" || l.Summary != "" {
		t.Errorf("a track's title and summary are its own: %q, %q", l.Title, l.Summary)
	}
}

func TestTranslation(t *testing.T) {
	cat, ps := Load(folder(map[string]string{"lesson.nl.md": strings.NewReplacer("id: first\ntitle: First\nopen: a.ts", "title: Eerste", "Text.", "Tekst.").Replace(good)}))
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	l := cat.ByID("first")
	for _, c := range []struct {
		langs []string
		want  string
	}{{[]string{"nl"}, "Eerste"}, {[]string{"nl-BE", "en"}, "Eerste"}, {[]string{"en", "nl"}, "First"}, {[]string{"fr", "nl"}, "Eerste"}, {nil, "First"}} {
		if got := l.In(c.langs...).Title; got != c.want {
			t.Errorf("%v: %q, want %q", c.langs, got, c.want)
		}
	}
	if l.URL() != "/learn/track/first" {
		t.Errorf("address %s", l.URL())
	}
}

func TestHashChangesWithContent(t *testing.T) {
	a, _ := Load(folder(nil))
	b, _ := Load(folder(map[string]string{"_files/a.ts": "export const b = 1;\n"}))
	c, _ := Load(folder(nil))
	if a.ByID("first").Hash == b.ByID("first").Hash || a.ByID("first").Hash != c.ByID("first").Hash {
		t.Error("the hash must follow the content")
	}
}

func TestBrokenFolderStillLoadsTheRest(t *testing.T) {
	cat, ps := Load(folder(map[string]string{"20-broken/track.md": "no front matter", "20-broken/10-a/lesson.md": "\x00\xff", "10-track/30-b/lesson.md": ""}))
	if len(ps) == 0 || cat.ByID("first") == nil {
		t.Errorf("problems %v", ps)
	}
}
