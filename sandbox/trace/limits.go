package trace

import (
	"fmt"
	"slices"
	"time"
)

// Limits bounds what one run, isolate, project or learner may use. A zero field
// means the default; Clamp applies a host's ceilings.
type Limits struct {
	CPU       time.Duration `json:"cpu_ns,omitempty" cbor:"1,keyasint,omitempty"`         // thread CPU time per request; awaiting is free
	StartCPU  time.Duration `json:"start_cpu_ns,omitempty" cbor:"2,keyasint,omitempty"`   // thread CPU time of the module's top level
	Wall      time.Duration `json:"wall_ns,omitempty" cbor:"3,keyasint,omitempty"`        // begin of handle to last byte, and to the end of waitUntil; an open WebSocket does not count
	Memory    int64         `json:"memory,omitempty" cbor:"4,keyasint,omitempty"`         // bytes per isolate; a multiple of 64 KiB is used
	Body      int64         `json:"body,omitempty" cbor:"5,keyasint,omitempty"`           // bytes of one response body
	LogBytes  int           `json:"log_bytes,omitempty" cbor:"6,keyasint,omitempty"`      // per request
	LogCount  int           `json:"log_count,omitempty" cbor:"7,keyasint,omitempty"`      // records per request
	Calls     int           `json:"calls,omitempty" cbor:"8,keyasint,omitempty"`          // subrequests over the whole chain
	Depth     int           `json:"depth,omitempty" cbor:"9,keyasint,omitempty"`          // Worker-to-Worker calls deep
	Requests  int           `json:"requests,omitempty" cbor:"10,keyasint,omitempty"`      // concurrent per isolate
	Isolates  int           `json:"isolates,omitempty" cbor:"11,keyasint,omitempty"`      // live per learner
	Queue     int           `json:"queue,omitempty" cbor:"12,keyasint,omitempty"`         // waiting runs per learner
	Source    int64         `json:"source,omitempty" cbor:"13,keyasint,omitempty"`        // bytes of all source files
	Files     int           `json:"files,omitempty" cbor:"14,keyasint,omitempty"`         // number of source files
	Bundle    int64         `json:"bundle,omitempty" cbor:"15,keyasint,omitempty"`        // bytes after bundling
	KVBytes   int64         `json:"kv_bytes,omitempty" cbor:"16,keyasint,omitempty"`      // per project
	KVKeys    int           `json:"kv_keys,omitempty" cbor:"17,keyasint,omitempty"`       // per project
	Request   int64         `json:"request,omitempty" cbor:"18,keyasint,omitempty"`       // bytes of one request body
	IdleAfter time.Duration `json:"idle_after_ns,omitempty" cbor:"19,keyasint,omitempty"` // an isolate unused for this long is evicted
	R2Bytes   int64         `json:"r2_bytes,omitempty" cbor:"20,keyasint,omitempty"`      // per project
	R2Objects int           `json:"r2_objects,omitempty" cbor:"21,keyasint,omitempty"`    // per project
	SQLBytes  int64         `json:"sql_bytes,omitempty" cbor:"22,keyasint,omitempty"`     // per project: D1's databases and those of its objects, which hold 10 MiB each
	Messages  int           `json:"messages,omitempty" cbor:"23,keyasint,omitempty"`      // per project, that wait in its queues
}

// Default is what a run gets when neither lesson nor host says otherwise.
func Default() Limits {
	return Limits{
		CPU:       50 * time.Millisecond,
		StartCPU:  400 * time.Millisecond,
		Wall:      10 * time.Second,
		Memory:    32 << 20,
		Body:      16 << 20,
		LogBytes:  256 << 10,
		LogCount:  1000,
		Calls:     50,
		Depth:     16,
		Requests:  16,
		Isolates:  4,
		Queue:     32,
		Source:    1 << 20,
		Files:     64,
		Bundle:    4 << 20,
		KVBytes:   8 << 20,
		KVKeys:    1000,
		Request:   16 << 20,
		IdleAfter: time.Minute,
		R2Bytes:   64 << 20,
		R2Objects: 10_000,
		SQLBytes:  64 << 20,
		Messages:  10_000,
	}
}

// Ceiling is the most that a lesson may ask for on a host that sets nothing.
func Ceiling() Limits {
	l := Default()
	l.CPU = 2 * time.Second
	l.StartCPU = 2 * time.Second
	l.Wall = 30 * time.Second
	l.Memory = 128 << 20
	l.IdleAfter = 15 * time.Minute
	return l
}

// Clamp gives l with defaults for its zero fields and nothing above ceiling.
func (l Limits) Clamp(ceiling Limits) Limits {
	d := Default()
	return Limits{
		CPU:       clamp(l.CPU, d.CPU, ceiling.CPU),
		StartCPU:  clamp(l.StartCPU, d.StartCPU, ceiling.StartCPU),
		Wall:      clamp(l.Wall, d.Wall, ceiling.Wall),
		Memory:    clamp(l.Memory, d.Memory, ceiling.Memory),
		Body:      clamp(l.Body, d.Body, ceiling.Body),
		LogBytes:  clamp(l.LogBytes, d.LogBytes, ceiling.LogBytes),
		LogCount:  clamp(l.LogCount, d.LogCount, ceiling.LogCount),
		Calls:     clamp(l.Calls, d.Calls, ceiling.Calls),
		Depth:     clamp(l.Depth, d.Depth, ceiling.Depth),
		Requests:  clamp(l.Requests, d.Requests, ceiling.Requests),
		Isolates:  clamp(l.Isolates, d.Isolates, ceiling.Isolates),
		Queue:     clamp(l.Queue, d.Queue, ceiling.Queue),
		Source:    clamp(l.Source, d.Source, ceiling.Source),
		Files:     clamp(l.Files, d.Files, ceiling.Files),
		Bundle:    clamp(l.Bundle, d.Bundle, ceiling.Bundle),
		KVBytes:   clamp(l.KVBytes, d.KVBytes, ceiling.KVBytes),
		KVKeys:    clamp(l.KVKeys, d.KVKeys, ceiling.KVKeys),
		Request:   clamp(l.Request, d.Request, ceiling.Request),
		IdleAfter: clamp(l.IdleAfter, d.IdleAfter, ceiling.IdleAfter),
		R2Bytes:   clamp(l.R2Bytes, d.R2Bytes, ceiling.R2Bytes),
		R2Objects: clamp(l.R2Objects, d.R2Objects, ceiling.R2Objects),
		SQLBytes:  clamp(l.SQLBytes, d.SQLBytes, ceiling.SQLBytes),
		Messages:  clamp(l.Messages, d.Messages, ceiling.Messages),
	}
}

