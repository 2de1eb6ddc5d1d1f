package web

import (
	"context"
	"encoding/hex"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/view"
)

// result is the workbench's result as the store knows it: the run that was
// asked for, else the newest, and what surrounds it.
func (s *Site) result(c *call, x studying, chosen string) view.Result {
	var out view.Result
	if len(x.runs) > 0 {
		run := x.run(chosen)
		if run == nil {
			run = &x.runs[0]
		}
		out.Run = s.run(c, x, *run)
		for i, r := range x.runs {
			out.Earlier = append(out.Earlier, view.RunRow{
				N: int(r.Number), Method: r.Method, Path: r.Path, Temperature: r.Summary.Temperature, Wall: r.Summary.Wall, Outcome: r.Summary.Outcome,
			})
			if len(out.Logs) < 20 && (len(r.Logs) > 0 || i == 0) {
				out.Logs = append(out.Logs, logRun(r))
			}
			if out.Before == nil && r.ID != run.ID && r.Summary.Temperature != run.Summary.Temperature && r.Summary.Temperature != "" {
				out.Before = s.run(c, x, r)
			}
		}
		for _, t := range []trace.Temperature{trace.Cold, trace.Warm} {
			if samples := series(x.runs, t); len(samples) > 1 {
				out.Series = append(out.Series, view.Series{Name: "now", Temperature: t, Samples: samples})
			}
		}
		out.Isolate = s.isolate(c.r.Context(), x)
	}
	out.Checking = len(x.checks) > 0
	for _, check := range x.checks {
		out.Checks = append(out.Checks, shownCheck(check))
	}
	return out
}

// run finds a kept run by id, nil when there is none.
func (x studying) run(id string) *classroom.Run {
	if i := slices.IndexFunc(x.runs, func(r classroom.Run) bool { return r.ID == id }); i >= 0 && id != "" {
		return &x.runs[i]
	}
	return nil
}

func (s *Site) run(c *call, x studying, r classroom.Run) *view.Run {
	return &view.Run{N: int(r.Number), Method: r.Method, Path: r.Path, Summary: r.Summary, Head: r.Head, Body: s.body(c, x, r)}
}

func (s *Site) body(c *call, x studying, r classroom.Run) view.Body {
	b := view.Body{Bytes: max(r.Summary.BodyBytes, int64(len(r.Body))), Truncated: r.Truncated || r.Summary.BodyBytes > int64(len(r.Body))}
	if r.Head != nil {
		for _, h := range r.Head.Headers {
			if strings.EqualFold(h[0], "content-type") {
				if kind, _, err := mime.ParseMediaType(h[1]); err == nil {
					b.Type = kind
				}
			}
		}
	}
	if strings.HasPrefix(r.Path, "/") && r.Method == "GET" {
		b.Preview = s.base(c.r) + "/w/" + x.project.Slug + r.Path
	}
	text := r.Body
	if b.Truncated { // the cut may be inside a character
		for range utf8.UTFMax {
			if utf8.Valid(text) || len(text) == 0 {
				break
			}
			text = text[:len(text)-1]
		}
	}
	if utf8.Valid(text) && !strings.ContainsRune(string(text), 0) {
		b.Text = string(text)
	} else {
		b.Binary, b.Hex = true, hex.Dump(r.Body[:min(len(r.Body), 1024)])
	}
	return b
}

func logRun(r classroom.Run) view.LogRun {
	out := view.LogRun{
		Title: fmt.Sprintf("run %d", r.Number), Request: r.Method + " " + r.Path, Temperature: r.Summary.Temperature, Wall: r.Summary.Wall,
		Status: r.Summary.Status, Dropped: r.Summary.LogsDropped + max(0, r.Summary.Logs-len(r.Logs)),
	}
	for _, l := range r.Logs {
		out.Lines = append(out.Lines, view.LogLine{At: l.At, Log: l.Log})
	}
	return out
}

