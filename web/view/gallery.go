package view

import (
	"context"
	"fmt"
	"io"
	"maps"

	"coldstart/lessons"

	"coldstart/sandbox/trace"

	"github.com/a-h/templ"
)

// Sample is one component in one state, with sample data.
type Sample struct {
	ID        string // unique; the golden file's name
	Part      string // of the design: "part_waterfall"
	Title     string // what state it shows
	Component templ.Component
}

// Gallery lists every component in its states. The gallery page and the golden
// test both read it, so that neither can forget one.
func Gallery() []Sample {
	matching := Question{
		ID: "predict-match", Kind: Match, Ask: "<p>Which Worker answers?</p>", Targets: []string{"a", "b", "nobody"},
		Options: []Option{{Label: "<code>/</code>", Target: "a"}, {Label: "<code>/api/users</code>", Target: "b"}, {Label: "<code>/API/users</code>"}},
	}
	ordered := Question{
		ID: "predict-order", Kind: Order, Ask: "<p>Fastest first.</p>",
		Options: []Option{{Label: "isolate", Place: 1}, {Label: "process"}, {Label: "container"}},
	}
	number := Question{
		ID: "predict-number", Kind: Number, Ask: "<p>How many copies fit in 256 MB as Node processes?</p>", Unit: "copies",
		Value: "40", Answered: true, Right: true, Says: "<p>Two costs hide in each line: one paid once, one paid per copy.</p>",
	}
	kept := sampleIsolate()
	kept.State.Kept, kept.State.State = true, "idle"
	gone := Isolate{State: trace.IsolateState{ID: "7f3a91", State: "evicted", Why: "you evicted it", Requests: 2, Private: 372 << 10, Limit: 32 << 20}}
	stopped := SampleResult()
	stopped.Tab = "response"
	stopped.Run.Summary.Fault, stopped.Run.Summary.Outcome, stopped.Run.Head.Status, stopped.Run.Head.StatusText = sampleFault(), "exception", 500, ""
	binary := SampleResult()
	binary.Run.Body = Body{Binary: true, Bytes: 4096, Truncated: true, Type: "image/png", Hex: "00000000  89 50 4e 47 0d 0a 1a 0a 00 00 00 0d 49 48 44 52  .PNG........IHDR", Preview: "/w/k7q2m9xd/logo.png"}
	lesson, fresh := SampleLesson(), SampleFresh()
	var faults []templ.Component
	for _, f := range sampleFaults() {
		faults = append(faults, Stop(f))
	}

	return []Sample{
		{"topbar", "part_topbar", "The bar of a wide page and of a lesson", join("", "",
			topbar(Shell{Crumbs: []Link{{"Lessons", "/"}, {"Labs", "/labs"}}}, "page-home"),
			topbar(lessonShell(lesson), "page-lesson"))},
		{"banner", "part_banner", "Banners: of the page, and a letter", banners(Shell{
			Banner: "This lesson has a newer revision.", BannerDo: []Link{{"Update, keep my code", "#"}}, Letter: "Look at line 17.",
		})},
		{"foot", "foot", "The end of a wide page", foot("Measured on this machine.", Link{"Docs", "#"}, Link{"Licenses", "#"})},
		{"controls", "buttons", "Controls, in each state", controls()},
		{"verdicts", "verdict", "Verdict marks", verdicts()},
		{"stops", "part_stop", "What stops a run, each with its own sentence", join(`<div class="gallery">`, `</div>`, faults...)},
		{"question-choice", "part_predict", "A prediction, not answered", question(samplePrediction(), "#")},
		{"question-answered", "part_predict", "A prediction, answered", question(renamed(samplePredicted(), "predict-2"), "#")},
		{"question-quiz", "part_quiz", "A quiz, answered", question(sampleQuiz(), "#")},
		{"question-match", "part_predict", "A prediction by matching", question(matching, "#")},
		{"question-order", "part_predict", "A prediction by order", question(ordered, "#")},
		{"question-number", "part_predict", "A prediction by a number, answered", question(number, "#")},
		{"tasks", "part_task", "Tasks: passed, failed, not checked, running", join("", "",
			task(Task{N: 11, Title: "Greet by name", State: CheckPassed, Message: "Hello, Ada"}, "#"),
			task(Task{N: 12, Title: "Keep every answer", State: CheckFailed, Message: "Expected “7”, got 500", Href: "#checks"}, "#"),
			task(Task{N: 13, Title: "Stay warm", Points: 40}, "#"),
			task(Task{N: 14, Title: "Stay honest", State: CheckRunning}, "#"))},
		{"hints", "part_hint", "Hints", hints([]Hint{{N: 1, Open: true, HTML: "<p>Which line runs even when no request needs it?</p>"}, {N: 2, Note: "nearly the answer", HTML: "<p><code>t ??= build()</code></p>"}})},
		{"lab", "part_lab", "A lab that was not run yet", lab(Lab{LabInfo: LabInfo{ID: "density", Title: "Density", Verb: "Fill"}, Config: `{"samples":30}`, Action: "#", Fallback: "<p>Press <strong>Fill</strong>. A few copies start, then more.</p>"})},
		{"files", "part_files", "Files, with an error in one", files(lesson)},
		{"editor", "part_editor", "The plain editor", editor(lesson)},
		{"diff", "part_diff", "A file of the solution", diff(lesson.Solution[0])},
		{"runbar", "part_runbar", "The request builder", runbar(lesson)},
		{"readouts-empty", "part_readouts", "The result before the first run", gallerySized(result(fresh.Result, fresh))},
		{"response", "part_response", "A response", response(lesson.Result, lesson)},
		{"response-stopped", "part_response", "A response that a fault made", response(stopped, lesson)},
		{"response-binary", "part_response", "A response of bytes", response(binary, LessonPage{})},
		{"logs", "part_log", "Logs", logs(lesson.Result)},
		{"waterfall", "part_waterfall", "Waterfall: a warm run beside a cold one", Waterfall(sampleCold(), sampleWarm())},
		{"waterfall-calls", "part_waterfall", "Waterfall: one run with calls", Waterfall(nil, sampleCalls())},
		{"cloud", "part_cloud", "Dot clouds of repeated runs", Cloud(sampleSeries())},
		{"lanes", "part_lanes", "Earlier runs on one scale", Lanes(lesson.Result.Earlier)},
		{"isolate", "part_isolate", "A warm isolate with its page map", IsolateView(*sampleIsolate())},
		{"isolate-kept", "part_isolate", "An idle isolate, kept warm", IsolateView(*kept)},
		{"isolate-gone", "part_isolate", "An evicted isolate", IsolateView(gone)},
		{"checks", "part_check", "Checks: passed and failed", checks(lesson.Result, lesson)},
		{"race", "part_race", "A race", RaceView(sampleRace())},
		{"rollout", "part_rollout", "Two versions under the same visits", RolloutView(sampleRollout())},
		{"autoscale", "part_autoscale", "Isolates beside a modelled pool", AutoscaleView(sampleAutoscale())},
		{"cost", "part_cost", "Bills and crossings", CostView(sampleCost())},
		{"edge", "part_edge", "Waits on a map", EdgeView(sampleEdge())},
		{"plot", "part_plot", "Lines over common axes", PlotView(samplePlot())},
		{"bars", "part_plot", "Bars", BarsView(Bars{Name: "Memory each", Rows: []Bar{{Name: "Isolate", Note: "private pages", Value: 300, Text: "300 kB", Kind: "cold"}, {Name: "Process", Value: 7000, Text: "6.8 MB", Kind: "void"}}})},
		{"dots", "part_plot", "Clouds of contenders", DotsView(sampleDots())},
		{"spans", "part_plot", "Aligned timelines", SpansView(sampleSpans())},
		{"process", "part_process", "A server process that was killed", ServerView(Server{Action: "#", PID: 4711, Port: 40123, How: "Measured, once each.", Steps: []ServerStep{
			{"start", 4711, "listens", 182_000}, {"request", 4711, "visit 1", 2100}, {"kill", 4711, "gone, and its memory with it", 4800}, {"request", 4711, "connection refused", 300},
		}})},
		{"process-alive", "part_process", "A server process that listens", ServerView(Server{Action: "#", PID: 4711, Port: 40123, Alive: true, Bytes: 43 << 20})},
		{"process-off", "part_process", "No processes on this host", ServerView(Server{Off: "no node is on PATH"})},
		{"density", "part_density", "Density, measured", DensityView(sampleDensity())},
		{"density-begun", "part_density", "Density, begun, and off on this host", DensityView(Density{Cap: 256 << 20, Boxes: []DensityBox{
			{Name: "Isolate", Plural: "isolates", Round: true, Samples: []DensitySample{{1, 22 << 20}}},
			{Name: "Node process", Plural: "Node processes", Off: "node is not installed here."},
		}})},
		{"snapshot", "part_snapshot", "Frozen and forked isolates", SnapshotView(sampleSnapshot())},
		{"routing", "part_routing", "Routes, one Worker broken", RoutingView(sampleRouting())},
		{"dialects", "part_dialects", "Dialects that do not agree yet", DialectsView(sampleDialects())},
		{"events", "part_events", "Events in their lanes", EventsView(sampleEvents())},
		{"isolation", "part_isolation", "Attempts on walls, and a noisy neighbour", IsolationView(sampleIsolation())},
		{"alive", "part_alive", "Isolates alive at once, with the pages of their memory", aliveView(*sampleAlive(true), newDensity(sampleDensity()).fits)},
		{"alive-gathering", "part_alive", "Isolates that still start", aliveView(*sampleAlive(false), nil)},
		{"walls", "part_walls", "The walls around boxes", WallsView(sampleWalls())},
		{"first", "part_first", "The first figure of the home page", FirstFigure(*SampleHome().First)},
		{"track", "part_track", "A track with its lessons", track(1, SampleHome().Tracks[0])},
		{"grid", "part_live", "The live grid of a class", GridTable(sampleGrid())},
		{"burst", "part_burst", "A class burst", BurstView(*sampleBurst())},
		{"sum", "part_live", "A class in four figures", ClassSum(sampleGrid())},
		{"read-only", "part_editor", "A file that can only be read", readOnly(File{Path: "src/index.js", Text: sampleCode})},
		{"complaint", "part_stop", "Why a form was not taken", complaint("That code opens no class.")},
		{"empty", "part_empty", "An empty place", empty("note", "Nothing logged")},
		{"empty-labs", "part_empty", "A lab before its first run", RoutingView(Routing{Rows: []RoutingRow{{URL: "https://example.com/"}, {URL: "https://example.com/api"}}})},
		{"cover", "part_cover", "A result that waits for a prediction", drawnByScript("cover")},
		{"sheet-keys", "part_sheet", "The sheet of keys", drawnByScript("keys")},
		{"sheet-versions", "part_sheet", "The sheet of versions", drawnByScript("versions")},
		{"sheet-conflict", "part_sheet", "The sheet after a conflict", drawnByScript("conflict")},
		{"sheet-search", "part_sheet", "The search", drawnByScript("search")},
	}
}

