package view

import (
	"fmt"
	"time"

	"coldstart/sandbox/trace"
)

// The sample data of the gallery. Figures are placeholders, and only the
// gallery and its golden files show them.

const sampleCode = `let table;                       // filled by the first lookup

function codes() {
  if (table) return table;
  console.warn("building the table");
  const m = new Map();
  for (let i = 0; i < 50000; i++) m.set("code" + i, i % 97);
  console.log("built", { entries: m.size });
  table = m;
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/health") return new Response("ok");
    const c = url.searchParams.get("c");
    return new Response(String(codes().get(c)));
  },
};
`

func spans(lengths ...int64) []trace.Span {
	var out []trace.Span
	var at int64
	for i, n := range lengths {
		if n == 0 {
			continue
		}
		out = append(out, trace.Span{Phase: trace.Phases[i], Start: at, End: at + n})
		at += n
	}
	return out
}

func sampleCold() *Run {
	return &Run{N: 6, Method: "GET", Path: "/health", Summary: trace.Summary{
		Run: "r6", Temperature: trace.Cold, Outcome: "ok", Status: 200, Spans: spans(0, 6, 11, 229, 88, 59, 19),
		CPU: 190, Memory: 372 << 10, Wall: 412, BodyBytes: 2,
	}}
}

func sampleWarm() *Run {
	return &Run{
		N: 7, Method: "GET", Path: "/health",
		Summary: trace.Summary{
			Run: "r7", Temperature: trace.Warm, Outcome: "ok", Status: 200, Spans: spans(0, 5, 4, 0, 0, 21, 8),
			CPU: 30, Memory: 372 << 10, Wall: 38, BodyBytes: 2,
		},
		Head: &trace.ResponseHead{Status: 200, StatusText: "OK", Headers: [][2]string{
			{"content-type", "text/plain;charset=UTF-8"},
			{"content-length", "2"},
			{"server-timing", "route;dur=0.005, queue;dur=0.004, handle;dur=0.021, stream;dur=0.008"},
		}},
		Body: Body{Text: "ok", Bytes: 2, Type: "text/plain"},
	}
}

func sampleCalls() *Run {
	r := sampleCold()
	r.N, r.Path = 9, "/notes"
	r.Summary.Spans = spans(2400, 6, 11, 229, 88, 1840, 19)
	r.Summary.Wall = 4593
	r.Summary.Calls = []trace.Call{
		{Kind: "kv", Name: "NOTES.get", Start: 2760, End: 3010},
		{Kind: "fetch", Name: "GET https://weather.example/api/v1/today?city=Utrecht", Start: 3030, End: 4510, Status: 200},
	}
	return r
}

func sampleFault() *trace.Fault {
	return &trace.Fault{
		Kind: trace.FaultException, Name: "TypeError", Message: "Cannot read properties of undefined (reading 'get')",
		Hint: "codes() gave undefined, so there is nothing to read get from.",
		Frames: []trace.Frame{
			{Func: "fetch", File: "src/index.js", Line: 17, Column: 40},
		},
		Code: "  16 |     const c = url.searchParams.get(\"c\");\n> 17 |     return new Response(String(codes().get(c)));\n     |                                        ^\n  18 |   },",
	}
}

func sampleSeries() []Series {
	near := func(middle, spread int64) []int64 {
		out := make([]int64, 20)
		for i := range out {
			out[i] = middle + spread*int64(i*i*7%23-6)/16
		}
		return out
	}
	return []Series{
		{Name: "starter", Temperature: trace.Cold, Ghost: true, Samples: near(10610, 1300)},
		{Name: "now", Temperature: trace.Cold, Samples: near(412, 90)},
		{Name: "now", Temperature: trace.Warm, Samples: near(38, 9)},
	}
}

