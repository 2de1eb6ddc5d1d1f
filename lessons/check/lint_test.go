package check

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"coldstart/lessons"
	"coldstart/sandbox/trace"
)

// sayer answers with what the file's `say` lines hold; `flaky` fails every
// third run, `broken` throws at its own line.
func sayer() func(w *fakeRun) {
	runs := 0
	return func(w *fakeRun) {
		var out []string
		for i, l := range strings.Split(w.Files["index.js"], "\n") {
			switch word, rest, _ := strings.Cut(l, " "); word {
			case "say":
				out = append(out, rest)
			case "broken":
				w.Fault = &trace.Fault{Kind: trace.FaultException, Name: "TypeError", Message: "x is undefined", Frames: []trace.Frame{{File: "index.js", Line: i + 1, Column: 3}}}
			case "flaky":
				runs++
				if runs%3 == 0 {
					out = append(out, "flake")
				}
			}
		}
		w.Out = strings.Join(out, " ")
	}
}

// unbuildable refuses projects with a line that says so.
func unbuildable(p trace.Project) *trace.Fault {
	before, _, found := strings.Cut(string(p.Files["index.js"]), "no build")
	if !found {
		return nil
	}
	return &trace.Fault{Kind: trace.FaultBuild, Message: `";" expected`, Frames: []trace.Frame{{File: "index.js", Line: strings.Count(before, "\n") + 1, Column: 3}}}
}

const lintLesson = "---\nid: l\ntitle: L\n---\nText.\n\n## 1. Say\nDo.\n\n:::quiz\nWhy?\n- [x] a\n- [ ] b\n  > c\n:::\n"

