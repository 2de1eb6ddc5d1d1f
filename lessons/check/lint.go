package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"coldstart/lessons"
	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

// LintConfig says what `coldstart lint` looks at.
type LintConfig struct {
	Door     sandbox.Door // nil: only what needs no sandbox
	Learner  string       // charged for the runs; "": lint, which is nobody
	Lessons  fs.FS        // the folder of tracks
	Load     lessons.Config
	Repeat   int      // run each solution this often, to find flaky checks; below 2: once
	Mutate   bool     // remove each line of a solution that is not in the starter
	Only     []string // lesson ids, lessons' folders or tracks' folders; nil: all
	Box      func(ctx context.Context, name string, options map[string]any) (Line, error)
	Lab      func(ctx context.Context, lesson, lab string) (any, error)
	Progress func(done, total int, lesson string) // nil: silent
}

// Report is what lint found.
type Report struct {
	Problems []lessons.Problem
	Lessons  int // looked at
	Checks   int // tests run on solutions
	Mutants  int // lines of solutions removed, one at a time
	ran      []lessons.Problem
}

// Errors reports how many problems are errors.
func (r *Report) Errors() int {
	n := 0
	for _, p := range r.Problems {
		if p.Error() {
			n++
		}
	}
	return n
}

// Ran lists the problems that only running solutions and starters found.
func (r *Report) Ran() []lessons.Problem { return r.ran }

// Text writes the problems, one a line, and a last line that counts what was
// looked at and what was found.
func (r *Report) Text(w io.Writer) error {
	for _, p := range r.Problems {
		if _, err := fmt.Fprintln(w, p); err != nil {
			return err
		}
	}
	looked := count(r.Lessons, "lesson") + ", " + count(r.Checks, "check")
	if r.Mutants > 0 {
		looked += ", " + count(r.Mutants, "line") + " removed"
	}
	found := "no problems"
	if errs := r.Errors(); len(r.Problems) > 0 {
		found = count(errs, "error") + ", " + count(len(r.Problems)-errs, "warning")
	}
	_, err := fmt.Fprintf(w, "%s: %s\n", looked, found)
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Lint loads a folder of lessons and, with a Door, runs every solution and
// every starter in the sandbox. An error means that it could not be done.
func Lint(ctx context.Context, cfg LintConfig) (*Report, error) {
	cat, problems := cfg.Load.Load(cfg.Lessons)
	var todo []*lessons.Lesson
	for _, l := range cat.Lessons() {
		if cfg.Only == nil || slices.Contains(cfg.Only, l.ID) || within(l.Dir, cfg.Only) {
			todo = append(todo, l)
		}
	}
	if cfg.Only != nil {
		folders := slices.Clone(cfg.Only)
		for _, l := range todo {
			folders = append(folders, l.Dir)
		}
		problems = slices.DeleteFunc(problems, func(p lessons.Problem) bool { return !within(p.File, folders) })
	}
	if len(todo) == 0 && len(problems) == 0 {
		if cfg.Only != nil {
			return nil, fmt.Errorf("no lesson is called %s; write an id, such as first-worker, or a folder", strings.Join(cfg.Only, ", "))
		}
		if len(cat.Tracks) == 0 {
			return nil, errors.New("no lessons here: it needs folders such as 10-track/track.md; `coldstart new lesson NAME` makes one")
		}
	}
	r := &Report{Problems: problems}
	r.Lessons = len(todo)
	if cfg.Door != nil {
		for i, l := range todo {
			if cfg.Progress != nil {
				cfg.Progress(i, len(todo), l.Dir)
			}
			if l.Checks == "" {
				continue
			}
			x := &linter{cfg: cfg, report: r, lesson: l}
			if err := x.run(ctx); err != nil {
				return r, fmt.Errorf("lint %s: %w", l.Dir, err)
			}
		}
	}
	r.ran = slices.Clone(r.Problems[len(problems):])
	lessons.SortProblems(r.ran)
	lessons.SortProblems(r.Problems)
	return r, nil
}

// within reports whether a path is one of the folders or in one.
func within(name string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return name == f || strings.HasPrefix(name, f+"/") })
}

// linter runs one lesson.
type linter struct {
	cfg    LintConfig
	report *Report
	lesson *lessons.Lesson
}

func (x *linter) add(file string, line, col int, code, format string, args ...any) {
	x.report.Problems = append(x.report.Problems, lessons.Problem{File: path.Join(x.lesson.Dir, file), Line: max(line, 1), Column: col, Code: code, Message: fmt.Sprintf(format, args...)})
}

