package runner

import (
	"fmt"
	"strings"
	"syscall"
)

// Who is to blame for a child's death is known when it was killed because of
// one isolate, and when it was killed for a reason that has nothing to do with
// what ran in it. Everything else is unknown: a full memory, a crash, nonsense
// in a frame. Then all its runs are suspects, and those that are tried again
// run alone (Ring.Alone), where a second death tells.

// kill stops the process for a reason that lies in what runs there; isolate is
// to blame, 0 when it is not known which.
func (p *Runner) kill(why string, isolate uint64) { p.finish(why, isolate, false) }

// dismiss stops the process for a reason that has nothing to do with what runs there.
func (p *Runner) dismiss(why string) { p.finish(why, 0, true) }

func (p *Runner) finish(why string, isolate uint64, outside bool) {
	p.mu.Lock()
	if p.why == "" && !p.gone {
		p.why, p.guilty, p.outside = why, isolate, outside
	}
	p.mu.Unlock()
	_ = p.cmd.Process.Kill()
}

// blame is what a run learns of its runner's death.
func (p *Runner) blame(r *Run) End {
	e := End{Why: p.why, Full: p.full, Lost: LostSuspect}
	switch {
	case p.guilty != 0 && r.isolate == p.guilty:
		e.Lost = LostGuilty
	case p.guilty != 0 || p.outside:
		e.Lost = LostInnocent
	case p.alone:
		e.Lost, e.Alone = LostGuilty, true
	}
	return e
}

// ownMemory is how much a child holds of what it may when the kernel's choice
// of it for a full machine counts as its own doing.
const ownMemory = 4

// postmortem says why a child died that was not killed from here. p.mu is
// held, and the process has been waited for.
func (p *Runner) postmortem() {
	killed := false
	if s := p.cmd.ProcessState; s != nil {
		ws, ok := s.Sys().(syscall.WaitStatus)
		killed = ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL
	}
	said := p.tail.String()
	switch {
	case killed && oomKills() > p.ooms && p.private > p.ring.cfg.Memory/ownMemory:
		p.why, p.full = "the kernel killed it for memory", true
	case killed:
		// No code can do that: the filter lets no signal out and nothing else sends this one.
		p.why, p.outside = "it was killed from outside", true
	case strings.Contains(said, "out of memory") || strings.Contains(said, "cannot allocate memory"):
		p.why, p.full = "it had no memory left", true
	default:
		p.why = "it stopped by itself"
	}
}

// overfull judges a child that holds m bytes, more than it may. One isolate is
// to blame when nothing but its runs was under way while most of it came. p.mu
// is held.
func (p *Runner) overfull(m int64) (why string, blame uint64) {
	p.full = true
	grown := m
	for _, r := range p.runs {
		if blame != 0 && r.isolate != blame {
			blame = 0
			break
		}
		blame, grown = r.isolate, min(grown, m-r.base)
	}
	if len(p.jobs) > 0 || grown < p.ring.cfg.Memory/2 {
		blame = 0
	}
	return fmt.Sprintf("it held %d MiB", m>>20), blame
}