func sampleLogs() []LogRun {
	return []LogRun{
		{
			Title: "check 2", Request: "GET /?c=code7", Temperature: trace.Cold, Wall: 10960, Status: 500,
			Lines: []LogLine{
				{At: 330, Log: trace.Log{Level: "warn", Text: "building the table", Frame: &trace.Frame{File: "src/index.js", Line: 5, Column: 3}}},
				{At: 10910, Log: trace.Log{Level: "log", Text: "built { entries: 50000 }", Frame: &trace.Frame{File: "src/index.js", Line: 8, Column: 3}, Args: []trace.Value{
					{Type: "string", Text: "built"},
					{Type: "object", Entries: []trace.Entry{
						{Key: "entries", Value: trace.Value{Type: "number", Text: "50000"}},
						{Key: "first", Value: trace.Value{Type: "array", Entries: []trace.Entry{{Key: "0", Value: trace.Value{Type: "string", Text: "code0"}}}, More: 49999}},
					}},
				}}},
				{At: 10940, Log: trace.Log{Level: "error", Text: "TypeError: Cannot read properties of undefined (reading 'get')", Frame: &trace.Frame{File: "src/index.js", Line: 17, Column: 40}}},
			},
			Dropped: 3,
		},
		{Title: "run 7", Request: "GET /health", Temperature: trace.Warm, Wall: 38, Status: 200},
	}
}

func sampleIsolate() *Isolate {
	pages := make([]byte, 8192)
	var fresh []int
	for i := range 1024 {
		switch {
		case i%11 == 3 || i >= 40 && i < 76:
			pages[i] = 2
			if i%77 == 3 {
				fresh = append(fresh, i)
			}
		case i%97 != 13 && i < 1000:
			pages[i] = 1
		}
	}
	return &Isolate{
		State: trace.IsolateState{
			ID: "7f3a91", State: "warm", Engine: "quickjs", Age: 41_000_000, Requests: 2, CPU: 220,
			Private: 372 << 10, Limit: 32 << 20,
		},
		Start: 412, LastCPU: 30, CPULimit: 50_000, IdleIn: 19_000_000, Pages: pages, Fresh: fresh,
	}
}

func sampleDensity() Density {
	const mb = 1 << 20
	return Density{
		Cap: 256 * mb, How: "Measured on this machine, 14:09 today. Shared pages counted once.",
		Boxes: []DensityBox{
			{Name: "Node process", Plural: "Node processes", Samples: []DensitySample{{1, 41 * mb}, {10, 112 * mb}, {20, 191 * mb}}},
			{Name: "Isolate", Plural: "isolates", Round: true, Samples: []DensitySample{{1, 22 * mb}, {20, 45 * mb}, {60, 93 * mb}}},
		},
	}
}

func sampleChecks() []Check {
	return []Check{
		{Task: 1, Name: "1: a cold /health is five times faster", State: CheckPassed, Message: "p50 412 µs; the starter took 10.61 ms. 25.8 times faster, n = 20.", Took: 8000},
		{
			Task: 2, Name: "2: every answer stays the same", State: CheckFailed, Message: "The first lookup in a fresh isolate must already know the table.", Took: 11000,
			Request: "GET /?c=code7", Expected: "200 “7”", Got: "500 TypeError: Cannot read properties of undefined (reading 'get')",
			Frame: &trace.Frame{File: "src/index.js", Line: 17, Column: 40}, Logs: sampleLogs()[0].Lines,
		},
		{Task: 3, Name: "3: warm lookups keep their speed", State: CheckPassed, Message: "p50 41 µs; the starter took 40 µs, within 20%.", Took: 6000},
	}
}

func samplePrediction() Question {
	return Question{
		ID: "predict-1", Kind: Choice, Multiple: true, Ask: "<p>Which requests will be slow?</p>",
		Options: []Option{{Label: "the first"}, {Label: "the second"}, {Label: "the one after a long silence"}, {Label: "the one after a new deploy"}},
	}
}