// try runs the checks on files; broken is true when checks.js itself is at
// fault, which is then reported.
func (x *linter) try(ctx context.Context, files map[string][]byte, only []int) (r Result, broken bool, err error) {
	cfg := Config{Door: x.cfg.Door, Learner: cmp.Or(x.cfg.Learner, "lint"), Box: x.cfg.Box, Answers: RightAnswers(x.lesson), Only: only}
	if x.cfg.Lab != nil {
		cfg.Lab = func(ctx context.Context, id string) (any, error) { return x.cfg.Lab(ctx, x.lesson.ID, id) }
	}
	var se *ScriptError
	for again := 0; ; again++ { // what stops on our side says nothing about the lesson
		se = nil
		r, err = Run(ctx, cfg, x.lesson, files, nil)
		if !errors.As(err, &se) && err != nil {
			return r, false, err
		}
		ours := r.Fault
		if se != nil {
			ours = &se.Fault
		}
		if ours == nil || ours.Kind != trace.FaultPlatform {
			break
		}
		if again == 2 {
			return r, false, fmt.Errorf("the sandbox stopped three times: %s", ours.Message)
		}
	}
	if se == nil {
		return r, false, nil
	}
	line, col := 1, 1
	if len(se.Fault.Frames) > 0 {
		line, col = se.Fault.Frames[0].Line, se.Fault.Frames[0].Column
	}
	if se.Fault.Kind == trace.FaultBuild {
		what := lower(se.Fault.Message)
		if own := strings.Count(strings.TrimRight(x.lesson.Checks, "\n"), "\n") + 1; line > own { // what stands behind is ours
			line, col, what = own, 1, "the file ends too early; is a bracket not closed?"
		}
		x.add("checks.js", line, col, "E015", "syntax error: %s", what)
	} else {
		x.add("checks.js", line, col, "E015", "the script stops: %s", se.Fault.Message)
	}
	return r, true, nil
}

