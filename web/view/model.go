package view

import (
	"time"

	"coldstart/sandbox/trace"
)

// HTML is markup that is safe to put into a page as it is: from a shipped
// lesson, or sanitised.
type HTML string

// Link is an address with its words.
type Link struct {
	Text, Href string
}

// Shell is what every page shares: the head and the bar at the top.
type Shell struct {
	Title       string    // of the document; the site's name is added
	Description string    // one sentence for search engines; "" for none
	Lang        string    // of a lesson's text, BCP 47; "" means en, as the rest of the page
	Theme       string    // light, dark, or "" for the system's; the page keeps it in the cookie "theme"
	Home        string    // address of the home page; "" means /
	Crumbs      []Link    // where the page is, the page itself last, without Href
	Note        string    // short text at the right of the bar: "Lesson 7 of 9 · 2 of 3 tasks"
	Class       *Link     // the learner's class; nil hides the button
	Nonce       string    // of this answer's style-src, for the editor's styles
	Refresh     int       // seconds after which a browser without scripts loads the page again; 0 for never
	Script      string    // plain name of the page's script: "lesson.js"; "" means site.js
	Author      bool      // serve --author: the page reloads when a lesson is saved
	Banner      string    // one sentence above everything; "" for none
	BannerDo    []Link    // buttons beside it, which post to Href
	Letter      string    // an instructor's note above everything; "" for none
	Due         time.Time // when the learner's class wants it done; zero for no day
	Hand        *Hand     // the learner's, for their class to see; nil hides it
}

// Hand is a learner's hand in a class.
type Hand struct {
	Class  string // its id
	Lesson string // id of the lesson that shows it
	Up     bool
}

// Progress is how far a learner is in a lesson.
type Progress string

// The states of a lesson or task.
const (
	Coming  Progress = "coming" // not written yet: listed, not linked
	Unseen  Progress = "unseen"
	Started Progress = "started"
	Done    Progress = "done"
)

// HomePage is the front page: what this is, the tracks, the labs.
type HomePage struct {
	Shell
	Begin  Link    // to the first lesson
	Resume *Resume // nil for a learner who has not begun
	First  *First  // the figure of a first and a second request; nil when nothing was measured yet
	Tracks []Track // the five tracks with their whole curriculum
	Done   int     // lessons finished
	Total  int     // lessons and challenges in the curriculum
	Docs   string  // address of the manual; "" hides its links
}

// Resume points to where a learner stopped.
type Resume struct {
	Title string
	Text  string // what is done and what is not: "Two of three tasks done."
	Href  string
}

// First is a measured cold run and the warm one after it, drawn to one scale.
type First struct {
	Cold, Warm trace.Summary
	When       time.Duration // ago
	Href       string        // where to run it oneself
}

// Track is one of the five tracks.
type Track struct {
	ID      string // serverless, workers, routing, isolates, ship-it
	Title   string
	Summary string // one sentence
	Lessons []LessonRow
}

// LessonRow is one lesson in a track's list.
type LessonRow struct {
	Title     string
	Href      string // "" when Coming
	Minutes   int    // 0 when not known yet
	Challenge bool
	State     Progress
	Part      float64 // of the tasks done, 0 to 1, when Started
	Cold      int64   // the learner's own best cold run in µs; 0 for none
	Warm      int64   // the same, warm
}

// LessonPage is a lesson beside its workbench.
type LessonPage struct {
	Shell
	ID        string // of the lesson
	Project   string // the learner's project, as the live session names it
	Slug      string // of the learner's public address
	Revision  int64  // of the draft shown
	Track     Link
	Title     string
	Number    int // in its track, from 1
	Of        int // lessons in the track
	Minutes   int
	Challenge bool
	Parts     []Part   // the lesson's text in order
	Sources   []Source // where the lesson's facts come from
	Previous  *Link
	Next      *Link

	Files    []File            // of the draft, in the order of their tabs
	Starter  map[string]string // the files as the lesson gives them, by path; nil means as in Files
	Limits   trace.Limits      // of this project, all set
	Open     string            // path of the file shown first
	Solution []Diff            // our solution against the starter; empty when there is none
	Request  Request
	Print    string // address of the lesson as a page to print; "" for none
	Newer    *Link  // posts: takes the newer revision that the learner did not want at first; nil for none
	Back     bool   // undo takes back that the newer revision was taken
	Text     string // the revision of the lesson that the page shows
	Public   string // the Worker's public address, without path: "http://host/w/slug"
	Actions  Actions
	Result   Result
	Words    string // what the page's live region says first; "" for nothing
	Keep     bool   // offer to keep the progress for other devices too
}

