package view

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ClassesPage lists an instructor's classes.
type ClassesPage struct {
	Shell
	Classes []ClassRow
	Host    bool // the host's page is theirs too
	// OwnLessons: instructors may bring lessons here.
	OwnLessons bool
	Error      string
}

// ClassRow is one class in the list.
type ClassRow struct {
	ID       string
	Title    string
	Code     string
	Learners int
	Made     time.Time
	Ended    time.Time
}

// ClassPage is the live view of a class.
type ClassPage struct {
	Shell
	ID      string
	Title   string
	Code    string // "" once it has ended
	Ended   bool
	Heading string // stands for code, title and columns; the live view says when it changes
	Grid    Grid
	Burst   *Burst        // nil before the first
	Allowed int           // learners whose Workers a class burst may ask
	Lessons []BurstLesson // of the set, that a class burst can ask; the most Workers first
}

// BurstLesson is a lesson in which learners who allow class bursts have Workers.
type BurstLesson struct {
	ID, Title string
	Workers   int
}

// Grid is learners by tasks.
type Grid struct {
	Class   string // id
	Lessons []GridLesson
	Rows    []GridRow
	Order   string // help, name or progress
}

// GridLesson is a group of columns.
type GridLesson struct {
	ID      string
	Title   string
	Href    string
	Columns []GridColumn
}

// GridColumn is a task, a prediction or a quiz.
type GridColumn struct {
	Label string // 1, P, Q
	Name  string // task 1, predict, quiz
	Task  int    // 0 for a question
	Piece string // of a question, its id
}

// CellState is how a learner stands in a task.
type CellState string

// The states of a cell.
const (
	CellNone   CellState = "none" // not started
	CellTrying CellState = "try"
	CellStuck  CellState = "stuck" // trying for longer than five minutes
	CellPassed CellState = "pass"
)

// Cell is a learner in a task.
type Cell struct {
	State CellState
	Tries int
	First bool // of its lesson
}

// GridRow is one learner.
type GridRow struct {
	ID     string
	Name   string
	Href   string
	Hand   bool
	Here   bool
	Cells  []Cell
	Passed int           // tasks
	Stuck  time.Duration // longest; 0 for not stuck
	Last   string
	Place  string
}

// Equal reports whether two rows are drawn the same.
func (r GridRow) Equal(o GridRow) bool {
	return r.ID == o.ID && r.Name == o.Name && r.Href == o.Href && r.Hand == o.Hand && r.Here == o.Here && r.Passed == o.Passed && r.Stuck == o.Stuck &&
		r.Last == o.Last && r.Place == o.Place && slices.Equal(r.Cells, o.Cells)
}

// Sum is the line of figures over a grid.
type Sum struct{ Here, All, Passed, Stuck, Hands int }

// Sum adds a grid up.
func (g Grid) Sum() Sum {
	s := Sum{All: len(g.Rows)}
	for _, r := range g.Rows {
		s.Passed += r.Passed
		if r.Here {
			s.Here++
		}
		if r.Hand {
			s.Hands++
		}
		if r.Stuck > 0 {
			s.Stuck++
		}
	}
	return s
}

// LearnerPage is one learner as the instructor sees them.
type LearnerPage struct {
	Shell
	Class    string
	Title    string // of the class
	ID       string
	Name     string
	Joined   time.Time
	Hand     time.Time
	Row      GridRow
	Lessons  []GridLesson
	Projects []Link // by lesson; Href leads to this page with it open
	Project  string // title of the one shown; "" for none
	Lesson   string // its id
	Saved    time.Time
	Files    []File
	Notes    []NoteRow
	Others   []Link // learners to merge with; Href is the id
}

// FailuresPage shows how a class failed a task.
type FailuresPage struct {
	Shell
	Class  string
	Title  string // of the class
	Lesson Link
	Task   int
	Groups []FailureGroup
}

// FailureGroup is one message with the programs that caused it.
type FailureGroup struct {
	Message  string
	Learners int
	Programs []FailureProgram
}

