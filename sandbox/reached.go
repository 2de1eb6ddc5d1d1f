package sandbox

import (
	"maps"
	"sync"

	"coldstart/sandbox/trace"
)

// Names of limits in Stats.Reached. Each stands for fields of trace.Limits.
const (
	limitCPU      = "cpu"      // CPU and StartCPU, also where code had to be killed
	limitWall     = "wall"     // Wall
	limitMemory   = "memory"   // Memory
	limitRequest  = "request"  // Request
	limitBody     = "body"     // Body
	limitLog      = "log"      // LogBytes and LogCount: a run whose log is not whole
	limitCalls    = "calls"    // Calls
	limitDepth    = "depth"    // Depth
	limitIsolates = "isolates" // Isolates and Requests: a run waited, or took an idle isolate's place
	limitQueue    = "queue"    // Queue
	limitBuild    = "build"    // Source, Files, Bundle, and the time of a build
	limitStorage  = "storage"  // KVBytes, KVKeys, R2Bytes, R2Objects, SQLBytes, Messages
)

// reached counts how often limits were reached.
type reached struct {
	mu sync.Mutex
	n  map[string]int64
}

func newReached() *reached {
	r := &reached{n: map[string]int64{}}
	for _, name := range []string{limitCPU, limitWall, limitMemory, limitRequest, limitBody, limitLog, limitCalls, limitDepth, limitIsolates, limitQueue, limitBuild, limitStorage} {
		r.n[name] = 0
	}
	return r
}

func (r *reached) add(name string) {
	r.mu.Lock()
	r.n[name]++
	r.mu.Unlock()
}

// run counts what the summary of a run tells of.
func (r *reached) run(s *trace.Summary) {
	switch trace.FaultKind(s.Outcome) {
	case trace.FaultCPU, trace.FaultRunner:
		r.add(limitCPU)
	case trace.FaultWall:
		r.add(limitWall)
	case trace.FaultMemory:
		r.add(limitMemory)
	case trace.FaultLimit:
		r.add(limitBody)
	}
	if s.LogsDropped > 0 {
		r.add(limitLog)
	}
	if s.CallsRefused > 0 {
		r.add(limitCalls)
	}
}

func (r *reached) all() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.n)
}