// Actions are the addresses of the page's forms and session.
type Actions struct {
	Run    string // POST: files, request; times=cold20|warm20 repeats; answers with this page
	Check  string // POST: files; runs the checks; answers with this page
	Answer string // POST: a prediction or quiz answer; answers with a redirect back
	Reset  string // POST: all files back to the starter
	Undo   string // POST: takes the last step over all files back
	Solve  string // POST: use our solution
	Export string // GET: the project as a zip; "" when it cannot be taken along
	Share  string // POST: makes a link of the project and its newest run; "" when it cannot be shared
	Save   string // PUT by the script: one revision of the files
	Live   string // the session's WebSocket
}

// Part is one piece of a lesson. Exactly one field is set.
type Part struct {
	HTML     HTML
	Question *Question
	Task     *Task
	Hints    []Hint
	Lab      *Lab
}

// Source is where a fact comes from. The text leads to it by ID.
type Source struct {
	ID   string // of the element
	Text string
	Date string // as shown; may be ""
	Href string // may be ""
}

// Task is a numbered section of the lesson with its verdict. Parts is its text.
type Task struct {
	N       int
	Title   HTML
	State   CheckState
	Message string // why it passes or not, with figures; "" before the first check
	Parts   []Part
	Href    string // to the check that failed: "#check-2"; "" for none
	Points  int    // of a challenge, else 0
}

// Hint opens on demand; a lesson's hints are numbered in order.
type Hint struct {
	N    int
	Note string // "nearly the answer"; "" for none
	Open bool
	HTML HTML
}

// QuestionKind is how a question is answered.
type QuestionKind string

// The kinds of question.
const (
	Choice QuestionKind = "choice" // one, or several when Multiple
	Order  QuestionKind = "order"  // put the options in order
	Match  QuestionKind = "match"  // give each option one of Targets
	Number QuestionKind = "number" // type a number
	Mark   QuestionKind = "mark"   // a point on an axis
)

// Question is a prediction or a quiz.
type Question struct {
	ID       string // unique in the lesson: predict-1, quiz-1
	Quiz     bool   // false: a prediction
	Kind     QuestionKind
	Ask      HTML
	Multiple bool
	Options  []Option
	Targets  []string // Match: what an option can be given
	Unit     string   // Number, Mark
	Axis     string   // Mark: what is measured along it; may be ""
	Log      bool     // Mark: the axis is logarithmic
	Min, Max float64  // Number, Mark; equal means unbounded
	Value    string   // Number, Mark: what was answered
	Want     float64  // Mark, answered and no longer waiting: the right figure
	Answered bool
	Waits    bool // answered, and what it is about is not measured yet
	Right    bool // when answered
	Says     HTML // shown when answered: the explanation of the whole
}

// Option is one answer to a question.
type Option struct {
	Value  string // as the form sends it
	Label  HTML
	Chosen bool
	Place  int    // Order: where it was put, from 1; 0 for nowhere
	Target string // Match: what it was given
	// When answered:
	Verdict string            // right, wrong, missed or "" for nothing to say
	Why     HTML              // explanation
	Took    int64             // what the learner's own run measured, in µs; 0 for none
	Temp    trace.Temperature // of Took
}

// File is one of the learner's files.
type File struct {
	Path     string // as in the project: src/index.ts
	Text     string
	ReadOnly bool
	Fault    *trace.Frame // where the last run stopped in it; nil for nowhere
}

// Diff is one file of the solution against the starter.
type Diff struct {
	Path    string
	Lines   []DiffLine
	Added   int
	Removed int
}

