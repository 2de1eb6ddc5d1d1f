package check

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"coldstart/lessons"
	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

//go:embed prelude.js
var prelude string

// Config says with what checks run. Only Door is required.
type Config struct {
	Door    sandbox.Door
	Learner string // workspace id: CPU and queue places are charged to it
	// Box measures a kind of box for lessons that compare: "process",
	// "container" …. Nil: only "isolate" is there, measured through Door.
	Box func(ctx context.Context, name string, options map[string]any) (Line, error)
	// Lab gives the learner's samples of a lab as plain data. Nil: none yet.
	Lab func(ctx context.Context, id string) (any, error)
	// Answers are the learner's answers to predict and quiz by question id.
	Answers map[string][]string
	// Only runs these tests, by index; nil runs all.
	Only []int
	// Wall bounds the whole script; 0 means two minutes.
	Wall time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// States of a test.
const (
	Running = "running"
	Passed  = "passed"
	Failed  = "failed"
)

// Event tells of one test: first running, then passed or failed.
type Event struct {
	Index   int
	Name    string // as written, "1: greets by name"
	Task    int    // 0: belongs to no task
	Kind    string // test, hidden or guard
	State   string
	Failure *Failure // when failed
	Notes   []string // what the check had to say besides, such as a box that is not on this host
	Took    time.Duration
}

// Failure is why a test failed: what a learner needs to go on.
type Failure struct {
	Message  string       // the author's sentence
	Expected string       // "" when the sentence says it all
	Got      string       //
	Request  string       // the last request sent: "POST /hello" and its body
	Frame    *trace.Frame // in the learner's code, when it stopped there
	Fault    *trace.Fault // why the learner's code stopped, if it did
	Logs     []trace.Log  // of the learner's code in this test
	Author   *trace.Frame // in checks.js, when the check itself is at fault
}

// Outcome is the end of one test.
type Outcome = Event

// TaskResult is the judgement of one task: all of its tests passed.
type TaskResult struct {
	N      int
	Passed bool
	Points int // of a challenge, earned
}

// Result is the judgement of one run of the checks.
type Result struct {
	Tests  []Outcome
	Tasks  []TaskResult
	Passed int // tests
	Total  int // tests
	Points int // earned
	Of     int // points that can be earned; 0 for a lesson
	// Fault says why nothing could be checked: the learner's code does not
	// build. Every test is then failed.
	Fault *trace.Fault
}

// Done reports whether everything passed.
func (r Result) Done() bool { return r.Fault == nil && r.Total > 0 && r.Passed == r.Total }

// ScriptError says that checks.js itself is broken: a mistake of the author.
type ScriptError struct{ Fault trace.Fault }

func (e *ScriptError) Error() string {
	at := ""
	if len(e.Fault.Frames) > 0 {
		at = fmt.Sprintf(" (%s:%d)", e.Fault.Frames[0].File, e.Fault.Frames[0].Line)
	}
	return "checks.js stopped: " + e.Fault.Message + at
}

// Run builds the learner's files once, runs the lesson's checks on them and
// calls emit, from one goroutine at a time, for each test as it begins and
// ends. Wrong answers are in the Result. An error means that the checks could
// not be run: the author's script is broken (*ScriptError), the sandbox is
// closing, or ctx has ended.
func Run(ctx context.Context, cfg Config, l *lessons.Lesson, files map[string][]byte, emit func(Event)) (Result, error) {
	if emit == nil {
		emit = func(Event) {}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Wall == 0 {
		cfg.Wall = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Wall, errors.New("the checks took too long"))
	defer cancel()
	s := &session{cfg: cfg, lesson: l, files: files, emit: emit, id: strings.ToLower(rand.Text()[:12]), tests: map[int]*running{}, projects: map[string]*project{}}
	defer s.cleanup()
	s.main = s.project(ctx, "own", files, "")
	if err := s.main.err; err != nil {
		return Result{}, err
	}
	if f := s.main.fault; f != nil {
		return s.refused(f), nil
	}
	src := prelude + "\n" + l.Checks + "\nexport default __coldstartChecks();\n"
	limits := trace.Limits{CPU: 10 * time.Second, StartCPU: 2 * time.Second, Wall: cfg.Wall, Memory: 128 << 20}
	_, fault, err := cfg.Door.Script(ctx, sandbox.Script{Learner: cfg.Learner, Name: "checks.js", Source: src, Limits: limits, Call: s.call})
	if ctx.Err() != nil {
		return s.result(), context.Cause(ctx)
	}
	if err != nil {
		return s.result(), err
	}
	if fault != nil {
		return s.result(), &ScriptError{s.shift(*fault)}
	}
	s.mu.Lock()
	done := s.done
	s.mu.Unlock()
	if !done {
		return s.result(), &ScriptError{trace.Fault{Kind: trace.FaultHung, Message: "A test never ended: it waits for a promise that nothing settles"}}
	}
	return s.result(), nil
}

// preludeLines is how far checks.js is pushed down by what stands before it.
var preludeLines = strings.Count(prelude, "\n") + 1

// shift turns places in the whole script into places in checks.js.
func (s *session) shift(f trace.Fault) trace.Fault {
	frames := make([]trace.Frame, 0, len(f.Frames))
	for _, fr := range f.Frames {
		if fr.Line > preludeLines {
			fr.Line -= preludeLines
			fr.File = "checks.js"
			frames = append(frames, fr)
		}
	}
	f.Frames = frames
	return f
}

// session is one run of a lesson's checks.
type session struct {
	cfg    Config
	lesson *lessons.Lesson
	files  map[string][]byte
	emit   func(Event)
	id     string // of this run, part of every namespace
	main   *project

	mu       sync.Mutex
	tests    map[int]*running
	order    []int
	projects map[string]*project
	done     bool
	messages int // batches delivered, for message ids
	line     map[string]Line
}

// running is one test while it runs and after.
type running struct {
	Event
	began   time.Time
	request string
	fault   *trace.Fault
	logs    []trace.Log
	project *project // replaced by kill
}

// maxLogs is how many of the learner's log lines a failure carries.
const maxLogs = 50

// computed is a part of a check's name that only running the script would tell.
var computed = regexp.MustCompile(`\$\{[^}]*\}`)

// refused fails every declared test, because the code does not build, or
// because we did not get to building it.
func (s *session) refused(f *trace.Fault) Result {
	var frame *trace.Frame
	if len(f.Frames) > 0 {
		frame = &f.Frames[0]
	}
	say := "Your code does not build yet, so it was not run."
	if f.Kind == trace.FaultPlatform {
		say = "Your code was not run, and not checked."
	}
	for i, d := range s.lesson.Declared {
		e := Event{Index: i, Name: computed.ReplaceAllString(d.Name, "…"), Task: d.Task, Kind: d.Kind, State: Failed, Failure: &Failure{Message: say, Got: strings.TrimSpace(f.Message + " " + f.Hint), Fault: f, Frame: frame}}
		s.tests[i] = &running{Event: e}
		s.order = append(s.order, i)
		s.emit(e)
	}
	r := s.result()
	r.Fault = f
	return r
}

func (s *session) result() Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := Result{}
	failed := map[int]bool{}
	tested := map[int]bool{}
	for _, i := range s.order {
		t := s.tests[i]
		if t.State == Running {
			t.State = Failed
			if t.Failure == nil {
				t.Failure = &Failure{Message: "This check did not end.", Request: t.request, Logs: t.logs, Fault: t.fault}
			}
		}
		r.Tests = append(r.Tests, t.Event)
		r.Total++
		tested[t.Task] = true
		if t.State == Passed {
			r.Passed++
		} else {
			failed[t.Task] = true
		}
	}
	for _, t := range s.lesson.Tasks {
		tr := TaskResult{N: t.N, Passed: tested[t.N] && !failed[t.N] && !failed[0]}
		if tr.Passed {
			tr.Points = t.Points
		}
		r.Points += tr.Points
		r.Of += t.Points
		r.Tasks = append(r.Tasks, tr)
	}
	return r
}