func samplePredicted() Question {
	q := samplePrediction()
	q.Answered = true
	q.Options = []Option{
		{Label: "the first", Chosen: true, Took: 10610, Temp: trace.Cold},
		{Label: "the second", Took: 44, Temp: trace.Warm},
		{Label: "the one after a long silence", Chosen: true, Took: 10480, Temp: trace.Cold},
		{Label: "the one after a new deploy", Took: 10720, Temp: trace.Cold, Verdict: "missed"},
	}
	return q
}

func sampleQuiz() Question {
	return Question{
		ID: "quiz-1", Quiz: true, Kind: Choice, Ask: "<p>A robot pings your function every minute. Which cold start can it <em>not</em> prevent?</p>", Answered: true,
		Options: []Option{
			{Label: "the first one of the day", Verdict: "wrong", Why: "The robot was that first visitor, so nobody else waited."},
			{Label: "the extra copies made during a spike", Chosen: true, Verdict: "right", Why: "One ping keeps one copy warm. The eleventh copy is born cold."},
			{Label: "the one after a long silence"},
		},
	}
}

// SampleLesson is the lesson page of the gallery: a failing check, a warm run.
func SampleLesson() LessonPage {
	return LessonPage{
		Shell: Shell{
			Description: "Cut your own cold start five times: run a Worker in a real isolate and watch each phase.",
			Class:       &Link{"Your class", "/class"},
			Nonce:       "c2FtcGxl",
		},
		ID: "first-request", Project: "first-request", Slug: "k7q2m9xd", Revision: 7,
		Track: Link{"Serverless", "/#serverless"}, Title: "The cold start", Number: 7, Of: 9, Minutes: 9,
		Parts: []Part{
			{HTML: `<p class="lesson_lead">Somebody always goes first.</p><p>On a shared platform your code may not be in memory when a request arrives. So it must be loaded, its top level executed, and only then can the handler answer. The next visitor skips all that.</p>`},
			{Question: ptr(samplePredicted())},
			{HTML: `<h2 id="two-clouds">Two clouds of dots</h2><p>Press <b>×20 cold</b>, then <b>×20 warm</b>. Now read the code again. <code>/health</code> never looks at the table, yet it waits for all 50,000 entries.</p>`},
			{Task: &Task{N: 1, Title: "Make a cold <code>/health</code> five times faster", State: CheckPassed, Message: "25.8 times faster, n = 20", Parts: []Part{
				{HTML: "<p>Change no answer. Only <code>/health</code> has to be quick.</p>"},
				{Hints: []Hint{{N: 1, Open: true, HTML: "<p>Which line runs even when no request needs it?</p>"}, {N: 2, HTML: "<p>A function can create the table the first time somebody asks, then remember it.</p>"}, {N: 3, Note: "nearly the answer", HTML: "<p><code>let t; const codes = () =&gt; t ??= build();</code></p>"}}},
			}}},
			{Task: &Task{N: 2, Title: "Keep every answer", State: CheckFailed, Message: "Expected “7”, got an error at index.js line 17", Href: "#check-2", Parts: []Part{{HTML: "<p>Also the first cold lookup, <code>/?c=code7</code>.</p>"}}}},
			{Task: &Task{N: 3, Title: "Keep warm lookups quick", Parts: []Part{{HTML: "<p>Within 20% of the starter.</p>"}}}},
			{HTML: `<h2 id="look-closer">Look closer</h2><p>Check the first cold lookup. Still slow! You did not remove the work; you moved it away from people who don’t need it.</p><aside class="note" aria-label="Honest note"><p><b>Honest note.</b> Silence is only one cause. A burst that needs extra copies meets cold starts too. AWS says they touch under 1% of invocations<a class="source" href="#source-aws-init" title="AWS Compute Blog, read November 2026">2025</a>.</p></aside><pre tabindex="0"><code><b class="k">const</b> codes = build(); <span class="c">// runs when the isolate is born</span></code></pre><table><thead><tr><th>Pattern</th><th>Worker</th></tr></thead><tbody><tr><td><code>example.com/*</code></td><td>a</td></tr><tr><td><code>example.com/api/*</code></td><td>b</td></tr></tbody></table>`},
			{Question: ptr(sampleQuiz())},
		},
		Sources:  []Source{{ID: "source-aws-init", Text: "AWS Compute Blog, read November 2026", Date: "2025", Href: "https://aws.amazon.com/blogs/compute/"}},
		Previous: &Link{"Up like a rocket", "/learn/serverless/zero-to-many"},
		Next:     &Link{"Same login, five accents", "/learn/serverless/five-dialects"},
		Files: []File{
			{Path: "src/index.js", Text: sampleCode, Fault: &trace.Frame{File: "src/index.js", Line: 17, Column: 40}},
			{Path: "wrangler.jsonc", Text: "{\n  \"name\": \"first-request\",\n  \"main\": \"src/index.js\",\n  \"compatibility_date\": \"2026-11-01\"\n}\n"},
		},
		Open: "src/index.js",
		Solution: []Diff{{Path: "src/index.js", Added: 2, Removed: 1, Lines: []DiffLine{
			{'-', 1, "const codes = build();            // runs when the isolate is born"},
			{'+', 1, "let table;"},
			{'+', 2, "const codes = () => (table ??= build());"},
			{' ', 3, ""},
			{' ', 4, "function build() {"},
			{' ', 5, "  const m = new Map();"},
		}}},
		Request: Request{Method: "GET", Path: "/health", Headers: [][2]string{{"accept", "text/plain"}}},
		Public:  "http://127.0.0.1:8080/w/k7q2m9xd",
		Actions: Actions{
			Run: "/learn/serverless/first-request/run", Check: "/learn/serverless/first-request/check", Answer: "/learn/serverless/first-request/answer",
			Reset: "/learn/serverless/first-request/reset", Undo: "/learn/serverless/first-request/undo", Solve: "/learn/serverless/first-request/solve", Save: "/api/projects/first-request", Export: "/api/projects/first-request/export.zip", Live: "/api/live",
		},
		Result: SampleResult(), Limits: trace.Default(),
		Words: "Run 7: 200, 2 bytes, warm, 38 microseconds.",
	}
}

