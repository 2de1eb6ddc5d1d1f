package web

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"coldstart/lessons"
	"coldstart/web/classroom"
	"coldstart/web/view"
)

// teacher reports whether a workspace may have classes.
func teacher(w classroom.Workspace) bool {
	return w.Role == classroom.RoleInstructor || w.Role == classroom.RoleHost
}

// class is the one that the address names, if it is this instructor's.
func (c *call) class() (classroom.Class, error) {
	class, err := c.site.config.Store.Class(c.r.Context(), c.param("class"))
	if err == nil && class.Owner == c.session.workspace.ID {
		return class, nil
	}
	if err != nil && !errors.Is(err, classroom.ErrNotFound) {
		return class, err
	}
	return class, fail(http.StatusNotFound, "There is no class of yours at this address.")
}

// classMember is the learner that the address names, in this instructor's class.
func (c *call) classMember() (classroom.Class, classroom.Member, error) {
	class, err := c.class()
	if err != nil {
		return class, classroom.Member{}, err
	}
	m, err := c.site.config.Store.Member(c.r.Context(), class.ID, c.param("member"))
	if errors.Is(err, classroom.ErrNotFound) {
		return class, m, fail(http.StatusNotFound, "That learner is not in this class.")
	}
	return class, m, err
}

func (s *Site) classesPage(c *call) error {
	return s.showClasses(c, http.StatusOK, "")
}

func (s *Site) showClasses(c *call, status int, wrong string) error {
	classes, err := s.config.Store.Classes(c.r.Context(), c.session.workspace.ID)
	if err != nil {
		return err
	}
	p := view.ClassesPage{Shell: c.shell(), OwnLessons: s.config.ReadLessons != nil, Host: c.session.workspace.Role == classroom.RoleHost, Error: wrong}
	for _, class := range classes {
		members, err := s.config.Store.Members(c.r.Context(), class.ID)
		if err != nil {
			return err
		}
		p.Classes = append(p.Classes, view.ClassRow{
			ID: class.ID, Title: class.Title, Code: s.code(class.ID, class.CodeNumber), Learners: len(members), Made: class.Created, Ended: class.Ended,
		})
	}
	return c.page(status, view.Classes(p))
}

// classTitle is a typed title, "" when it cannot be used.
func classTitle(typed string) string {
	title, _ := nickname(strings.ReplaceAll(typed, "\u00a0", " "))
	if title == "" {
		title = strings.Join(strings.Fields(typed), " ")
	}
	if utf8.RuneCountInString(title) > 80 {
		return ""
	}
	return title
}

func (s *Site) classCreate(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	title := classTitle(form.Get("title"))
	if title == "" {
		return s.showClasses(c, http.StatusUnprocessableEntity, "A class's title has 1 to 80 characters.")
	}
	// A new class begins with the first track; the settings change that.
	var set []classroom.Assignment
	if tracks := s.catalog.Load().Tracks; len(tracks) > 0 {
		for _, l := range tracks[0].Lessons() {
			set = append(set, classroom.Assignment{Lesson: l.ID})
		}
	}
	class, err := s.config.Store.CreateClass(c.r.Context(), c.session.workspace.ID, title, set)
	if errors.Is(err, classroom.ErrCrowded) {
		return s.showClasses(c, http.StatusConflict, fmt.Sprintf("You have %d classes, the most one instructor may keep.", classroom.MaxClasses))
	}
	if err != nil {
		return err
	}
	if err := s.newCode(c.r.Context(), class); err != nil {
		return err
	}
	c.deed.Class = class.ID
	return c.seeOther("/classes/" + class.ID)
}

