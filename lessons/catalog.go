package lessons

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"coldstart/sandbox/trace"
)

// HTML is markup that is safe to put into a page as it is: made by this
// package from Markdown, with raw HTML sanitised.
type HTML string

// Catalog is a loaded folder of lessons. It is not changed after Load, so
// that any number of requests may read it.
type Catalog struct {
	Tracks  []*Track
	Sources map[string]Source // shared source notes by id, from sources.yaml
	// Glossary is glossary.yaml in alphabetical order; empty without one.
	Glossary   []Term
	glossaries map[string][]Term // by language, English too; nil without a glossary
	byID       map[string]*Lesson
	index      *index
	around     *around
}

// Track is one folder of lessons.
type Track struct {
	Slug    string // in the URL, from the folder's name without its number
	Dir     string // the folder's name
	Title   string
	Summary string
	Entries []Entry // every lesson of the plan, in order
}

// Entry is a place in a track's plan: a lesson, or one that is still to come.
type Entry struct {
	Slug   string
	Title  string
	Kind   string  // lesson or challenge
	Number int     // counts lessons and challenges apart, from 1
	Lesson *Lesson // nil when it is still to come
}

// Lessons lists the track's lessons that exist, in order.
func (t *Track) Lessons() []*Lesson {
	var ls []*Lesson
	for _, e := range t.Entries {
		if e.Lesson != nil {
			ls = append(ls, e.Lesson)
		}
	}
	return ls
}

// Lesson is one lesson or challenge.
type Lesson struct {
	ID       string // never changes; progress is stored under it
	Track    *Track
	Slug     string
	Dir      string // path in the lessons folder, "04-isolates/20-first-worker"
	Kind     string // lesson or challenge
	Number   int    // place among the lessons, or challenges, of its track
	Revision int    // the author's, for translations
	Hash     string // of everything in the folder; a draft remembers with which it began
	Minutes  int
	Open     string   // the file that is open at first
	Labs     []string // labs named in the front matter or the text, sorted
	Covers   []Cover
	Limits   trace.Limits // zero fields: the defaults
	Request  Request      // what the request builder holds at first
	Points   []int        // challenges: per task, in order
	Text                  // the lesson's own language
	// Translations by language tag, such as "nl".
	Translations map[string]*Text
	Starter      map[string][]byte // _files
	Solution     map[string][]byte // the whole project with _solution laid over it; nil when there is none
	Diff         []FileDiff        // starter to solution
	Checks       string            // source of checks.js
	Declared     []Declaration     // the tests in it, in order
	Spare        map[string]string // lines of the solution that no check needs, and why
	around       *around           // what Revive reads with
	folder       map[string][]byte // every file of the folder as it is there, by path below it
}

// Text is what a translation replaces.
type Text struct {
	Lang       string // language tag, "en" unless the file says otherwise
	Translates int    // the revision of lesson.md that this text follows
	Title      string
	Summary    string
	Pieces     []Piece
	Tasks      []*Task
	Questions  []*Question // predictions and quizzes, in order
	Hints      []*Hint
	Notes      []Source // source notes, in order of first use
}

// URL is the lesson's address in the site.
func (l *Lesson) URL() string { return "/learn/" + l.Track.Slug + "/" + l.Slug }

// In gives the text in the first of the wanted languages that exists, else
// the lesson's own.
func (l *Lesson) In(langs ...string) *Text {
	for _, tag := range langs {
		base, _, _ := strings.Cut(tag, "-")
		if base == l.Lang {
			break
		}
		for _, t := range []string{tag, base} {
			if tr := l.Translations[t]; tr != nil {
				return tr
			}
		}
	}
	return &l.Text
}

// Project is the starter as the sandbox takes it.
func (l *Lesson) Project() trace.Project {
	return trace.Project{Files: l.Starter, Main: l.Main(), Limits: l.Limits}
}

// Main is the entry file when the project has no wrangler file, "" else.
func (l *Lesson) Main() string {
	for name := range l.Starter {
		base := name[strings.LastIndex(name, "/")+1:]
		if base == "wrangler.jsonc" || base == "wrangler.json" || base == "wrangler.toml" {
			return ""
		}
	}
	for _, name := range []string{"src/index.ts", "src/index.js", "index.ts", "index.js"} {
		if _, ok := l.Starter[name]; ok {
			return name
		}
	}
	return l.Open
}

// Total is the sum of a challenge's points, 0 for a lesson.
func (l *Lesson) Total() int {
	n := 0
	for _, p := range l.Points {
		n += p
	}
	return n
}