// DiffLine is one line. Op is ' ', '+' or '-'; N is its number in the file it is in.
type DiffLine struct {
	Op   byte
	N    int
	Text string
}

// Request is what the request builder holds.
type Request struct {
	Method  string // "" means GET
	Path    string // "" means /
	Headers [][2]string
	Body    string
}

// Result is the right lower half of the workbench. Its zero value is "no run yet".
type Result struct {
	Tab      string   // response, logs, timeline, isolate, checks: the one to open; "" chooses
	Run      *Run     // the newest run
	Before   *Run     // the run it is compared with: the newest of the other temperature
	Earlier  []RunRow // newest first
	Series   []Series // dot clouds of repeated runs
	Logs     []LogRun // newest first
	Isolate  *Isolate // nil: none is alive
	Checks   []Check  // of the last checking
	Checking bool     // checks ran at least once
}

// Run is one run with all that the panels show of it.
type Run struct {
	N       int // the learner's counter
	Method  string
	Path    string
	Summary trace.Summary
	Head    *trace.ResponseHead
	Body    Body
}

// Body is a response body as far as it is shown.
type Body struct {
	Text      string // decoded as UTF-8; "" when Binary
	Hex       string // a dump of the first bytes when Binary
	Bytes     int64  // of the whole
	Type      string // media type
	Binary    bool
	Truncated bool   // more bytes came than are shown
	Preview   string // address that answers the body in an opaque origin; "" for none
}

// RunRow is one earlier run as a bar.
type RunRow struct {
	N           int
	Method      string
	Path        string
	Temperature trace.Temperature
	Wall        int64 // µs
	Outcome     string
}

// Series is one cloud of dots: repeated runs of one request.
type Series struct {
	Name        string // "now", "starter"
	Temperature trace.Temperature
	Ghost       bool    // an earlier version's, drawn dashed
	Samples     []int64 // µs, in the order they came
}

// LogRun is what one run logged.
type LogRun struct {
	Title       string // "run 7", "check 2"
	Request     string // "GET /health"
	Temperature trace.Temperature
	Wall        int64 // µs
	Status      int
	Lines       []LogLine
	Dropped     int // records lost to the limit
}

// LogLine is one console call, At microseconds after its run began.
type LogLine struct {
	At int64
	trace.Log
}

// Isolate is the isolate panel.
type Isolate struct {
	State    trace.IsolateState
	Start    int64 // µs its cold start took; 0 unknown
	LastCPU  int64 // µs of the last run
	CPULimit int64 // µs a request may use
	IdleIn   int64 // µs until it is evicted when nothing comes; 0 unknown
	Pages    []byte
	Fresh    []int // numbers of the pages the last request wrote
}

// CheckState is how a check stands.
type CheckState string

// The states of a check.
const (
	CheckNone    CheckState = ""
	CheckRunning CheckState = "running"
	CheckPassed  CheckState = "passed"
	CheckFailed  CheckState = "failed"
)

// Check is one check with its evidence.
type Check struct {
	Task     int // 0: a guard that belongs to no task
	Name     string
	State    CheckState
	Message  string
	Request  string // as sent last: "POST /hello {"name":"Ada"}"
	Expected string
	Got      string
	Frame    *trace.Frame
	Logs     []LogLine
	Took     int64 // µs
}

// ErrorPage says what happened, where, and what to do.
type ErrorPage struct {
	Shell
	Status  int
	Heading string // "No page at /learn/isolate"
	Message string // one or two sentences
	Links   []Link // ways on
	Request string // number to tell an operator; "" for none
}

// DocsPage is one page of the manual.
type DocsPage struct {
	Shell
	Title    string
	Lead     HTML
	Body     HTML
	Menu     []DocsGroup
	Sections []Link // of this page
}

// DocsGroup is a group of pages in the manual's menu. The current page's link has no Href.
type DocsGroup struct {
	Title string
	Links []Link
}

// GalleryPage lists every component with sample data.
type GalleryPage struct {
	Shell
	Samples []Sample
}