func TestLintInTheSandbox(t *testing.T) {
	hello := "test(\"1: says hello\", async ({ send, expect }) => {\n  expect((await send(\"/\")).body, \"Say it\").toBe(\"hello\");\n});\n"
	for _, c := range []struct {
		name, start, solved, checks, lesson string
		repeat                              int
		mutate                              bool
		want                                []string
	}{
		{name: "good", start: "", solved: "say hello\n", checks: hello},
		{name: "passes on the starter", start: "say hello\n", solved: "// why\nsay hello\n", checks: hello, want: []string{`checks.js:1:1 E012 check "1: says hello" already passes on the starter`}},
		{name: "a guard may", start: "say hello\n", solved: "// why\nsay hello\n", checks: "test(\"1: two\", async ({ files, expect }) => expect(files[\"index.js\"]).toContain(\"why\"));\n" + strings.Replace(hello, "test(", "test.guard(", 1)},
		{name: "solution is wrong", start: "", solved: "// first\nsay hullo\n", checks: hello, want: []string{`_solution/index.js:1 E013 fails check 1: expected "hello", got "hullo" (Say it)`}},
		{name: "solution throws", start: "", solved: "// first\nbroken\n", checks: hello, want: []string{`_solution/index.js:2:3 E013 fails check 1: expected "hello", got "" (TypeError: x is undefined) (Say it)`}},
		{name: "solution does not build", start: "", solved: "// first\nno build\n", checks: hello, want: []string{`_solution/index.js:2:3 E013 does not build: ";" expected`}},
		{name: "flaky", start: "", solved: "say hello\nflaky\n", checks: hello, repeat: 3, want: []string{"checks.js:1:1 E014 flaky: solution failed 1 of 3 runs"}},
		{name: "syntax error", start: "", solved: "say hello\n", checks: "test(\"1: a\", async () => {\n  expect(;\n});\n", want: []string{`checks.js:2:10 E015 syntax error: ";" cannot stand here.`}},
		{name: "open end", start: "", solved: "say hello\n", checks: "test(\"1: a\", async () => {\n  say();\n", want: []string{"checks.js:2:1 E015 syntax error: the file ends too early; is a bracket not closed?"}},
		{name: "script stops", start: "", solved: "say hello\n", checks: "test(\"1: a\", async () => {});\nnothing.at.all;\n", want: []string{"checks.js:2:1 E015 the script stops: ReferenceError: nothing is not defined"}},
		{name: "useless line", start: "", solved: "say hello\nnothing here\n", checks: hello, mutate: true, want: []string{"_solution/index.js:2 W016 no check fails when this line is removed"}},
		{name: "useless line, explained", start: "", solved: "say hello\nnothing here\n", checks: hello, mutate: true, lesson: strings.Replace(lintLesson, "title: L", "title: L\nspare: { nothing here: it shows how }", 1)},
		{name: "no solution", start: "", solved: "-", checks: hello, want: []string{"lesson.md:1:1 E018 there are checks but no _solution folder; it holds the files that differ from _files"}},
		{
			name: "author's mistake", start: "", solved: "say hello\n", checks: "test(\"1: a\", async ({ send }) => {\n  await send(\"hello\");\n});\n",
			want: []string{`checks.js:2:1 E019 check 1: The check itself stopped: send "hello": write a path, "/hello", or a method and a path, "POST /hello"`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := fstest.MapFS{
				"t/track.md":          {Data: []byte("---\ntitle: T\nsummary: S\n---\n")},
				"t/l/lesson.md":       {Data: []byte(lintLesson)},
				"t/l/checks.js":       {Data: []byte(c.checks)},
				"t/l/_files/index.js": {Data: []byte(c.start)},
			}
			if c.lesson != "" {
				fsys["t/l/lesson.md"].Data = []byte(c.lesson)
			}
			if c.solved != "-" {
				fsys["t/l/_solution/index.js"] = &fstest.MapFile{Data: []byte(c.solved)}
			}
			r, err := Lint(context.Background(), LintConfig{Door: &fakeDoor{worker: sayer(), build: unbuildable}, Lessons: fsys, Repeat: c.repeat, Mutate: c.mutate})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range r.Problems {
				s := strings.TrimPrefix(p.String(), "t/l/")
				if p.Code == "E019" || p.Code == "E015" && strings.Contains(p.Message, "stops") {
					p.Column = 1 // engines differ in columns
					s = strings.TrimPrefix(p.String(), "t/l/")
				}
				got = append(got, s)
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestLintReport(t *testing.T) {
	r := &Report{Lessons: 1, Checks: 2, Problems: []lessons.Problem{{File: "a/lesson.md", Line: 1, Column: 1, Code: "E001", Message: "m"}, {File: "a/lesson.md", Line: 2, Code: "W021", Message: "n"}}}
	var b bytes.Buffer
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	if want := "a/lesson.md:1:1 E001 m\na/lesson.md:2 W021 n\n1 lesson, 2 checks: 1 error, 1 warning\n"; b.String() != want {
		t.Errorf("got %q", b.String())
	}
	b.Reset()
	if err := (&Report{Lessons: 2, Checks: 1, Mutants: 7}).Text(&b); err != nil {
		t.Fatal(err)
	}
	if want := "2 lessons, 1 check, 7 lines removed: no problems\n"; b.String() != want {
		t.Errorf("got %q", b.String())
	}
}

func TestLintTriesAgainWhatStoppedOnOurSide(t *testing.T) {
	fsys := fstest.MapFS{
		"t/track.md":             {Data: []byte("---\ntitle: T\nsummary: S\n---\n")},
		"t/l/lesson.md":          {Data: []byte(lintLesson)},
		"t/l/checks.js":          {Data: []byte("test(\"1: says hello\", async ({ send, expect }) => {\n  expect((await send(\"/\")).body, \"Say it\").toBe(\"hello\");\n});\n")},
		"t/l/_files/index.js":    {Data: []byte("")},
		"t/l/_solution/index.js": {Data: []byte("say hello\n")},
	}
	builds, busy := 0, 2
	door := &fakeDoor{worker: sayer(), build: func(trace.Project) *trace.Fault {
		if builds++; builds <= busy {
			return &trace.Fault{Kind: trace.FaultPlatform, Message: "Busy."}
		}
		return nil
	}}
	r, err := Lint(context.Background(), LintConfig{Door: door, Lessons: fsys})
	if err != nil || len(r.Problems) > 0 {
		t.Errorf("busy twice: %v, %v", r.Problems, err)
	}
	builds, busy = 0, 1000
	if _, err := Lint(context.Background(), LintConfig{Door: door, Lessons: fsys}); err == nil || !strings.Contains(err.Error(), "stopped three times: Busy.") {
		t.Errorf("always busy: %v", err)
	}
}