func (s *Site) classPage(c *call) error {
	class, err := c.class()
	if err != nil {
		return err
	}
	g, members, err := s.grid(c.r.Context(), class, gridOrder(c.r.URL.Query().Get("order")))
	if err != nil {
		return err
	}
	p := view.ClassPage{Shell: c.shell(), ID: class.ID, Title: class.Title, Ended: !class.Ended.IsZero(), Heading: classHeading(class, g.Lessons), Grid: g, Burst: s.burstView(class)}
	if !p.Ended {
		p.Code = s.code(class.ID, class.CodeNumber)
	}
	for _, m := range members {
		if m.Burst {
			p.Allowed++
		}
	}
	workers, err := s.config.Store.BurstWorkers(c.r.Context(), class.ID)
	if err != nil {
		return err
	}
	for _, l := range s.assigned(class) {
		if n := workers[l.ID]; n > 0 {
			p.Lessons = append(p.Lessons, view.BurstLesson{ID: l.ID, Title: l.Title, Workers: n})
		}
	}
	slices.SortStableFunc(p.Lessons, func(a, b view.BurstLesson) int { return cmp.Compare(b.Workers, a.Workers) })
	return c.page(http.StatusOK, view.ClassView(p))
}

// classCode shows the join code large.
func (s *Site) classCode(c *call) error {
	class, err := c.class()
	if err != nil {
		return err
	}
	if !class.Ended.IsZero() {
		return fail(http.StatusGone, "This class has ended; no code opens it.")
	}
	code := s.code(class.ID, class.CodeNumber)
	return c.page(http.StatusOK, view.Code(view.CodePage{Shell: c.shell(), ID: class.ID, Title: class.Title, Code: code, Link: s.codeLink(c, code)}))
}

func (s *Site) codeLink(c *call, code string) string {
	return s.base(c.r) + "/j/" + view.CodeText(code)
}

func (s *Site) classRotate(c *call) error {
	class, err := c.class()
	if err != nil {
		return err
	}
	if err := s.newCode(c.r.Context(), class); err != nil {
		return err
	}
	s.classChanged(class.ID)
	return c.seeOther("/classes/" + class.ID + "/settings")
}

func (s *Site) classSettings(c *call) error {
	class, err := c.class()
	if err != nil {
		return err
	}
	members, err := s.config.Store.Members(c.r.Context(), class.ID)
	if err != nil {
		return err
	}
	p := view.ClassSettingsPage{Shell: c.shell(), OwnLessons: s.config.ReadLessons != nil, ID: class.ID, Title: class.Title, Ended: !class.Ended.IsZero()}
	if !p.Ended {
		p.Code = s.code(class.ID, class.CodeNumber)
		p.Link = s.codeLink(c, p.Code)
	}
	in := map[string]classroom.Assignment{}
	for _, a := range class.Lessons {
		in[a.Lesson] = a
	}
	for _, t := range s.catalogOf(class.Owner).Tracks {
		track := view.SetTrack{Title: t.Title}
		for _, l := range t.Lessons() {
			a, chosen := in[l.ID]
			track.Lessons = append(track.Lessons, view.SetLesson{ID: l.ID, Title: l.Title, In: chosen, Due: due(a)})
		}
		if len(track.Lessons) > 0 {
			p.Tracks = append(p.Tracks, track)
		}
	}
	for _, m := range members {
		p.Roster = append(p.Roster, view.RosterRow{ID: m.ID, Name: m.Nickname, Href: "/classes/" + class.ID + "/members/" + m.ID, Joined: m.Joined, Seen: m.Seen})
	}
	return c.page(http.StatusOK, view.ClassSettings(p))
}

func (s *Site) classSet(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	class, err := c.class()
	if err != nil {
		return err
	}
	title := classTitle(form.Get("title"))
	if title == "" {
		return fail(http.StatusBadRequest, "A class's title has 1 to 80 characters.")
	}
	chosen := form["lesson"]
	var set []classroom.Assignment
	for _, l := range s.catalogOf(class.Owner).Lessons() {
		if !slices.Contains(chosen, l.ID) {
			continue
		}
		a := classroom.Assignment{Lesson: l.ID}
		if day := form.Get("due:" + l.ID); day != "" {
			t, err := time.Parse("2006-01-02", day)
			if err != nil {
				return fail(http.StatusBadRequest, "The due date of %s is not a date. Write it as 2027-01-31.", l.Title)
			}
			a.Due = t.Add(24*time.Hour - time.Second).UnixMilli()
		}
		set = append(set, a)
	}
	if err := s.config.Store.SetClass(c.r.Context(), class.ID, title, set); err != nil {
		return err
	}
	s.classChanged(class.ID)
	return c.seeOther("/classes/" + class.ID)
}

