package web

import (
	"cmp"
	"context"
	"fmt"

	"coldstart/lessons"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/view"
)

// home is the front page: the tracks, and where this learner stands.
func (s *Site) home(c *call) error {
	ctx, x := c.r.Context(), c.session
	catalog, err := s.catalogFor(ctx, x)
	if err != nil {
		return err
	}
	p := view.HomePage{Shell: c.shell(), Docs: "/docs"}
	p.Description = "A playground that teaches serverless by running your code in real isolates and measuring it."
	known := standing{}
	if x.stored {
		if known, err = s.standing(ctx, x.workspace.ID, catalog); err != nil {
			return err
		}
	}
	langs := languages(c.r.Header.Get("Accept-Language"))
	p.Tracks = view.Tracks(catalog, func(l *lessons.Lesson, row *view.LessonRow) {
		row.Title = l.In(langs...).Title
		known.row(row, l)
		if row.State == view.Done {
			p.Done++
		}
		if p.Begin.Href == "" {
			p.Begin = view.Link{Text: "Begin with " + row.Title, Href: l.URL()}
		}
	})
	for _, t := range p.Tracks {
		p.Total += len(t.Lessons)
	}
	if l := catalog.ByID(known.last); l != nil {
		p.Resume = &view.Resume{Title: l.In(langs...).Title, Text: known.text(l), Href: l.URL()}
		first, err := s.first(ctx, x.workspace.ID, l)
		if err != nil {
			return err
		}
		p.First = first
	}
	return c.page(200, view.Home(p))
}

// standing is what one learner has done so far.
type standing struct {
	progress map[string]classroom.Progress
	passed   map[string]map[int]bool    // by lesson: tasks whose checks all passed
	mine     map[string]*lessons.Lesson // those that go on with an earlier revision
	bests    map[string]map[trace.Temperature]int64
	last     string // lesson of the newest save that is not done
}

func (s *Site) standing(ctx context.Context, workspace string, catalog *lessons.Catalog) (standing, error) {
	st := standing{passed: map[string]map[int]bool{}, mine: map[string]*lessons.Lesson{}, bests: map[string]map[trace.Temperature]int64{}}
	var err error
	if st.progress, err = s.config.Store.Progress(ctx, workspace); err != nil {
		return st, err
	}
	for id := range st.progress {
		if catalog.ByID(id) == nil {
			continue
		}
		checks, err := s.config.Store.Checks(ctx, workspace, id)
		if err != nil {
			return st, err
		}
		st.passed[id] = tasksPassed(checks)
	}
	bests, err := s.config.Store.Bests(ctx, workspace)
	if err != nil {
		return st, err
	}
	for _, b := range bests {
		if st.bests[b.Project] == nil {
			st.bests[b.Project] = map[trace.Temperature]int64{}
		}
		st.bests[b.Project][b.Temperature] = b.Wall
	}
	projects, err := s.config.Store.Projects(ctx, workspace)
	if err != nil {
		return st, err
	}
	for _, p := range projects {
		if l := catalog.ByID(p.Lesson); l != nil && p.ID == p.Lesson && p.LessonRevision != l.Hash {
			if st.mine[l.ID], err = s.begun(ctx, l, p.LessonRevision); err != nil {
				return st, err
			}
		}
	}
	for _, p := range projects {
		if p.Lesson != "" && st.progress[p.Lesson].Done.IsZero() && catalog.ByID(p.Lesson) != nil {
			st.last = p.Lesson
			break
		}
	}
	return st, nil
}

// tasksPassed are the tasks of which every check that ran passed.
func tasksPassed(checks []classroom.Check) map[int]bool {
	passed := map[int]bool{}
	for _, c := range checks {
		if c.Task == 0 {
			continue
		}
		before, seen := passed[c.Task]
		passed[c.Task] = c.Passed && (before || !seen)
	}
	return passed
}

// count is how many of a lesson's tasks are passed.
func count(passed map[int]bool, l *lessons.Lesson) (n int) {
	for _, t := range l.Tasks {
		if passed[t.N] {
			n++
		}
	}
	return n
}

// lesson is a lesson as the learner has it.
func (st standing) lesson(l *lessons.Lesson) *lessons.Lesson { return cmp.Or(st.mine[l.ID], l) }

func (st standing) row(row *view.LessonRow, l *lessons.Lesson) {
	l = st.lesson(l)
	progress, begun := st.progress[l.ID]
	if !begun {
		return
	}
	row.State = view.Started
	if !progress.Done.IsZero() {
		row.State = view.Done
	}
	if len(l.Tasks) > 0 {
		row.Part = float64(count(st.passed[l.ID], l)) / float64(len(l.Tasks))
	}
	row.Cold, row.Warm = st.bests[l.ID][trace.Cold], st.bests[l.ID][trace.Warm]
}

func (st standing) text(l *lessons.Lesson) string {
	l = st.lesson(l)
	if len(l.Tasks) == 0 {
		return "Begun."
	}
	return fmt.Sprintf("%d of %d tasks done.", count(st.passed[l.ID], l), len(l.Tasks))
}

// first is the newest cold run of a lesson's project and the newest warm one
// of the same request, nil without both.
func (s *Site) first(ctx context.Context, workspace string, l *lessons.Lesson) (*view.First, error) {
	runs, err := s.config.Store.Runs(ctx, workspace, l.ID, classroom.KeepRuns)
	if err != nil {
		return nil, err
	}
	for _, cold := range runs {
		if cold.Summary.Temperature != trace.Cold || cold.Summary.Outcome != "ok" {
			continue
		}
		for _, warm := range runs {
			if warm.Summary.Temperature == trace.Warm && warm.Summary.Outcome == "ok" && warm.Method == cold.Method && warm.Path == cold.Path {
				return &view.First{Cold: cold.Summary, Warm: warm.Summary, When: s.config.Now().Sub(cold.Ran), Href: l.URL()}, nil
			}
		}
	}
	return nil, nil
}
