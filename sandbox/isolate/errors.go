package isolate

import (
	"errors"
	"strings"
)

// What ends a call without the learner's code having its say.
var (
	ErrInterrupted = errors.New("isolate: interrupted")           // Host.Interrupted said stop; the isolate is spent
	ErrMemory      = errors.New("isolate: memory ceiling")        // the heap is full; the isolate is spent
	ErrBroken      = errors.New("isolate: instance is broken")    // trap, stack overflow in native code, or closed
	ErrUnsupported = errors.New("isolate: engine has no modules") // goja and ES modules: the bundler must lower first
)

// Exception is a JavaScript exception that reached the host. Stack holds the
// engine's own positions, in the bundled code: mapping is the caller's work.
type Exception struct {
	Name    string
	Message string
	Stack   string     // lines as V8 writes them: "    at name (file:line:col)"
	Cause   *Exception // what the error names as its cause, nil when it names none; at most MaxCauses deep
}

// MaxCauses bounds the chain of an Exception's causes.
const MaxCauses = 4

func (e *Exception) Error() string {
	if e.Name == "" {
		return e.Message // not an Error: the value that was thrown, as text
	}
	if e.Message == "" {
		return e.Name
	}
	return e.Name + ": " + e.Message
}

// Stop is how ErrInterrupted and ErrMemory arrive: with the place the code was
// at, where the engine can tell.
type Stop struct {
	Cause error
	Stack string // as in Exception
}

func (s *Stop) Error() string { return s.Cause.Error() }

// Unwrap makes errors.Is find the cause.
func (s *Stop) Unwrap() error { return s.Cause }

// Frames keeps the lines of a stack that are frames ("    at …"), as V8
// writes them, and drops the rest.
func Frames(stack string) string {
	var b strings.Builder
	for line := range strings.Lines(stack) {
		line = strings.TrimRight(line, "\n")
		if !strings.HasPrefix(strings.TrimLeft(line, " "), "at ") {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("    " + strings.TrimLeft(line, " "))
	}
	return b.String()
}