// series are the times of the newest repeated runs of one temperature, in the
// order in which they ran.
func series(runs []classroom.Run, t trace.Temperature) []int64 {
	return repeated(runs, t, func(s *trace.Summary) int64 { return s.Wall })
}

// repeated takes something from the newest repeated runs of one temperature, in
// the order in which they ran.
func repeated(runs []classroom.Run, t trace.Temperature, of func(*trace.Summary) int64) []int64 {
	var samples []int64
	id := ""
	for _, r := range runs {
		name, _, many := strings.Cut(r.ID, ".")
		if !many || r.Summary.Temperature != t || r.Summary.Outcome != "ok" {
			continue
		}
		if id == "" {
			id = name
		}
		if name == id {
			samples = append(samples, of(&r.Summary))
		}
	}
	slices.Reverse(samples)
	return samples
}

// figures are what lessons can ask for of the learner's own runs, in microseconds.
func figures(runs []classroom.Run) map[string]int64 {
	out := map[string]int64{}
	for _, t := range []trace.Temperature{trace.Cold, trace.Warm} {
		samples := series(runs, t)
		if len(samples) == 0 {
			continue
		}
		slices.Sort(samples)
		out[string(t)+".p50"] = samples[(len(samples)-1)/2]
		out[string(t)+".p99"] = samples[len(samples)-1-len(samples)/100]
		out[string(t)+".min"], out[string(t)+".max"] = samples[0], samples[len(samples)-1]
	}
	for _, p := range []trace.Phase{trace.PhaseStart, trace.PhaseLoad} { // which only cold runs have
		if samples := repeated(runs, trace.Cold, func(s *trace.Summary) int64 { return s.Phase(p) }); len(samples) > 0 {
			slices.Sort(samples)
			out[string(p)+".p50"] = samples[(len(samples)-1)/2]
		}
	}
	return out
}

// isolate is the newest live isolate with its page map.
func (s *Site) isolate(ctx context.Context, x studying) *view.Isolate {
	key := sandbox.Key{Learner: x.project.Workspace, Project: x.project.ID}
	all := s.config.Door.Isolates(key)
	if len(all) == 0 {
		return nil
	}
	state := all[len(all)-1]
	out := &view.Isolate{State: state, CPULimit: s.limitsOf(x.lesson).CPU.Microseconds()}
	for _, r := range x.runs {
		if r.Summary.Isolate != state.ID {
			continue
		}
		if out.LastCPU == 0 {
			out.LastCPU = r.Summary.CPU
		}
		if r.Summary.Temperature == trace.Cold {
			out.Start = r.Summary.Phase(trace.PhaseStart) + r.Summary.Phase(trace.PhaseLoad)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if pages, err := s.config.Door.Pages(ctx, key, state.ID); err == nil {
		out.Pages = pages
	}
	return out
}

func shownCheck(c classroom.Check) view.Check {
	e := detail(c)
	out := view.Check{
		Task: c.Task, Name: c.Name, State: view.CheckFailed, Message: e.Message, Request: e.Request, Expected: e.Expected, Got: e.Got, Frame: e.Frame,
	}
	if c.Passed {
		out.State = view.CheckPassed
	}
	for _, l := range e.Logs {
		out.Logs = append(out.Logs, view.LogLine{Log: l})
	}
	return out
}

// words say a run in one sentence, for readers who do not see the panels.
func words(r *view.Run) string {
	if f := r.Summary.Fault; f != nil {
		return fmt.Sprintf("Run %d stopped: %s", r.N, f.Message)
	}
	temperature := ""
	if r.Summary.Temperature != "" {
		temperature = string(r.Summary.Temperature) + ", "
	}
	return fmt.Sprintf("Run %d: %d, %d bytes, %s%s.", r.N, r.Summary.Status, r.Body.Bytes, temperature, view.Duration(r.Summary.Wall))
}