func (s *Site) classEnd(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	class, err := c.class()
	if err != nil {
		return err
	}
	if form.Get("sure") != "yes" {
		return fail(http.StatusBadRequest, "Tick the box first: the class ends for everybody.")
	}
	members, err := s.config.Store.Members(c.r.Context(), class.ID)
	if err != nil {
		return err
	}
	if err := s.config.Store.EndClass(c.r.Context(), class.ID); err != nil {
		return err
	}
	s.classChanged(class.ID)
	for _, m := range members {
		s.news(m.Workspace)
	}
	return c.seeOther("/classes/" + class.ID)
}

// classLearner is one learner with their code, read-only.
func (s *Site) classLearner(c *call) error {
	class, m, err := c.classMember()
	if err != nil {
		return err
	}
	ctx, store := c.r.Context(), s.config.Store
	work, err := store.WorkOf(ctx, class.ID, classroom.WorkFilter{Workspaces: []string{m.Workspace}})
	if err != nil {
		return err
	}
	all := gridLessons(s.assigned(class))
	p := view.LearnerPage{
		Shell: c.shell(), Class: class.ID, Title: class.Title, ID: m.ID, Name: m.Nickname, Joined: m.Joined, Hand: m.Hand,
		Row: gridRow(class.ID, m, work[m.Workspace], all, s.config.Now()), Lessons: all,
	}
	// Their code in the class's lessons; what else they make is theirs alone.
	projects, err := store.Projects(ctx, m.Workspace)
	if err != nil {
		return err
	}
	asked := c.r.URL.Query().Get("lesson")
	var shown string
	for _, project := range projects {
		l := s.lessonByID(project.Lesson)
		if l == nil || !slices.ContainsFunc(class.Lessons, func(a classroom.Assignment) bool { return a.Lesson == l.ID }) || project.ID != l.ID {
			continue
		}
		p.Projects = append(p.Projects, view.Link{Text: l.Title, Href: p.Row.Href + "?lesson=" + l.ID})
		if shown == "" || l.ID == asked {
			shown, p.Project, p.Lesson, p.Saved = project.ID, l.Title, l.ID, project.Saved
		}
	}
	if shown != "" {
		project, err := store.Project(ctx, m.Workspace, shown, 0)
		if err != nil {
			return err
		}
		p.Files = view.FilesOf(project.Files, "", nil)
	}
	notes, err := store.Notes(ctx, class.ID, m.ID)
	if err != nil {
		return err
	}
	p.Notes = s.noteRows(notes)
	members, err := store.Members(ctx, class.ID)
	if err != nil {
		return err
	}
	for _, o := range members {
		if o.ID != m.ID {
			p.Others = append(p.Others, view.Link{Text: o.Nickname, Href: o.ID})
		}
	}
	return c.page(http.StatusOK, view.Learner(p))
}

func (s *Site) learnerNote(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	class, m, err := c.classMember()
	if err != nil {
		return err
	}
	note := strings.TrimSpace(unixLines(form.Get("text")))
	if note == "" || utf8.RuneCountInString(note) > 2000 || !utf8.ValidString(note) {
		return fail(http.StatusBadRequest, "A note has 1 to 2000 characters.")
	}
	lesson := ""
	if l := s.lessonByID(form.Get("lesson")); l != nil {
		lesson = l.ID
	}
	if err := s.config.Store.SendNote(c.r.Context(), class.ID, m.ID, lesson, note); err != nil {
		return err
	}
	s.news(m.Workspace)
	return c.seeOther("/classes/" + class.ID + "/members/" + m.ID)
}

func (s *Site) learnerHand(c *call) error {
	class, m, err := c.classMember()
	if err != nil {
		return err
	}
	if err := s.config.Store.RaiseHand(c.r.Context(), class.ID, m.ID, false); err != nil {
		return err
	}
	s.news(m.Workspace)
	s.touched(m.Workspace, noLesson)
	return c.seeOther("/classes/" + class.ID + "/members/" + m.ID)
}

