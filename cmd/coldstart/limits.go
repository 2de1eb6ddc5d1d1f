package main

import (
	"fmt"
	"time"

	"coldstart/sandbox/trace"
	"coldstart/web"
)

// limitFlags are what a host allows learners and lessons at most.
type limitFlags struct {
	CPU    time.Duration `name:"limit-cpu" help:"Most CPU time that a lesson or project may give one request." default:"2s" env:"COLDSTART_LIMIT_CPU" placeholder:"TIME"`
	Time   time.Duration `name:"limit-time" help:"Longest that one request may take." default:"30s" env:"COLDSTART_LIMIT_TIME" placeholder:"TIME"`
	Memory int           `name:"limit-memory" help:"Most memory of one isolate, in MiB." default:"128" env:"COLDSTART_LIMIT_MEMORY" placeholder:"MIB"`
	Runs   int           `name:"limit-runs" help:"Runs and checks a second of one learner; a short row of more is let through." default:"4" env:"COLDSTART_LIMIT_RUNS" placeholder:"RUNS"`
}

// check refuses what no lesson could live with, and what the walls around
// isolates were not measured for.
func (l limitFlags) check() error {
	most := trace.Ceiling()
	switch {
	case l.CPU < 10*time.Millisecond || l.CPU > most.CPU:
		return fmt.Errorf("serve: --limit-cpu %v must be 10ms to %v", l.CPU, most.CPU)
	case l.Time < time.Second || l.Time > most.Wall:
		return fmt.Errorf("serve: --limit-time %v must be 1s to %v", l.Time, most.Wall)
	case l.Memory < 16 || int64(l.Memory) > most.Memory>>20:
		return fmt.Errorf("serve: --limit-memory %d must be 16 to %d", l.Memory, most.Memory>>20)
	case l.Runs < 1 || l.Runs > 1000:
		return fmt.Errorf("serve: --limit-runs %d must be 1 to 1000", l.Runs)
	}
	return nil
}

// ceiling is the most that a project may ask for.
func (l limitFlags) ceiling() trace.Limits {
	c := trace.Ceiling()
	c.CPU, c.Wall, c.Memory = l.CPU, l.Time, int64(l.Memory)<<20
	return c
}

// rates are the budgets of requests; those that have no flag are the site's own.
func (l limitFlags) rates() web.Rates {
	return web.Rates{Run: web.Rate{PerSecond: float64(l.Runs), Burst: l.Runs * 15 / 4}}
}

// settings are what the host's page says of this server.
func (c *serveCmd) settings() []web.Setting {
	or := func(value, otherwise string) string {
		if value == "" {
			return otherwise
		}
		return value
	}
	own := "may be brought"
	if !c.OwnLessons {
		own = "are off"
	}
	kept := web.Setting{Name: "Database", Value: "SQLite in " + c.Data, Flag: "--data, --db"}
	if c.DB != "" {
		kept.Value = "PostgreSQL"
	}
	return []web.Setting{
		{Name: "Address", Value: or(c.PublicURL, "as each visitor typed it"), Flag: "--public-url"},
		kept,
		{Name: "Lessons", Value: or(c.Lessons, "the shipped ones"), Flag: "--lessons"},
		{Name: "Instructors’ own lessons", Value: own, Flag: "--instructor-lessons"},
		{Name: "CPU time of a request, at most", Value: c.CPU.String(), Flag: "--limit-cpu"},
		{Name: "Time of a request, at most", Value: c.Time.String(), Flag: "--limit-time"},
		{Name: "Memory of an isolate, at most", Value: fmt.Sprintf("%d MiB", c.Memory), Flag: "--limit-memory"},
		{Name: "Runs a second of one learner", Value: fmt.Sprint(c.Runs), Flag: "--limit-runs"},
		{Name: "Audit log is kept", Value: fmt.Sprintf("%d days", c.AuditDays), Flag: "--audit-days"},
	}
}