// SamplePages are whole pages with sample data, by name, for the golden test and for the eye.
func SamplePages() map[string]templ.Component {
	pages := map[string]templ.Component{
		"lesson": Lesson(SampleLesson()),
		"fresh":  Lesson(SampleFresh()),
		"home":   Home(SampleHome()),
		"error": ErrorView(ErrorPage{
			Status: 404, Heading: "No page at /learn/isolate", Message: "The nearest is Isolates and containers.",
			Links: []Link{{"Isolates and containers", "/#isolates"}, {"Home", "/"}},
		}),
		"fault": ErrorView(ErrorPage{
			Status: 500, Heading: "This page could not be made", Message: "The fault is ours. Your files are saved. Load the page again.",
			Links: []Link{{"Home", "/"}}, Request: "7F3A",
		}),
		"docs": Docs(DocsPage{
			Title: "How the workbench works", Lead: "Read left, run right.", Body: "<p>The lesson is on the left.</p><h2 id=\"request\">The request</h2><p>Method, path, headers and body.</p>",
			Sections: []Link{{"The request", "#request"}, {"The result", "#result"}},
			Menu:     []DocsGroup{{"Learners", []Link{{Text: "How the workbench works"}, {"Keys", "/docs/keys"}}}, {"Instructors", []Link{{"Ten minutes", "/docs/instructors"}}}},
		}),
		"search": Search(SearchPage{Query: "isolatte", Found: lessons.Found{Near: "isolate"}}),
		"found":  Search(SearchPage{Query: "cold", Found: lessons.Found{Hits: sampleHits}}),
		"glossary": Glossary(GlossaryPage{Terms: []lessons.Term{
			{ID: "cold-start", Name: "cold start", HTML: "What the first request pays."}, {ID: "container", Name: "container", HTML: "A process with a view of its own."}, {ID: "kv", Name: "KV", HTML: "Values under keys, in <code>env</code>."},
		}}),
		"progress": ProgressView(ProgressPage{Done: 1, Total: 2, Points: 40, Most: 100, Tracks: []ProgressTrack{{Title: "Workers", Rows: []ProgressRow{
			{Title: "Hello from nowhere in particular", Href: "/learn/workers/hello-worker", State: Done, Tasks: 1, Of: 1},
			{Title: "Tiny links", Href: "/learn/workers/tiny-links", Challenge: true, State: Started, Tasks: 1, Of: 3, Points: 40, Most: 100},
		}}}}),
		"print": Print(PrintPage{
			Shell: Shell{Title: "The cold start"}, Track: "Serverless", Minutes: 12, Back: "/learn/serverless/first-request",
			Parts: SampleLesson().Parts, Files: []File{{Path: "src/index.js", Text: sampleCode}}, Sources: SampleLesson().Sources,
		}),
		"lab": LabView(LabPage{
			Shell: Shell{Title: "Density"}, Project: "p1", Lead: "How many fit in 256 MB?",
			Lab: Lab{LabInfo: LabInfo{ID: "density", Title: "Density", Verb: "Fill"}, Config: `{"samples":30}`, Action: "#", Fallback: "<p>Press <strong>Fill</strong>.</p>"},
		}),
		"labs":    LabsView(LabsPage{Labs: []LabInfo{{ID: "density", Title: "Density", Description: "How many fit in 256 MB."}}, Share: 25}),
		"setup":   Setup(SetupPage{Token: "t"}),
		"gallery": GalleryView(GalleryPage{Samples: Gallery()}),
	}
	maps.Copy(pages, samplePeople())
	return pages
}