func clamp[T int | int64 | time.Duration](v, standard, ceiling T) T {
	if v <= 0 {
		v = standard
	}
	if ceiling > 0 {
		v = min(v, ceiling)
	}
	return v
}

// limitName is one limit as lessons and projects write it: a whole number of a unit.
type limitName struct {
	name string
	unit int64 // nanoseconds, bytes or pieces in one
	get  func(Limits) int64
	set  func(*Limits, int64)
}

func named[T int | int64 | time.Duration](name string, unit int64, field func(*Limits) *T) limitName {
	return limitName{name, unit, func(l Limits) int64 { return int64(*field(&l)) }, func(l *Limits, v int64) { *field(l) = T(v) }}
}

const ms = int64(time.Millisecond)

// limitNames are all fields of Limits.
var limitNames = []limitName{
	named("cpu_ms", ms, func(l *Limits) *time.Duration { return &l.CPU }),
	named("start_ms", ms, func(l *Limits) *time.Duration { return &l.StartCPU }),
	named("wall_ms", ms, func(l *Limits) *time.Duration { return &l.Wall }),
	named("memory_mb", 1<<20, func(l *Limits) *int64 { return &l.Memory }),
	named("calls", 1, func(l *Limits) *int { return &l.Calls }),
	named("depth", 1, func(l *Limits) *int { return &l.Depth }),
	named("isolates", 1, func(l *Limits) *int { return &l.Isolates }),
	named("requests", 1, func(l *Limits) *int { return &l.Requests }),
	named("queue", 1, func(l *Limits) *int { return &l.Queue }),
	named("body_kb", 1<<10, func(l *Limits) *int64 { return &l.Body }),
	named("request_kb", 1<<10, func(l *Limits) *int64 { return &l.Request }),
	named("log_kb", 1<<10, func(l *Limits) *int { return &l.LogBytes }),
	named("log_lines", 1, func(l *Limits) *int { return &l.LogCount }),
	named("source_kb", 1<<10, func(l *Limits) *int64 { return &l.Source }),
	named("files", 1, func(l *Limits) *int { return &l.Files }),
	named("bundle_kb", 1<<10, func(l *Limits) *int64 { return &l.Bundle }),
	named("kv_kb", 1<<10, func(l *Limits) *int64 { return &l.KVBytes }),
	named("kv_keys", 1, func(l *Limits) *int { return &l.KVKeys }),
	named("r2_kb", 1<<10, func(l *Limits) *int64 { return &l.R2Bytes }),
	named("r2_objects", 1, func(l *Limits) *int { return &l.R2Objects }),
	named("sql_kb", 1<<10, func(l *Limits) *int64 { return &l.SQLBytes }),
	named("messages", 1, func(l *Limits) *int { return &l.Messages }),
	named("idle_s", int64(time.Second), func(l *Limits) *time.Duration { return &l.IdleAfter }),
}

// LimitNames are the names of all limits, as lessons and projects write them;
// each ends with its unit, if it has one.
func LimitNames() []string {
	names := make([]string, len(limitNames))
	for i, n := range limitNames {
		names[i] = n.name
	}
	return names
}

// Named is the limit of this name in the name's unit; 0 for the default, and
// for a name that no limit has.
func (l Limits) Named(name string) int64 {
	i := slices.IndexFunc(limitNames, func(n limitName) bool { return n.name == name })
	if i < 0 {
		return 0
	}
	return limitNames[i].get(l) / limitNames[i].unit
}

// Name sets the limit of this name, in the name's unit, to no more than the
// ceiling has there, and reports whether there is such a limit. Less than 1 is
// the default, which it leaves alone.
func (l *Limits) Name(name string, value int64, ceiling Limits) bool {
	i := slices.IndexFunc(limitNames, func(n limitName) bool { return n.name == name })
	if i < 0 {
		return false
	}
	value = min(value, 1<<31) // times its unit, still a number
	if most := ceiling.Named(name); most > 0 {
		value = min(value, most)
	}
	if value > 0 {
		limitNames[i].set(l, value*limitNames[i].unit)
	}
	return true
}

// WaitText is a limit of time as learners read it: "50 ms", "10 s".
func WaitText(d time.Duration) string {
	if d >= time.Second && d%time.Second == 0 {
		return fmt.Sprint(int64(d/time.Second), " s")
	}
	return fmt.Sprint(d.Milliseconds(), " ms")
}

// SizeText is a limit of n bytes as learners read it, exact: in the largest unit
// of which it is a whole number.
func SizeText(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprint(n>>20, " MiB")
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprint(n>>10, " KiB")
	}
	return fmt.Sprint(n, " bytes")
}
