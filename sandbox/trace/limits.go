package trace

import "time"

// Limits bounds what one run, isolate, project or learner may use. A zero field
// means the default; Clamp applies a host's ceilings.
type Limits struct {
	CPU       time.Duration `json:"cpu_ns,omitempty" cbor:"1,keyasint,omitempty"`         // thread CPU time per request; awaiting is free
	StartCPU  time.Duration `json:"start_cpu_ns,omitempty" cbor:"2,keyasint,omitempty"`   // thread CPU time of the module's top level
	Wall      time.Duration `json:"wall_ns,omitempty" cbor:"3,keyasint,omitempty"`        // begin of handle to last byte
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
