package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"coldstart/sandbox/trace"
)

// What a host may set bounds what lessons may ask for, within what the walls
// were measured for.
func TestLimits(t *testing.T) {
	good := limitFlags{CPU: 2 * time.Second, Time: 30 * time.Second, Memory: 128, Runs: 4}
	if err := good.check(); err != nil || good.ceiling() != trace.Ceiling() {
		t.Errorf("the defaults give %v, %+v", err, good.ceiling())
	}
	small := limitFlags{CPU: 10 * time.Millisecond, Time: time.Second, Memory: 16, Runs: 1}
	got := trace.Limits{CPU: time.Second, Memory: 64 << 20}.Clamp(small.ceiling())
	if err := small.check(); err != nil || got.CPU != small.CPU || got.Wall != small.Time || got.Memory != 16<<20 || small.rates().Run.Burst < 1 {
		t.Errorf("the smallest give %v, %+v", err, got)
	}
	for flag, change := range map[string]func(*limitFlags){
		"--limit-cpu 3s":     func(l *limitFlags) { l.CPU = 3 * time.Second },
		"--limit-time 0s":    func(l *limitFlags) { l.Time = 0 },
		"--limit-memory 256": func(l *limitFlags) { l.Memory = 256 },
		"--limit-runs 0":     func(l *limitFlags) { l.Runs = 0 },
	} {
		bad := good
		change(&bad)
		if err := bad.check(); err == nil || !strings.Contains(err.Error(), flag+" must be ") {
			t.Errorf("%s gives %v", flag, err)
		}
	}
}

// Lessons that ask for more than the host gives are cut to it, and the start says which.
func TestLimitsCutLessons(t *testing.T) {
	var said bytes.Buffer
	c := serveCmd{limitFlags: limitFlags{CPU: 100 * time.Millisecond, Time: time.Second, Memory: 128, Runs: 4}}
	catalog, _, err := c.catalog(&globals{Stderr: &said})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range catalog.Lessons() {
		if l.Limits.CPU > c.CPU || l.Limits.Wall > c.Time {
			t.Errorf("%s keeps %v of CPU time and %v in all", l.ID, l.Limits.CPU, l.Limits.Wall)
		}
	}
	if got := said.String(); !strings.Contains(got, "E006 cpu_ms 400 is over this server's ceiling (100)") || strings.Contains(got, "left out") {
		t.Errorf("the start says %s", got)
	}
}

// The manual lists each limit with what a run has usually and at most.
func TestManualHasEveryLimit(t *testing.T) {
	page, err := os.ReadFile("../../docs/authoring.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range trace.LimitNames() {
		if row := fmt.Sprintf("\n| `%s` | %d | %d | ", name, trace.Default().Named(name), trace.Ceiling().Named(name)); !strings.Contains(string(page), row) {
			t.Errorf("docs/authoring.md has no row %q", row[1:])
		}
	}
}