func (s *Site) learnerRemove(c *call) error {
	class, m, err := c.classMember()
	if err != nil {
		return err
	}
	if err := s.config.Store.RemoveMember(c.r.Context(), class.ID, m.ID); err != nil {
		return err
	}
	s.news(m.Workspace)
	s.classChanged(class.ID)
	return c.seeOther("/classes/" + class.ID)
}

func (s *Site) learnerMerge(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	class, m, err := c.classMember()
	if err != nil {
		return err
	}
	projects, err := s.config.Store.Projects(c.r.Context(), m.Workspace)
	if err != nil {
		return err
	}
	_, err = s.config.Store.Merge(c.r.Context(), class.ID, m.ID, form.Get("into"))
	if errors.Is(err, classroom.ErrNotFound) {
		return fail(http.StatusBadRequest, "Choose another learner of this class.")
	}
	if errors.Is(err, classroom.ErrElsewhere) {
		return fail(http.StatusConflict, "One of them is in another class too, or has an account, so they cannot be put together here.")
	}
	if err != nil {
		return err
	}
	c.deed.Other = form.Get("into")
	s.forgetWorkers(projects)
	s.classChanged(class.ID)
	return c.seeOther("/classes/" + class.ID + "/members/" + form.Get("into"))
}

// maxFailures is how many failed programs one page shows.
const maxFailures = 300

// classFailures shows how a task was failed, with the programs.
func (s *Site) classFailures(c *call) error {
	class, err := c.class()
	if err != nil {
		return err
	}
	l := s.lessonByID(c.param("lesson"))
	task, err := strconv.Atoi(c.param("task"))
	if l == nil || err != nil {
		return fail(http.StatusNotFound, "The lesson has no such task.")
	}
	failures, err := s.config.Store.Failures(c.r.Context(), class.ID, l.ID, task, maxFailures)
	if err != nil {
		return err
	}
	members, err := s.config.Store.Members(c.r.Context(), class.ID)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, m := range members {
		names[m.ID] = m.Nickname
	}
	groups := map[string]*view.FailureGroup{}
	for _, f := range failures {
		g := groups[f.Message]
		if g == nil {
			g = &view.FailureGroup{Message: f.Message}
			groups[f.Message] = g
		}
		g.Programs = append(g.Programs, view.FailureProgram{
			Name: names[f.Member], Href: "/classes/" + class.ID + "/members/" + f.Member + "?lesson=" + l.ID, Times: f.Times, When: f.Failed, Files: view.FilesOf(f.Program, "", nil),
		})
	}
	p := view.FailuresPage{Shell: c.shell(), Class: class.ID, Title: class.Title, Lesson: view.Link{Text: l.Title, Href: l.URL()}, Task: task}
	for _, g := range groups {
		who := map[string]bool{}
		for _, x := range g.Programs {
			who[x.Href] = true
		}
		g.Learners = len(who)
		p.Groups = append(p.Groups, *g)
	}
	slices.SortFunc(p.Groups, func(a, b view.FailureGroup) int {
		return cmp.Or(cmp.Compare(b.Learners, a.Learners), strings.Compare(a.Message, b.Message))
	})
	return c.page(http.StatusOK, view.Failures(p))
}

