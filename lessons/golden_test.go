package lessons

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestShippedLessonsParseAsBefore compares what each lesson becomes with
// testdata/<id>.golden; -update rewrites them after a look.
func TestShippedLessonsParseAsBefore(t *testing.T) {
	cat, _ := Load(Shipped())
	for _, l := range cat.Lessons() {
		got := outline(l)
		file := filepath.Join("testdata", l.ID+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%v; run go test ./lessons -update", err)
			continue
		}
		if string(want) != got {
			t.Errorf("%s differs from %s; look at it, then run go test ./lessons -update\n%s", l.ID, file, firstDifference(string(want), got))
		}
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

func outline(l *Lesson) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s number %d, %d min, open %s, %s %s, labs %v, points %v\n%s\n%s\n", l.URL(), l.Kind, l.Number, l.Minutes, l.Open, l.Request.Method, l.Request.Path, l.Labs, l.Points, l.Title, l.Summary)
	for _, p := range l.Pieces {
		fmt.Fprintf(&b, "\n--- %s\n", p.Kind)
		switch p.Kind {
		case PieceProse:
			fmt.Fprintln(&b, p.HTML)
		case PieceTask:
			fmt.Fprintf(&b, "%d. %s\n%s\n", p.Task.N, p.Task.Title, p.Task.Body)
		case PieceHint:
			fmt.Fprintf(&b, "task %d hint %d\n%s\n", p.Hint.Task, p.Hint.N, p.Hint.HTML)
		case PieceLab:
			fmt.Fprintf(&b, "%s %v\n%s\n", p.Lab.Name, p.Lab.Args, p.Lab.HTML)
		case PieceQuestion:
			q := p.Question
			fmt.Fprintf(&b, "%s predict %v, kind %s, several %v\n%s\n", q.ID, q.Predict, q.Kind, q.Multiple, q.Ask)
			for _, o := range q.Options {
				fmt.Fprintf(&b, "right %v, partner %d: %s\n  %s\n", o.Right, o.Partner, o.HTML, o.Why)
			}
			if len(q.Options) == 0 {
				fmt.Fprintf(&b, "= %v%s ± %v %s, relative %v, axis %q %v to %v log %v\n", q.Right, q.Measure, q.Within, q.Unit, q.Relative, q.Axis, q.From, q.To, q.Log)
			}
			fmt.Fprintf(&b, "%v %s\n", q.Partners, q.Why)
		}
	}
	for _, n := range l.Notes {
		fmt.Fprintf(&b, "\nsource %s: %s (%s)", n.ID, n.Text, n.Label())
	}
	b.WriteString("\n")
	for _, d := range l.Diff {
		fmt.Fprintf(&b, "\ndiff %s +%d -%d", d.Path, d.Added, d.Removed)
	}
	b.WriteString("\n")
	return b.String()
}
