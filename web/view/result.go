package view

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"coldstart/sandbox/trace"
)

type (
	fault = trace.Fault
	frame = trace.Frame
	val   = trace.Value
)

// readout is one tab of the result with its newest value.
type readout struct {
	id, name, value string
	temp            temp
	fault           bool
}

func readouts(r Result) []readout {
	none := "–"
	out := []readout{
		{id: "response", name: "Response", value: none},
		{id: "logs", name: "Logs", value: none},
		{id: "timeline", name: "Timeline", value: none},
		{id: "isolate", name: "Isolate", value: none},
		{id: "checks", name: "Checks", value: none},
	}
	if run := r.Run; run != nil {
		if run.Head != nil {
			out[0].value = fmt.Sprintf("%d · %s", run.Head.Status, size(run.Summary.BodyBytes))
		} else if run.Summary.Fault != nil {
			out[0].value = "stopped"
		}
		out[0].fault = run.Summary.Fault != nil && ownError(run.Summary.Fault)
		out[2].value, out[2].temp = Duration(run.Summary.Wall), run.Summary.Temperature
	}
	if len(r.Logs) > 0 {
		errors := 0
		for _, l := range r.Logs[0].Lines {
			if l.Level == "error" {
				errors++
			}
		}
		if errors > 0 {
			out[1].value, out[1].fault = count(errors, "error"), true
		} else {
			out[1].value = count(len(r.Logs[0].Lines), "line")
		}
	}
	if r.Isolate != nil {
		out[3].value = r.Isolate.State.State
		switch out[3].value {
		case "cold", "warm":
			out[3].temp = temp(out[3].value)
		case "idle": // still in memory
			out[3].temp = trace.Warm
		}
	}
	if r.Checking {
		passed := checksPassed(r.Checks)
		out[4].value = fmt.Sprintf("%d of %d", passed, len(r.Checks))
		out[4].fault = passed < len(r.Checks)
	}
	return out
}

// openTab is the panel that is open first.
func openTab(r Result) string {
	if r.Tab != "" {
		return r.Tab
	}
	if r.Run != nil && r.Run.Summary.Fault == nil && len(r.Series) > 0 {
		return "timeline"
	}
	return "response"
}

func resultName(r Result) string {
	if r.Run == nil {
		return "Result"
	}
	return "Result of run " + strconv.Itoa(r.Run.N)
}

func resultNews(r Result) string {
	switch {
	case r.Run == nil:
		return "no run yet"
	case r.Run.Summary.Fault != nil:
		return "stopped"
	}
	return Duration(r.Run.Summary.Wall)
}

func statusLine(h trace.ResponseHead) string {
	text := h.StatusText
	if text == "" {
		text = http.StatusText(h.Status)
	}
	return strings.TrimSpace(strconv.Itoa(h.Status) + " " + text)
}

func checksPassed(cs []Check) int {
	n := 0
	for _, c := range cs {
		if c.State == CheckPassed {
			n++
		}
	}
	return n
}

func checksSay(r Result) string {
	if !r.Checking {
		return "Not run yet. They send requests to your Worker and say what came back."
	}
	passed := checksPassed(r.Checks)
	if passed == len(r.Checks) {
		if passed == 1 {
			return "It passes."
		}
		return fmt.Sprintf("All %d pass.", passed)
	}
	return fmt.Sprintf("%d of %d pass.", passed, len(r.Checks))
}

// ownError reports whether a fault is the learner's own error, the only kind shown in red.
func ownError(f *trace.Fault) bool {
	switch f.Kind {
	case trace.FaultBuild, trace.FaultConfig, trace.FaultException, trace.FaultStartup, trace.FaultHandler, trace.FaultHung:
		return true
	}
	return false
}

func stopHeading(f *trace.Fault) string {
	if f.Name != "" && !strings.HasPrefix(f.Message, f.Name) {
		return f.Name + ": " + f.Message
	}
	return f.Message
}

// inFunc names the function of a frame, if it has one.
func inFunc(f trace.Frame) string {
	if f.Func == "" {
		return ""
	}
	return " in " + f.Func
}

func laneWidth(r RunRow, runs []RunRow) float64 {
	longest := int64(1)
	for _, o := range runs {
		longest = max(longest, o.Wall)
	}
	return max(float64(r.Wall)/float64(longest), minBar)
}

// stage is one step in the life of an isolate.
type stage struct {
	name, note, class string
	now               bool
}

// life is the line cold → warm → idle → evicted, with where this isolate stands.
func life(i Isolate) []stage {
	stages := []stage{{name: "cold"}, {name: "warm"}, {name: "idle"}, {name: "evicted"}}
	at := 0
	switch i.State.State {
	case "warm":
		at = 1
	case "idle":
		at = 2
	}
	if gone(i) {
		at = 3
		stages[3].name = i.State.State
		stages[3].note = i.State.Why
	}
	stages[at].now = true
	for k := range stages {
		switch {
		case k == 0:
			stages[k].class = "life-cold"
		case k == 1 && at >= 1, k == 2 && at == 2:
			stages[k].class = "life-warm"
		}
		if k < at {
			stages[k].class += " life-past"
		}
	}
	if i.Start > 0 {
		stages[0].note = Duration(i.Start)
	}
	if at == 1 || at == 2 {
		stages[1].note = Duration(i.State.Age)
	}
	if at < 2 && i.IdleIn > 0 {
		stages[2].note = "in " + Duration(i.IdleIn)
	}
	if i.State.Kept && at < 3 {
		stages[3].note = "not while kept"
	}
	return stages
}

// gone reports whether an isolate has ended.
func gone(i Isolate) bool { return i.State.State == "evicted" || i.State.State == "killed" }
