package web

import (
	"cmp"
	"context"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"coldstart/lessons"
	"coldstart/web/classroom"
	"coldstart/web/view"
)

// When a learner counts as stuck in a task, and as here.
const (
	stuckAfter = 5 * time.Minute
	hereFor    = 10 * time.Minute
)

// assigned are the lessons of a class's set that the catalog has, in its order.
func (s *Site) assigned(class classroom.Class) []*lessons.Lesson {
	var out []*lessons.Lesson
	for _, a := range class.Lessons {
		if l := s.lessonByID(a.Lesson); l != nil {
			out = append(out, l)
		}
	}
	return out
}

// columns are a lesson's columns of the grid: predictions, tasks, quizzes.
func columns(l *lessons.Lesson) []view.GridColumn {
	var before, after, out []view.GridColumn
	for _, q := range l.Questions {
		if q.Predict {
			before = append(before, view.GridColumn{Label: numbered("P", len(before)), Name: numbered("prediction ", len(before)), Piece: q.ID})
		} else {
			after = append(after, view.GridColumn{Label: numbered("Q", len(after)), Name: numbered("quiz ", len(after)), Piece: q.ID})
		}
	}
	out = append(out, before...)
	for _, t := range l.Tasks {
		n := strconv.Itoa(t.N)
		out = append(out, view.GridColumn{Label: n, Name: "task " + n, Task: t.N})
	}
	return append(out, after...)
}

func numbered(name string, before int) string {
	if before == 0 {
		return strings.TrimSpace(name)
	}
	return name + strconv.Itoa(before+1)
}

func gridLessons(all []*lessons.Lesson) []view.GridLesson {
	var out []view.GridLesson
	for _, l := range all {
		out = append(out, view.GridLesson{ID: l.ID, Title: l.Title, Href: l.URL(), Columns: columns(l)})
	}
	return out
}

// classHeading stands for what a class's page shows beside its rows: code,
// title, columns. A page that shows another one is out of date.
func classHeading(class classroom.Class, all []view.GridLesson) string {
	h := fnv.New64a()
	text := func(s string) { _, _ = h.Write(append([]byte(s), 0)) }
	text(class.Title)
	text(strconv.FormatInt(class.CodeNumber, 10))
	text(strconv.FormatBool(class.Ended.IsZero()))
	for _, l := range all {
		text(l.ID)
		text(l.Title)
		text(l.Href)
		for _, col := range l.Columns {
			text(col.Label)
		}
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// cell is how a learner stands in one column. It is what the CSV says too. The
// second result is since when they try without passing.
func cell(w *classroom.Work, col view.GridColumn, now time.Time) (view.Cell, time.Time) {
	out := view.Cell{State: view.CellNone}
	if w == nil {
		return out, time.Time{}
	}
	if col.Task == 0 {
		for _, a := range w.Answers {
			if a.Piece == col.Piece {
				out.State, out.Tries = view.CellTrying, a.Tries
				if a.Correct {
					out.State = view.CellPassed
				}
			}
		}
		return out, time.Time{}
	}
	var began time.Time
	if passed, seen := tasksPassed(w.Checks)[col.Task]; !seen {
		return out, began
	} else if passed {
		out.State = view.CellPassed
	}
	for _, check := range w.Checks {
		if check.Task != col.Task {
			continue
		}
		out.Tries = max(out.Tries, check.Tries)
		if !check.Passed && (began.IsZero() || check.Began.Before(began)) {
			began = check.Began
		}
	}
	if out.State == view.CellPassed {
		return out, time.Time{}
	}
	out.State = view.CellTrying
	if now.Sub(began) > stuckAfter {
		out.State = view.CellStuck
	}
	return out, began
}

// gridRow is one learner of the grid.
func gridRow(class string, m classroom.Member, work map[string]*classroom.Work, all []view.GridLesson, now time.Time) view.GridRow {
	row := view.GridRow{
		ID: m.ID, Name: m.Nickname, Href: "/classes/" + class + "/members/" + m.ID, Hand: !m.Hand.IsZero(),
		Here: !m.Seen.IsZero() && now.Sub(m.Seen) < hereFor, Last: m.Last, Place: m.Place,
	}
	for _, l := range all {
		shown := map[int]bool{}
		one := func(col view.GridColumn) view.Cell {
			shown[col.Task] = true
			c, since := cell(work[l.ID], col, now)
			if c.State == view.CellPassed && col.Task > 0 {
				row.Passed++
			}
			if c.State == view.CellStuck {
				row.Stuck = max(row.Stuck, now.Sub(since))
			}
			return c
		}
		for i, col := range l.Columns {
			c := one(col)
			c.First = i == 0
			row.Cells = append(row.Cells, c)
		}
		// A draft of an earlier revision may have tasks that have no column; they count as well.
		if w := work[l.ID]; w != nil {
			for task := range tasksPassed(w.Checks) {
				if !shown[task] {
					one(view.GridColumn{Task: task})
				}
			}
		}
	}
	row.Stuck = row.Stuck.Truncate(time.Minute) // as it is shown
	return row
}

// grid draws a class up from the store.
func (s *Site) grid(ctx context.Context, class classroom.Class, order string) (view.Grid, []classroom.Member, error) {
	members, err := s.config.Store.Members(ctx, class.ID)
	if err != nil {
		return view.Grid{}, nil, err
	}
	work, err := s.config.Store.WorkOf(ctx, class.ID, classroom.WorkFilter{})
	if err != nil {
		return view.Grid{}, nil, err
	}
	g := view.Grid{Class: class.ID, Lessons: gridLessons(s.assigned(class)), Order: order}
	now := s.config.Now()
	for _, m := range members {
		g.Rows = append(g.Rows, gridRow(class.ID, m, work[m.Workspace], g.Lessons, now))
	}
	sortRows(g.Rows, order)
	return g, members, nil
}

// sortRows orders learners: raised hands and the longest stuck first, or by
// name, or by what they passed.
func sortRows(rows []view.GridRow, order string) {
	name := func(a, b view.GridRow) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	}
	slices.SortFunc(rows, func(a, b view.GridRow) int {
		switch order {
		case "name":
			return name(a, b)
		case "progress":
			return cmp.Or(cmp.Compare(b.Passed, a.Passed), name(a, b))
		}
		hand := func(r view.GridRow) int {
			if r.Hand {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(hand(a), hand(b)), cmp.Compare(b.Stuck, a.Stuck), name(a, b))
	})
}

func gridOrder(asked string) string {
	if asked == "name" || asked == "progress" {
		return asked
	}
	return "help"
}