// SampleResult is a result in which every panel has something to show.
func SampleResult() Result {
	return Result{
		Tab: "timeline", Run: sampleWarm(), Before: sampleCold(), Series: sampleSeries(), Logs: sampleLogs(), Isolate: sampleIsolate(),
		Checks: sampleChecks(), Checking: true,
		Earlier: []RunRow{
			{N: 7, Method: "GET", Path: "/health", Temperature: trace.Warm, Wall: 38, Outcome: "ok"},
			{N: 6, Method: "GET", Path: "/health", Temperature: trace.Cold, Wall: 412, Outcome: "ok"},
			{N: 1, Method: "GET", Path: "/health", Temperature: trace.Cold, Wall: 10610, Outcome: "ok"},
		},
	}
}

// SampleFresh is a lesson page as a newcomer meets it: nothing run yet.
func SampleFresh() LessonPage {
	p := SampleLesson()
	p.Result, p.Words = Result{}, ""
	p.Files[0].Fault = nil
	for _, part := range p.Parts {
		switch {
		case part.Task != nil:
			part.Task.State, part.Task.Message, part.Task.Href = CheckNone, "", ""
		case part.Question != nil && part.Question.Quiz:
			q := sampleQuiz()
			q.Answered = false
			for i := range q.Options {
				q.Options[i] = Option{Label: q.Options[i].Label}
			}
			*part.Question = q
		case part.Question != nil:
			*part.Question = samplePrediction()
		}
	}
	return p
}

