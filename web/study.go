package web

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strconv"
	"time"

	"coldstart/lessons"
	"coldstart/web/view"
)

// query is what the visitor looks for, as far as a search reads it.
func (c *call) query() string {
	q := printable(c.r.URL.Query().Get("q"))
	return q[:min(len(q), lessons.MaxQuery)]
}

// searchPage is the search for browsers with and without scripts.
func (s *Site) searchPage(c *call) error {
	p := view.SearchPage{Shell: c.shell(), Query: c.query()}
	p.Found = s.catalog.Load().Search(p.Query)
	return c.page(http.StatusOK, view.Search(p))
}

// hitJSON is one result of the search.
type hitJSON struct {
	Kind  string `json:"kind"`
	Title string `json:"title"`
	Href  string `json:"href"`
	Where string `json:"where"`
	Text  string `json:"text"`
}

// maxFound is how many results the search's sheet is sent; the page has all.
const maxFound = 8

func (s *Site) searchJSON(c *call) error {
	q := c.query()
	found := s.catalog.Load().Search(q)
	hits := []hitJSON{}
	for _, h := range found.Hits[:min(len(found.Hits), maxFound)] {
		hits = append(hits, hitJSON(h))
	}
	return c.json(http.StatusOK, map[string]any{"query": q, "hits": hits, "all": len(found.Hits), "near": found.Near})
}

func (s *Site) glossaryPage(c *call) error {
	p := view.GlossaryPage{Shell: c.shell()}
	p.Terms, _ = s.catalog.Load().GlossaryIn(languages(c.r.Header.Get("Accept-Language"))...)
	return c.page(http.StatusOK, view.Glossary(p))
}

// lessonPrint is a lesson for paper, with the learner's own figures in it.
func (s *Site) lessonPrint(c *call) error {
	x, err := s.studying(c)
	if err != nil {
		return err
	}
	p := view.Paper(x.lesson, x.text, x.learned())
	title, description, lang := p.Title, p.Description, p.Lang
	p.Shell = c.shell()
	p.Title, p.Description, p.Lang = title, description, lang
	return c.page(http.StatusOK, view.Print(p))
}

// progress is what this learner has done; a newcomer's is empty.
func (s *Site) progress(c *call) (view.ProgressPage, error) {
	p := view.ProgressPage{Shell: c.shell()}
	known := standing{}
	catalog, err := s.catalogFor(c.r.Context(), c.session)
	if err != nil {
		return p, err
	}
	if c.session.stored {
		if known, err = s.standing(c.r.Context(), c.session.workspace.ID, catalog); err != nil {
			return p, err
		}
	}
	langs := languages(c.r.Header.Get("Accept-Language"))
	for _, t := range catalog.Tracks {
		track := view.ProgressTrack{Title: t.Title}
		for _, e := range t.Entries {
			row := view.ProgressRow{Title: e.Title, Challenge: e.Kind == "challenge", State: view.Coming}
			if l := e.Lesson; l != nil {
				l = known.lesson(l)
				row.Title = l.In(langs...).Title
				var state view.LessonRow
				known.row(&state, l)
				progress := known.progress[l.ID]
				row.Href, row.State, row.Began, row.Ended = l.URL(), state.State, progress.Started, progress.Done
				if row.State == "" {
					row.State = view.Unseen
				}
				row.Tasks, row.Of, row.Most = count(known.passed[l.ID], l), len(l.Tasks), l.Total()
				row.Points = points(l, known.passed[l.ID])
			}
			p.Total++
			if row.State == view.Done {
				p.Done++
			}
			p.Points += row.Points
			p.Most += row.Most
			track.Rows = append(track.Rows, row)
		}
		p.Tracks = append(p.Tracks, track)
	}
	return p, nil
}

// points are those of a challenge's tasks whose checks all pass.
func points(l *lessons.Lesson, passed map[int]bool) (sum int) {
	for _, t := range l.Tasks {
		if passed[t.N] {
			sum += t.Points
		}
	}
	return sum
}

func (s *Site) progressPage(c *call) error {
	p, err := s.progress(c)
	if err != nil {
		return err
	}
	return c.page(http.StatusOK, view.ProgressView(p))
}

// progressRow is one lesson of the progress that a learner takes along.
type progressRow struct {
	Track  string     `json:"track"`
	Title  string     `json:"title"`
	Kind   string     `json:"kind"`
	State  string     `json:"state"`
	Tasks  int        `json:"tasks_done"`
	Of     int        `json:"tasks"`
	Points int        `json:"points"`
	Most   int        `json:"points_possible"`
	Began  *time.Time `json:"begun,omitempty"`
	Ended  *time.Time `json:"done,omitempty"`
}

func progressRows(p view.ProgressPage) []progressRow {
	rows := []progressRow{}
	for _, t := range p.Tracks {
		for _, r := range t.Rows {
			row := progressRow{Track: t.Title, Title: r.Title, Kind: "lesson", State: string(r.State), Tasks: r.Tasks, Of: r.Of, Points: r.Points, Most: r.Most, Began: moment(r.Began), Ended: moment(r.Ended)}
			if r.Challenge {
				row.Kind = "challenge"
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// moment is a time in UTC, nil for never.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (s *Site) progressJSON(c *call) error {
	p, err := s.progress(c)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="coldstart-progress.json"`)
	return c.json(http.StatusOK, map[string]any{
		"made": s.config.Now().UTC(), "done": p.Done, "total": p.Total, "points": p.Points, "points_possible": p.Most, "lessons": progressRows(p),
	})
}

func (s *Site) progressCSV(c *call) error {
	p, err := s.progress(c)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	table := [][]string{{"track", "title", "kind", "state", "tasks_done", "tasks", "points", "points_possible", "begun", "done"}}
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.Format(time.RFC3339)
	}
	for _, r := range progressRows(p) {
		table = append(table, []string{csvCell(r.Track), csvCell(r.Title), r.Kind, r.State, strconv.Itoa(r.Tasks), strconv.Itoa(r.Of), strconv.Itoa(r.Points), strconv.Itoa(r.Most), at(r.Began), at(r.Ended)})
	}
	if err := w.WriteAll(table); err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="coldstart-progress.csv"`)
	return c.send(http.StatusOK, "text/csv; charset=utf-8", b.Bytes())
}

// csvCell keeps a spreadsheet from reading a title as a formula.
func csvCell(s string) string {
	if s != "" && (s[0] == '=' || s[0] == '+' || s[0] == '-' || s[0] == '@') {
		return "'" + s
	}
	return s
}