// FailureProgram is who failed with which program.
type FailureProgram struct {
	Name  string
	Href  string
	Times int
	When  time.Time
	Files []File
}

// ClassSettingsPage changes a class.
type ClassSettingsPage struct {
	Shell
	ID     string
	Title  string
	Code   string
	Link   string
	Ended  bool
	Tracks []SetTrack
	// OwnLessons: instructors may bring lessons here.
	OwnLessons bool
	Roster     []RosterRow
}

// SetTrack is a track's lessons to choose from.
type SetTrack struct {
	Title   string
	Lessons []SetLesson
}

// SetLesson is one lesson of the set, or not.
type SetLesson struct {
	ID    string
	Title string
	In    bool
	Due   time.Time
}

// RosterRow is one learner to take out.
type RosterRow struct {
	ID     string
	Name   string
	Href   string
	Joined time.Time
	Seen   time.Time
}

// CodePage shows a join code large.
type CodePage struct {
	Shell
	ID    string
	Title string
	Code  string
	Link  string
}

// AnalyticsPage is what a class's lessons were like.
type AnalyticsPage struct {
	Shell
	ID      string
	Title   string
	All     int // learners
	Lessons []LessonFunnel
}

// LessonFunnel is how far learners came in one lesson.
type LessonFunnel struct {
	Title   string
	Href    string
	Steps   []FunnelStep
	Predict Share // predictions right at first
	Hints   int   // learners who opened one
}

// Share is a part of a whole.
type Share struct{ Part, Of int }

// FunnelStep is one task of a funnel.
type FunnelStep struct {
	Name    string
	Reached int           // learners
	Median  time.Duration // from the first try to passed; 0 when that was the first try, or nobody passed
	Hints   int           // learners who opened one
}

// Burst is what a class burst measured.
type Burst struct {
	When     time.Time
	Lesson   string
	Learners int
	Sent     int
	Failed   int
	Cold     []int64 // µs, sorted
	Warm     []int64
}

func classShell(s Shell, title string, crumbs ...Link) Shell {
	s.Title = title
	if s.Crumbs == nil {
		s.Crumbs = append([]Link{{"Classes", "/classes"}}, append(crumbs, Link{Text: title})...)
	}
	return s
}

func classLink(id, title string) Link { return Link{title, "/classes/" + id} }

// cellWords are the words of a cell for a screen reader, after its figure.
func cellWords(c Cell) string {
	switch c.State {
	case CellPassed:
		return "passed"
	case CellStuck:
		return tries(c.Tries) + ", stuck"
	case CellTrying:
		return tries(c.Tries)
	}
	return "not started"
}

func tries(n int) string {
	if n == 1 {
		return " try"
	}
	return " tries"
}

// span is a duration in whole minutes or hours: "11 min", "2 h".
func span(d time.Duration) string {
	switch {
	case d <= 0:
		return "–"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func failuresHref(class, lesson string, task int) string {
	return "/classes/" + class + "/errors/" + lesson + "/" + strconv.Itoa(task)
}

func (s Share) text() string {
	if s.Of == 0 {
		return "–"
	}
	return fmt.Sprintf("%d of %d", s.Part, s.Of)
}

// barWidth is a share as a width of the chart.
func barWidth(part, of int) string {
	if of == 0 {
		return "0%"
	}
	return fmt.Sprintf("%.2f%%", 100*float64(part)/float64(of))
}

// codeLines are a file's lines for a read-only view.
func codeLines(text string) []string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > 2000 {
		lines = append(lines[:2000], "… the rest is left out")
	}
	return lines
}

var gridOrders = []Link{{"needs help", "help"}, {"name", "name"}, {"progress", "progress"}}

func liveShell(p ClassPage) Shell {
	s := classShell(p.Shell, p.Title)
	if s.Script == "" && !p.Ended {
		s.Script = "class.js"
	}
	return s
}

// tookWords is how long a task took, for its row.
func tookWords(s FunnelStep) string {
	if s.Median == 0 && s.Reached > 0 && strings.HasPrefix(s.Name, "task") {
		return "at once"
	}
	return span(s.Median.Round(time.Second))
}
