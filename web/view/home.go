package view

import (
	"fmt"
	"strings"

	"coldstart/sandbox/trace"
	"coldstart/static"
)

func homeFoot(p HomePage) []Link {
	links := []Link{{"Labs", "/labs"}, {"Join a class", "/join"}, {"Glossary", "/glossary"}, {"Your progress", "/progress"}, {"Licences", static.Path("licenses.txt")}}
	if p.Docs != "" {
		links = append([]Link{{"How it works", p.Docs}}, links...)
	}
	return links
}

func homeShell(p HomePage) Shell {
	s := p.Shell
	if s.Script == "" {
		s.Script = "home.js"
	}
	if len(s.Crumbs) == 0 {
		s.Crumbs = []Link{{"Lessons", "#journey"}, {"Labs", "/labs"}, {"Glossary", "/glossary"}, {"Progress", "/progress"}}
		if p.Docs != "" {
			s.Crumbs = append(s.Crumbs, Link{"Docs", p.Docs})
		}
	}
	return s
}

func homeSum(p HomePage) string {
	ready := 0
	for _, t := range p.Tracks {
		for _, l := range t.Lessons {
			if l.State != Coming {
				ready++
			}
		}
	}
	if p.Done > 0 {
		return fmt.Sprintf("%d of %d done", p.Done, p.Total)
	}
	return fmt.Sprintf("%d of %d ready", ready, p.Total)
}

func trackSum(t Track) string {
	done, ready, all := 0, 0, 0
	for _, l := range t.Lessons {
		all += l.Minutes
		if l.State == Done {
			done++
		}
		if l.State != Coming {
			ready++
		}
	}
	switch {
	case ready == 0:
		return count(len(t.Lessons), "lesson") + ", coming"
	case ready < len(t.Lessons):
		return fmt.Sprintf("%d of %d ready · %s", ready, len(t.Lessons), minutes(all))
	}
	return fmt.Sprintf("%d of %d done · %s", done, len(t.Lessons), minutes(all))
}

// lessonBar places the i-th lesson on its track's line, as fractions of it.
func lessonBar(all []LessonRow, i int) (x, width float64) {
	const typical, gap = 10, 0.006 // minutes of a lesson that is still to come; between bars
	length := func(l LessonRow) int {
		if l.Minutes > 0 {
			return l.Minutes
		}
		return typical
	}
	total, before := 0, 0
	for k, l := range all {
		total += length(l)
		if k < i {
			before += length(l)
		}
	}
	whole := float64(max(total, 1))
	return float64(before) / whole, max(float64(length(all[i]))/whole-gap, minBar)
}

func lessonBarClass(l LessonRow) string {
	switch l.State {
	case Done:
		return "s-done"
	case Coming:
		return "s-coming"
	}
	return "s-todo"
}

type firstBar struct {
	name     string
	x, width float64
	took     int64
}

// firstBars divides a run's whole time into its phases.
func firstBars(s trace.Summary) []firstBar {
	whole := float64(max(s.Wall, 1))
	var bars []firstBar
	for _, sp := range s.Spans {
		if sp.End > sp.Start {
			bars = append(bars, firstBar{string(sp.Phase), float64(sp.Start) / whole, float64(sp.End-sp.Start) / whole, sp.End - sp.Start})
		}
	}
	return bars
}

func warmShare(f First) float64 {
	return min(max(float64(f.Warm.Wall)/float64(max(f.Cold.Wall, 1)), minBar), 1)
}

// phasesSay is a run for those who do not see its bars.
func phasesSay(name string, s trace.Summary) string {
	var parts []string
	for _, sp := range s.Spans {
		parts = append(parts, string(sp.Phase)+" "+Duration(sp.End-sp.Start))
	}
	return name + ": " + strings.Join(parts, ", ")
}