// classCSV is what the grid shows: one row a learner, one column a task.
func (s *Site) classCSV(c *call) error {
	class, err := c.class()
	if err != nil {
		return err
	}
	g, _, err := s.grid(c.r.Context(), class, "name")
	if err != nil {
		return err
	}
	head := []string{"learner"}
	for _, l := range g.Lessons {
		for _, col := range l.Columns {
			head = append(head, csvCell(l.Title+": "+col.Name))
		}
	}
	table := [][]string{append(head, "tasks_passed")}
	for _, r := range g.Rows {
		row := []string{csvCell(r.Name)}
		for _, x := range r.Cells {
			row = append(row, cellText(x))
		}
		table = append(table, append(row, strconv.Itoa(r.Passed)))
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(table); err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="class-`+class.ID+`.csv"`)
	return c.send(http.StatusOK, "text/csv; charset=utf-8", b.Bytes())
}

// cellText is a cell for a table of grades; stuck is a matter of the moment.
func cellText(x view.Cell) string {
	switch x.State {
	case view.CellPassed:
		return "passed"
	case view.CellTrying, view.CellStuck:
		return fmt.Sprintf("tried %d", x.Tries)
	}
	return ""
}

type classJSON struct {
	Made     time.Time     `json:"made"`
	Title    string        `json:"title"`
	Created  *time.Time    `json:"created"`
	Ended    *time.Time    `json:"ended,omitempty"`
	Lessons  []setJSON     `json:"lessons"`
	Learners []learnerJSON `json:"learners"`
}

type setJSON struct {
	ID    string     `json:"id"`
	Title string     `json:"title"`
	Due   *time.Time `json:"due,omitempty"`
}

type learnerJSON struct {
	ID       string                `json:"id"`
	Nickname string                `json:"nickname"`
	Joined   *time.Time            `json:"joined"`
	Seen     *time.Time            `json:"seen,omitempty"`
	Passed   int                   `json:"tasks_passed"`
	Lessons  map[string]lessonJSON `json:"lessons"`
	Notes    []noteJSON            `json:"notes"`
}

type lessonJSON struct {
	Begun   *time.Time        `json:"begun,omitempty"`
	Done    *time.Time        `json:"done,omitempty"`
	Cells   map[string]string `json:"cells"` // by column, as in the CSV
	Checks  []checkJSON       `json:"checks"`
	Answers []answerJSON      `json:"answers"`
	Hints   map[int]int       `json:"hints"` // opened, by task
	Files   map[string]string `json:"files,omitempty"`
	Binary  map[string][]byte `json:"files_base64,omitempty"`
}

type checkJSON struct {
	Name   string     `json:"name"`
	Task   int        `json:"task"`
	Passed bool       `json:"passed"`
	Tries  int        `json:"tries"`
	Began  *time.Time `json:"began"`
	First  *time.Time `json:"first_passed,omitempty"`
}

type answerJSON struct {
	Piece string `json:"piece"`
	Right bool   `json:"right"`
	First bool   `json:"first_right"`
	Tries int    `json:"tries"`
}

type noteJSON struct {
	Lesson string     `json:"lesson,omitempty"`
	Text   string     `json:"text"`
	Sent   *time.Time `json:"sent"`
	Read   *time.Time `json:"read,omitempty"`
}

// classJSON is everything the class knows of its lessons.
func (s *Site) classJSON(c *call) error {
	class, err := c.class()
	if err != nil {
		return err
	}
	ctx, store := c.r.Context(), s.config.Store
	g, members, err := s.grid(ctx, class, "name")
	if err != nil {
		return err
	}
	work, err := store.WorkOf(ctx, class.ID, classroom.WorkFilter{})
	if err != nil {
		return err
	}
	out := classJSON{Made: s.config.Now().UTC(), Title: class.Title, Created: moment(class.Created), Ended: moment(class.Ended), Lessons: []setJSON{}, Learners: []learnerJSON{}}
	dues := map[string]time.Time{}
	for _, a := range class.Lessons {
		dues[a.Lesson] = due(a)
	}
	for _, l := range g.Lessons {
		out.Lessons = append(out.Lessons, setJSON{ID: l.ID, Title: l.Title, Due: moment(dues[l.ID])})
	}
	for _, row := range g.Rows {
		m := members[slices.IndexFunc(members, func(m classroom.Member) bool { return m.ID == row.ID })]
		one := learnerJSON{ID: m.ID, Nickname: m.Nickname, Joined: moment(m.Joined), Seen: moment(m.Seen), Passed: row.Passed, Lessons: map[string]lessonJSON{}, Notes: []noteJSON{}}
		notes, err := store.Notes(ctx, class.ID, m.ID)
		if err != nil {
			return err
		}
		for _, n := range notes {
			one.Notes = append(one.Notes, noteJSON{n.Lesson, n.Text, moment(n.Sent), moment(n.Read)})
		}
		at := 0
		for _, l := range g.Lessons {
			entry := lessonJSON{Cells: map[string]string{}, Checks: []checkJSON{}, Answers: []answerJSON{}, Hints: map[int]int{}}
			for _, col := range l.Columns {
				entry.Cells[col.Name] = cellText(row.Cells[at])
				at++
			}
			if w := work[m.Workspace][l.ID]; w != nil {
				entry.Begun, entry.Done, entry.Hints = moment(w.Started), moment(w.Done), w.Hints
				for _, k := range w.Checks {
					entry.Checks = append(entry.Checks, checkJSON{k.Name, k.Task, k.Passed, k.Tries, moment(k.Began), moment(k.PassedAt)})
				}
				for _, a := range w.Answers {
					entry.Answers = append(entry.Answers, answerJSON{a.Piece, a.Correct, a.FirstCorrect, a.Tries})
				}
			}
			p, err := store.Project(ctx, m.Workspace, l.ID, 0)
			if err == nil {
				entry.Files, entry.Binary = split(p.Files)
			} else if !errors.Is(err, classroom.ErrNotFound) {
				return err
			}
			one.Lessons[l.ID] = entry
		}
		out.Learners = append(out.Learners, one)
	}
	data, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="class-`+class.ID+`.json"`)
	return c.send(http.StatusOK, "application/json", data)
}

