package live

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
)

// What a stream keeps for pages that reconnect. A page that was away while
// more than this came is told so, and clears its panels.
const (
	keepMessages = 32 << 10 // ×20 of a Worker that logs all it may
	keepBytes    = 8 << 20
	keepShort    = 256 << 10 // instead, once all streams together keep more than keepTotal
	keepTotal    = 256 << 20
)

// stream is the numbered messages of one project, and who follows them.
type stream struct {
	key sandbox.Key
	id  string

	mu       sync.Mutex
	seq      uint64
	kept     [][]byte // of seq-len(kept)+1 … seq
	bytes    int
	sessions map[*session]bool
	jobs     map[string]context.CancelCauseFunc // runs and checks under way, by the page's id
	acts     map[string]chan<- LabAct           // labs under way that take acts
	drawn    map[string]ServerMessage           // the newest drawing of each lab
	recent   []string                           // ids used lately, oldest first
	touched  time.Time
	outside  *rate.Limiter // runs from the public address that pages are told of
	total    *atomic.Int64 // bytes that all streams keep
	stale    atomic.Bool   // pages are about to be told of the isolates
}

func newStream(key sandbox.Key, now time.Time, total *atomic.Int64) *stream {
	return &stream{
		key: key, id: classroom.NewID(12), sessions: map[*session]bool{}, jobs: map[string]context.CancelCauseFunc{}, acts: map[string]chan<- LabAct{},
		touched: now, outside: rate.NewLimiter(20, 20), total: total,
	}
}

// publish numbers a message and gives it to every session.
func (s *stream) publish(m ServerMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	m.Seq = s.seq
	if m.Event != nil {
		e := *m.Event
		e.Seq = s.seq
		m.Event = &e
	}
	if m.Lab != nil && m.Lab.HTML != "" {
		s.redrawn(m)
	}
	data := encoded(m)
	s.kept = append(s.kept, data)
	s.bytes += len(data)
	s.total.Add(int64(len(data)))
	keep := keepBytes
	if s.total.Load() > keepTotal {
		keep = keepShort
	}
	s.trim(keep)
	for x := range s.sessions {
		x.wake()
	}
}

// redrawn takes the drawing out of the message that drew the same lab before:
// the new one draws everything, so a page that comes back needs only that.
func (s *stream) redrawn(m ServerMessage) {
	if s.drawn == nil {
		s.drawn = map[string]ServerMessage{}
	}
	old, ok := s.drawn[m.Lab.Lab]
	s.drawn[m.Lab.Lab] = m
	oldest := s.seq - 1 - uint64(len(s.kept)) // the newest number that is gone; m is not kept yet
	if !ok || old.Seq <= oldest {
		return
	}
	e := *old.Lab
	e.HTML = ""
	old.Lab = &e
	data := encoded(old)
	at := &s.kept[old.Seq-oldest-1]
	s.bytes += len(data) - len(*at)
	s.total.Add(int64(len(data) - len(*at)))
	*at = data
}

func encoded(m ServerMessage) []byte {
	data, err := json.Marshal(m)
	if err != nil {
		panic("live: message cannot be encoded: " + err.Error()) // plain data only
	}
	return data
}

// trim drops the oldest messages until the rest fits; the newest stays.
func (s *stream) trim(keep int) {
	drop := 0
	for s.bytes > keep && drop < len(s.kept)-1 || len(s.kept)-drop > keepMessages {
		s.bytes -= len(s.kept[drop])
		s.total.Add(-int64(len(s.kept[drop])))
		s.kept[drop] = nil
		drop++
	}
	s.kept = s.kept[drop:]
}

func (s *stream) event(e trace.Event) { s.publish(ServerMessage{Type: "event", Event: &e}) }

// after gives the messages after a number, up to about max bytes. ok is false
// when some of them are gone.
func (s *stream) after(seq uint64, max int) (lines [][]byte, last uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := s.seq - uint64(len(s.kept)) // the newest number that is gone
	if seq < oldest {
		return nil, seq, false
	}
	size := 0
	for _, line := range s.kept[seq-oldest:] {
		if size > 0 && size+len(line) > max {
			break
		}
		lines = append(lines, line)
		size += len(line)
		seq++
	}
	return lines, seq, true
}

// join adds a session. It gives the number after which the session follows,
// and whether what it asked for is gone.
func (s *stream) join(x *session, stream string, after uint64) (from, newest uint64, missed bool, running []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[x] = true
	for id := range s.jobs {
		running = append(running, id)
	}
	oldest := s.seq - uint64(len(s.kept))
	switch {
	case stream == "": // a fresh page shows what the server rendered
		return s.seq, s.seq, false, running
	case stream != s.id || after > s.seq || after < oldest:
		return s.seq, s.seq, true, running
	}
	return after, s.seq, false, running
}

func (s *stream) leave(x *session, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, x)
	s.touched = now
}

func (s *stream) watched() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions) > 0
}

// tell sends a message that is not numbered to every session. A session's lock
// is taken before its stream's, never after it.
func (s *stream) tell(m ServerMessage) {
	s.mu.Lock()
	all := slices.Collect(maps.Keys(s.sessions))
	s.mu.Unlock()
	for _, x := range all {
		x.say(m)
	}
}

// begin notes a job. It is refused when its id is in use or was lately, since
// then its events could not be told apart, or when too many run already.
func (s *stream) begin(id string, cancel context.CancelCauseFunc, now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.jobs) >= maxJobs {
		return "32 runs of this project are under way. Wait for one, or stop it."
	}
	for _, used := range s.recent {
		if used == id {
			return "This run was already started. It is not started twice."
		}
	}
	if len(s.recent) == 256 {
		s.recent = s.recent[1:]
	}
	s.recent = append(s.recent, id)
	s.jobs[id] = cancel
	s.touched = now
	return ""
}

// maxJobs is how many runs and checks of one project go on at once, waiting in
// the sandbox's queue included: its queue of one learner is as long.
const maxJobs = 32

func (s *stream) end(id string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.jobs, id)
	s.touched = now
}

func (s *stream) cancel(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.jobs[id]; cancel != nil {
		cancel(errCanceled)
	}
}

// idle reports whether nobody follows the stream, nothing runs, and nothing
// happened for a while, or ever: then a page that comes back starts afresh.
func (s *stream) idle(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := now.Sub(s.touched)
	return len(s.sessions) == 0 && len(s.jobs) == 0 && (left > forgetAfter || s.seq == 0 && left > forgetEmpty)
}

// drop empties a stream that is forgotten.
func (s *stream) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total.Add(-int64(s.bytes))
	s.kept, s.bytes, s.drawn = nil, 0, nil
}

// forgetAfter is how long a stream outlives its last page: longer than a
// laptop's lid stays closed between two rooms.
const forgetAfter = 15 * time.Minute

// forgetEmpty is the same for a stream that has told nothing: longer than a
// page takes to come back after its socket was cut.
const forgetEmpty = time.Minute