func lower(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// RightAnswers are the answers that a lesson's questions want, as the checks see
// them; questions whose answer is measured are left out.
func RightAnswers(l *lessons.Lesson) map[string][]string {
	out := map[string][]string{}
	for _, q := range l.Questions {
		var a []string
		switch q.Kind {
		case lessons.Choice:
			for i, o := range q.Options {
				if o.Right {
					a = append(a, fmt.Sprint(i))
				}
			}
		case lessons.Order:
			for i := range q.Options {
				a = append(a, fmt.Sprint(i))
			}
		case lessons.Match:
			for _, o := range q.Options {
				a = append(a, fmt.Sprint(o.Partner))
			}
		default:
			if q.Measure != "" {
				continue
			}
			a = []string{fmt.Sprint(q.Right)}
		}
		out[q.ID] = a
	}
	return out
}

func (x *linter) run(ctx context.Context) error {
	if x.lesson.Solution == nil {
		x.add("lesson.md", 1, 1, "E018", "there are checks but no _solution folder; it holds the files that differ from _files")
		return nil
	}
	solved, broken, err := x.try(ctx, x.lesson.Solution, nil)
	if err != nil || broken {
		return err
	}
	x.report.Checks += solved.Total
	x.solution(solved)
	start, _, err := x.try(ctx, x.lesson.Starter, nil)
	if err != nil {
		return err
	}
	x.starter(start)
	if !solved.Done() {
		return nil // flakiness and mutants say nothing about a solution that fails
	}
	if x.cfg.Repeat > 1 {
		if err := x.repeat(ctx); err != nil {
			return err
		}
	}
	if x.cfg.Mutate {
		return x.mutate(ctx)
	}
	return nil
}

// solution reports the checks that the author's own solution fails.
func (x *linter) solution(r Result) {
	if r.Fault != nil {
		file, line, col := x.place(r.Fault)
		x.add(file, line, col, "E013", "does not build: %s", r.Fault.Message)
		return
	}
	for _, t := range r.Tests {
		if t.State != Failed {
			continue
		}
		f := t.Failure
		if f.Author != nil {
			x.add("checks.js", f.Author.Line, f.Author.Column, "E019", "check %s: %s", short(t.Name, r.Tests), f.Message)
			continue
		}
		file, line, col := x.place(f.Fault)
		what := ""
		if f.Expected != "" {
			what = fmt.Sprintf("expected %s, got %s", f.Expected, f.Got)
			if f.Message != "" {
				what += " (" + f.Message + ")"
			}
		} else {
			what = f.Message
			if f.Got != "" {
				what += ": " + f.Got
			}
		}
		x.add(file, line, col, "E013", "fails check %s: %s", short(t.Name, r.Tests), what)
	}
}

// place is where in the solution a fault is; without one, the first line that
// differs from the starter.
func (x *linter) place(f *trace.Fault) (file string, line, col int) {
	if f != nil && len(f.Frames) > 0 {
		fr := f.Frames[0]
		for _, d := range x.lesson.Diff {
			if d.Path == fr.File {
				return "_solution/" + fr.File, fr.Line, fr.Column
			}
		}
		return "_files/" + fr.File, fr.Line, fr.Column
	}
	for _, d := range x.lesson.Diff {
		for _, l := range d.Lines {
			if l.Op == '+' {
				return "_solution/" + d.Path, l.New, 0
			}
		}
	}
	return "_solution", 1, 0
}

// short is the number that a check's name begins with, where that tells it from
// the others, else the name.
func short(name string, all []Outcome) string {
	n, task := 0, lessons.TaskOf(name)
	for _, t := range all {
		if t.Task == task {
			n++
		}
	}
	if number, _, ok := strings.Cut(name, ": "); ok && task > 0 && n == 1 {
		return number
	}
	return fmt.Sprintf("%q", name)
}

// starter reports checks that pass before the learner has done anything.
func (x *linter) starter(r Result) {
	for _, t := range r.Tests {
		if t.State == Passed && t.Kind != "guard" {
			line, col := x.declared(t)
			x.add("checks.js", line, col, "E012", "check %q already passes on the starter", t.Name)
		}
	}
}

// declared is the place of a test in checks.js.
func (x *linter) declared(t Outcome) (line, col int) {
	for _, d := range x.lesson.Declared {
		if d.Name == t.Name {
			return d.Line, d.Column
		}
	}
	for _, d := range x.lesson.Declared { // the name is computed; its task is not
		if d.Task == t.Task {
			return d.Line, d.Column
		}
	}
	return 1, 1
}

// repeat runs the solution again and again.
func (x *linter) repeat(ctx context.Context) error {
	failures := map[int]int{}
	var last Result
	for range x.cfg.Repeat - 1 { // it has passed once already
		r, broken, err := x.try(ctx, x.lesson.Solution, nil)
		if err != nil || broken {
			return err
		}
		for _, t := range r.Tests {
			if t.State == Failed {
				failures[t.Index]++
				last = r
			}
		}
	}
	for _, t := range last.Tests {
		if n := failures[t.Index]; n > 0 {
			line, col := x.declared(t)
			x.add("checks.js", line, col, "E014", "flaky: solution failed %d of %d runs", n, x.cfg.Repeat)
		}
	}
	return nil
}

// mutate removes one line of the solution at a time; some check should fail.
func (x *linter) mutate(ctx context.Context) error {
	for _, d := range x.lesson.Diff {
		if path.Ext(d.Path) == ".md" {
			continue // prose, which no check reads line by line
		}
		for _, l := range d.Lines {
			if l.Op != '+' || !worth(l.Text) {
				continue
			}
			if _, explained := x.lesson.Spare[strings.TrimSpace(l.Text)]; explained {
				continue
			}
			files := maps.Clone(x.lesson.Solution)
			files[d.Path] = without(files[d.Path], l.New)
			x.report.Mutants++
			r, broken, err := x.try(ctx, files, nil)
			if err != nil {
				return err
			}
			if r.Done() && !broken {
				x.add("_solution/"+d.Path, l.New, 0, "W016", "no check fails when this line is removed")
			}
		}
	}
	return nil
}

// worth reports whether removing a line says something: blank lines, comments
// and lines of only brackets do not.
func worth(line string) bool {
	t := strings.TrimSpace(line)
	return t != "" && !strings.HasPrefix(t, "//") && !strings.HasPrefix(t, "/*") && !strings.HasPrefix(t, "*") && strings.Trim(t, "{}()[];,") != ""
}

func without(src []byte, line int) []byte {
	all := strings.SplitAfter(string(src), "\n")
	if line < 1 || line > len(all) {
		return src
	}
	return []byte(strings.Join(slices.Delete(all, line-1, line), ""))
}