// classAnalytics is how the lessons of a class went.
func (s *Site) classAnalytics(c *call) error {
	class, err := c.class()
	if err != nil {
		return err
	}
	members, err := s.config.Store.Members(c.r.Context(), class.ID)
	if err != nil {
		return err
	}
	work, err := s.config.Store.WorkOf(c.r.Context(), class.ID, classroom.WorkFilter{})
	if err != nil {
		return err
	}
	p := view.AnalyticsPage{Shell: c.shell(), ID: class.ID, Title: class.Title, All: len(members)}
	for _, l := range s.assigned(class) {
		var all []*classroom.Work
		for _, m := range members {
			if w := work[m.Workspace][l.ID]; w != nil {
				all = append(all, w)
			}
		}
		p.Lessons = append(p.Lessons, funnel(l, all))
	}
	return c.page(http.StatusOK, view.Analytics(p))
}

// funnel sums up what learners did in one lesson.
func funnel(l *lessons.Lesson, all []*classroom.Work) view.LessonFunnel {
	f := view.LessonFunnel{Title: l.Title, Href: l.URL(), Steps: []view.FunnelStep{{Name: "begun", Reached: len(all)}}}
	predictions := map[string]bool{}
	for _, q := range l.Questions {
		if q.Predict {
			predictions[q.ID] = true
		}
	}
	for _, w := range all {
		if len(w.Hints) > 0 {
			f.Hints++
		}
		for _, a := range w.Answers {
			if predictions[a.Piece] {
				f.Predict.Of++
				if a.FirstCorrect {
					f.Predict.Part++
				}
			}
		}
	}
	for _, t := range l.Tasks {
		step := view.FunnelStep{Name: fmt.Sprintf("task %d", t.N)}
		var took []time.Duration
		for _, w := range all {
			if w.Hints[t.N] > 0 {
				step.Hints++
			}
			if !tasksPassed(w.Checks)[t.N] {
				continue
			}
			step.Reached++
			var began, ended time.Time
			for _, k := range w.Checks {
				if k.Task != t.N {
					continue
				}
				if began.IsZero() || k.Began.Before(began) {
					began = k.Began
				}
				if k.PassedAt.After(ended) {
					ended = k.PassedAt
				}
			}
			took = append(took, max(0, ended.Sub(began))) // 0 for the first try
		}
		if len(took) > 0 {
			slices.Sort(took)
			step.Median = took[(len(took)-1)/2]
		}
		f.Steps = append(f.Steps, step)
	}
	done := view.FunnelStep{Name: "done"}
	for _, w := range all {
		if !w.Done.IsZero() {
			done.Reached++
		}
	}
	f.Steps = append(f.Steps, done)
	return f
}