// SampleHome is the home page of somebody who has begun.
func SampleHome() HomePage {
	cold, warm := sampleCold().Summary, sampleWarm().Summary
	return HomePage{
		Shell:  Shell{Description: "A playground that teaches serverless by running your code in real isolates and measuring it."},
		Begin:  Link{"Begin with lesson 1", "/learn/serverless/first-request"},
		Resume: &Resume{Title: "The cold start", Text: "Two of three tasks done. The last run stopped at index.js line 17.", Href: "/learn/serverless/first-request"},
		First:  &First{Cold: cold, Warm: warm, When: 3 * time.Minute, Href: "/learn/serverless/first-request"},
		Tracks: []Track{
			{ID: "serverless", Title: "Serverless", Summary: "Why anybody would give up the server, what they pay for it, and who always goes first.", Lessons: []LessonRow{
				{Title: "A process that waits", State: Coming},
				{Title: "Only the interesting part", Href: "/learn/serverless/just-the-function", Minutes: 8, State: Done, Cold: 900, Warm: 41},
				{Title: "The cold start", Href: "/learn/serverless/first-request", Minutes: 9, State: Started, Part: 2.0 / 3, Cold: 412, Warm: 38},
				{Title: "Same login, five accents", Href: "/learn/serverless/five-dialects", Minutes: 12, State: Unseen},
				{Title: "Defend the launch", Minutes: 25, Challenge: true, State: Coming},
			}},
			{ID: "workers", Title: "Workers", Summary: "One function that answers the web. No port, no listen, no restart.", Lessons: []LessonRow{
				{Title: "Opening the envelope", Href: "/learn/workers/read-the-request", Minutes: 8, State: Unseen},
				{Title: "Tiny links", Href: "/learn/workers/tiny-links", Minutes: 25, Challenge: true, State: Unseen},
			}},
			{ID: "routing", Title: "Routing", Summary: "Many small programs behind one address, and the table that decides who answers.", Lessons: []LessonRow{
				{Title: "Three doors, one room", Href: "/learn/routing/one-worker-many-pages", Minutes: 8, State: Unseen},
			}},
			{ID: "isolates", Title: "Isolates and containers", Summary: "Five boxes for the same code. You start them, fill them, break out of them, and count.", Lessons: []LessonRow{
				{Title: "Draw the diagram with numbers", Href: "/learn/isolates/grid-for-real", Minutes: 12, State: Unseen},
			}},
			{ID: "ship-it", Title: "Ship it", Summary: "Leave the playground with a project that runs unchanged under the real tools.", Lessons: []LessonRow{
				{Title: "Leave the playground", Minutes: 8, State: Coming},
				{Title: "For real", Minutes: 10, State: Coming},
			}},
		},
		Done: 1, Total: 32, Docs: "/docs",
	}
}

func ptr[T any](v T) *T { return &v }

// sampleFaults is one fault of each kind a learner can meet.
func sampleFaults() []*trace.Fault {
	at := func(line, col int) []trace.Frame {
		return []trace.Frame{{Func: "fetch", File: "src/index.ts", Line: line, Column: col}}
	}
	return []*trace.Fault{
		sampleFault(),
		{Kind: trace.FaultBuild, Message: `Expected ")" but found "{".`, Hint: "Nothing ran. Close the bracket on line 4.", Frames: []trace.Frame{{File: "src/index.ts", Line: 4, Column: 21}}},
		{Kind: trace.FaultCPU, Message: "CPU limit: stopped after 50 ms, at line 7.", Hint: "Do less, or remember the result.", Frames: at(7, 3)},
		{Kind: trace.FaultMemory, Message: "Memory limit: 32 MB are full.", Hint: "Stream rows instead of collecting them.", Frames: at(11, 7)},
		{Kind: trace.FaultWall, Message: "Time limit: no answer after 10 s.", Hint: "Line 8 still waits.", Frames: at(8, 18)},
		{Kind: trace.FaultHung, Message: "This promise will never resolve.", Hint: "Nothing is left to wake line 8: no timer, no request, no queue.", Frames: at(8, 18)},
		{Kind: trace.FaultPlatform, Message: "Our runner stopped. It was not your code.", Hint: "Run again."},
		{Kind: trace.FaultBusy, Message: "Busy: you are " + ordinal(4) + " in line, about 2 seconds.", Hint: fmt.Sprintf("%s are ahead of yours.", count(3, "run"))},
	}
}
