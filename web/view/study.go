package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"coldstart/lessons"
)

// SearchPage is the search with what it found.
type SearchPage struct {
	Shell
	Query string
	Found lessons.Found
}

// GlossaryPage lists every term.
type GlossaryPage struct {
	Shell
	Terms []lessons.Term
}

// ProgressPage is what one learner has done, to look at and to take along.
type ProgressPage struct {
	Shell
	Tracks []ProgressTrack
	Done   int // lessons and challenges
	Total  int
	Points int // of challenges
	Most   int
}

// ProgressTrack is one track of a ProgressPage.
type ProgressTrack struct {
	Title string
	Rows  []ProgressRow
}

// ProgressRow is one lesson of a ProgressPage.
type ProgressRow struct {
	Title     string
	Href      string
	Challenge bool
	State     Progress
	Tasks     int // done
	Of        int
	Points    int // of a challenge, else 0 of 0
	Most      int
	Began     time.Time // zero: not yet
	Ended     time.Time
}

// PrintPage is a lesson for paper: its text, its starter, its sources.
type PrintPage struct {
	Shell
	Track   string
	Minutes int
	Parts   []Part
	Files   []File
	Sources []Source
	Back    string // address of the lesson
}

func studyShell(s Shell, title string) Shell {
	s.Title, s.Crumbs = title, []Link{{"Lessons", "/#journey"}, {Text: title}}
	return s
}

func searchSum(p SearchPage) string {
	switch n := len(p.Found.Hits); {
	case strings.TrimSpace(p.Query) == "":
		return "Titles, texts and tasks of every lesson, the words of the glossary, and the docs."
	case n == 0:
		return fmt.Sprintf("No lesson matches “%s”.", p.Query)
	default:
		return fmt.Sprintf("%s for “%s”.", count(n, "result"), p.Query)
	}
}

func hitKind(h lessons.Hit) string {
	if h.Kind == "term" {
		return "Glossary"
	}
	if h.Kind == "manual" {
		return h.Where
	}
	return h.Where + " · " + h.Kind
}

func progressSum(p ProgressPage) string {
	s := fmt.Sprintf("%d of %d done", p.Done, p.Total)
	if p.Most > 0 {
		s += fmt.Sprintf(", %d of %s in challenges", p.Points, count(p.Most, "point"))
	}
	return s + ". Kept on this server for this browser; there is no certificate, the code you wrote is yours."
}

func progressMark(r ProgressRow) mark {
	return lessonMark(LessonRow{State: r.State, Challenge: r.Challenge})
}

func day(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02")
}

func outOf(n, all int) string {
	if all == 0 {
		return "–"
	}
	return fmt.Sprintf("%d of %d", n, all)
}

func initials(terms []lessons.Term) []string {
	var out []string
	for _, t := range terms {
		if i := initial(t); !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

func initial(t lessons.Term) string { return strings.ToUpper(t.Name[:1]) }

// firstOf reports whether term i is the first of its letter.
func firstOf(terms []lessons.Term, i int) bool {
	return i == 0 || initial(terms[i]) != initial(terms[i-1])
}

func printShell(p PrintPage) Shell {
	s := p.Shell
	s.Crumbs = []Link{{p.Title, p.Back}, {Text: "On paper"}}
	return s
}

// Paper is a lesson for print. measures are the learner's own figures.
func Paper(l *lessons.Lesson, t *lessons.Text, by Learned) PrintPage {
	return PrintPage{
		Shell: Shell{Title: t.Title, Description: t.Summary, Lang: t.Lang}, Track: l.Track.Title, Minutes: l.Minutes,
		Parts: Parts(t, Learned{Measures: by.Measures, Figures: by.Figures}), Files: FilesOf(l.Starter, l.Open, nil), Sources: Sources(t.Notes), Back: l.URL(),
	}
}
