package box

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Kind is one kind of box, ready to start copies of one handler. Its methods
// are called from one goroutine. Whoever made it closes it.
type Kind interface {
	// Start makes one more copy, sends it one request and returns when the
	// answer is whole: the copy then idles. The copy ends when Stop or Close is
	// called, not when ctx does.
	Start(ctx context.Context) (Box, error)
	// Memory is what all live copies hold together with all that they need,
	// in bytes. A page that several share counts once.
	Memory() (int64, error)
	// Close stops every copy and waits until they are gone.
	Close() error
}

// Resting is a Kind whose copies give memory back some time after they have
// answered.
type Resting interface {
	// Rest returns once they have. An error is the cause of ctx's end, or that
	// their memory cannot be read.
	Rest(ctx context.Context) error
}

// Box is one running copy.
type Box interface {
	// FirstByte is the time from asking for the copy to the first byte of its first answer.
	FirstByte() time.Duration
	// Phases divide FirstByte, in order and without gaps.
	Phases() []Phase
	// Request sends one more request and gives the time to its first byte.
	Request(ctx context.Context) (time.Duration, error)
	// Stop ends the copy and waits until it is gone. Stopping twice is fine.
	Stop() error
}

// Phase is a part of a start, from the moment the copy was asked for.
type Phase struct {
	Kind     PhaseKind
	Name     string // "boot the runtime, load the code"
	From, To time.Duration
}

// PhaseKind is what a phase is compared as.
type PhaseKind string

// The kinds of phase: making the box, making what runs in it ready, and answering.
const (
	Start  PhaseKind = "start"
	Load   PhaseKind = "load"
	Handle PhaseKind = "handle"
)

// MissingError says why this host has no boxes of a kind. Its text completes
// the sentence "Not on this host, because …".
type MissingError struct{ Why string }

func (e *MissingError) Error() string { return e.Why }

// Machine says what figures were measured on: model, processors, load.
func Machine() string {
	model := runtime.GOARCH
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for sc := bufio.NewScanner(f); sc.Scan(); {
			if k, v, ok := strings.Cut(sc.Text(), ":"); ok && strings.TrimSpace(k) == "model name" {
				model = strings.TrimSpace(v)
				break
			}
		}
	}
	load := ""
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		first, _, _ := strings.Cut(string(b), " ")
		load = ", load " + first
	}
	return fmt.Sprintf("%s, %d processors%s", model, runtime.NumCPU(), load)
}