var sampleHits = []lessons.Hit{
	{Kind: "lesson", Title: "The cold start", Href: "/learn/serverless/first-request", Where: "Serverless", Text: "Cut your own cold start."},
	{Kind: "term", Title: "cold start", Href: "/glossary#cold-start", Where: "Glossary", Text: "What the first request pays."},
}

func renamed(q Question, id string) Question {
	q.ID = id
	return q
}

// join draws components between two pieces of markup.
func join(before, after string, parts ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		for _, c := range parts {
			if err := c.Render(ctx, w); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, after)
		return err
	})
}

// drawnByScript is the place of what web/client/gallery.ts draws with the modules
// that draw it on other pages.
func drawnByScript(what string) templ.Component {
	return join(`<div data-drawn="`+what+`">`, `</div>`)
}

// gallerySized gives a component that fills its parent something to fill.
func gallerySized(c templ.Component) templ.Component {
	return join(`<div class="gallery_pane">`, `</div>`, c)
}

func verdicts() templ.Component {
	var parts []templ.Component
	for _, m := range []mark{
		checkMark(CheckNone), checkMark(CheckRunning), checkMark(CheckPassed), checkMark(CheckFailed),
		lessonMark(LessonRow{State: Done}), lessonMark(LessonRow{State: Started}), lessonMark(LessonRow{State: Coming}), lessonMark(LessonRow{Challenge: true}),
	} {
		parts = append(parts, join(`<span class="controls_group">`, fmt.Sprintf(`<span aria-hidden="true">%s</span></span>`, m.word), verdict(m)))
	}
	return join(`<div class="controls_group">`, `</div>`, parts...)
}
