package isolate

import "errors"

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
	Stack   string // lines as V8 writes them: "    at name (file:line:col)"
}

func (e *Exception) Error() string { return e.Name + ": " + e.Message }