// Question finds a predict or quiz by its id, nil when there is none.
func (l *Lesson) Question(id string) *Question {
	for _, q := range l.Questions {
		if q.ID == id {
			return q
		}
	}
	return nil
}

// Cover says where an item of the course notes is taught.
type Cover struct {
	Item   string // S1 … S105
	Anchor string // "task 1", "quiz", "predict 2", "lab race"
}

// Request is a request as the request builder and the checks write it.
type Request struct {
	Method  string      `json:"method"`
	Path    string      `json:"path"` // or an absolute URL, for projects with routes
	Headers [][2]string `json:"headers,omitempty"`
	Body    string      `json:"body,omitempty"`
}

// Task is one `## N. Title` section.
type Task struct {
	N      int
	Title  HTML
	Body   HTML
	Points int // challenges
	Line   int // in the lesson file
}

// Hint belongs to the task before it; Task is 0 before the first one.
type Hint struct {
	N    int // 1, 2, 3 within its task
	Task int
	HTML HTML
	Line int
}

// PieceKind says what a Piece holds.
type PieceKind string

// The kinds of piece.
const (
	PieceProse    PieceKind = "prose"    // HTML: paragraphs, headings, code, callouts
	PieceTask     PieceKind = "task"     // Task
	PieceHint     PieceKind = "hint"     // Hint
	PieceQuestion PieceKind = "question" // Question: a predict or a quiz
	PieceLab      PieceKind = "lab"      // Lab
)

// Piece is one block of a lesson. Exactly the field that its kind names is set.
type Piece struct {
	Kind     PieceKind
	HTML     HTML
	Task     *Task
	Hint     *Hint
	Question *Question
	Lab      *Lab
}

// Lab is an embedded lab.
type Lab struct {
	Name string            // race, density, …
	Args map[string]string // as written: contenders, samples, …
	HTML HTML              // the text between the markers, "" for none
	Line int
}

// Source is a source note: where a fact comes from and when it was read.
type Source struct {
	ID   string
	Text string
	Date string // of the source, as shown: "2025", "November 2026"; may be ""
	URL  string // may be ""
}

// Note is the source as one line, as shown on hover and in print.
func (s Source) Note() string { return s.Text }

// Label is what the text shows: the year of the source, else "source".
func (s Source) Label() string {
	if y := year(s.Date); y != "" {
		return y
	}
	return cmp.Or(year(s.Text), "source")
}

// Track finds a track by its slug, nil when there is none.
func (c *Catalog) Track(slug string) *Track {
	for _, t := range c.Tracks {
		if t.Slug == slug {
			return t
		}
	}
	return nil
}

// Lesson finds a lesson by its address, nil when there is none or it is still
// to come.
func (c *Catalog) Lesson(track, slug string) *Lesson {
	t := c.Track(track)
	if t == nil {
		return nil
	}
	for _, e := range t.Entries {
		if e.Slug == slug {
			return e.Lesson
		}
	}
	return nil
}

// With is the catalog with further tracks behind its own, whose ids and
// addresses must be others. Search, glossary and sources stay the catalog's.
func (c *Catalog) With(tracks ...*Track) *Catalog {
	if len(tracks) == 0 {
		return c
	}
	more := *c
	more.Tracks = append(slices.Clip(c.Tracks), tracks...)
	more.byID = maps.Clone(c.byID)
	for _, t := range tracks {
		for _, l := range t.Lessons() {
			more.byID[l.ID] = l
		}
	}
	return &more
}

// Only is the track with those lessons alone that pass; what is still to come
// is left out.
func (t *Track) Only(pass func(*Lesson) bool) *Track {
	part := *t
	part.Entries = nil
	for _, e := range t.Entries {
		if e.Lesson != nil && pass(e.Lesson) {
			part.Entries = append(part.Entries, e)
		}
	}
	return &part
}

// ByID finds a lesson by its id, nil when there is none.
func (c *Catalog) ByID(id string) *Lesson { return c.byID[id] }

// Lessons lists all lessons in order.
func (c *Catalog) Lessons() []*Lesson {
	var ls []*Lesson
	for _, t := range c.Tracks {
		ls = append(ls, t.Lessons()...)
	}
	return ls
}

// Around gives the lessons before and after l, which may be an earlier revision
// of one in the catalog; nil at the ends.
func (c *Catalog) Around(l *Lesson) (prev, next *Lesson) {
	ls := c.Lessons()
	i := slices.IndexFunc(ls, func(o *Lesson) bool { return o.ID == l.ID && o.Dir == l.Dir })
	if i > 0 {
		prev = ls[i-1]
	}
	if i >= 0 && i+1 < len(ls) {
		next = ls[i+1]
	}
	return prev, next
}
