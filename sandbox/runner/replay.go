package runner

import (
	"io"
)

// replayMax is how much of a request's body is kept, so that a run which had
// no effect can be begun again elsewhere.
const replayMax = 64 << 10

// Replay is a request body whose beginning is kept. When all of it fits, a run
// can be started with it more than once.
type Replay struct {
	rest io.ReadCloser
	kept []byte
	all  bool
}

// NewReplay reads the beginning of body. It waits for the body's first bytes
// only when it is known to be short: length is -1 when unknown.
func NewReplay(body io.ReadCloser, length int64) (*Replay, error) {
	r := &Replay{rest: body}
	if length < 0 || length > replayMax {
		return r, nil
	}
	r.kept = make([]byte, length)
	n, err := io.ReadFull(body, r.kept)
	r.kept = r.kept[:n]
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	r.all = true
	return r, body.Close()
}

// Again reports whether another run can be started with the body.
func (r *Replay) Again() bool { return r.all }

func (r *Replay) head() (first []byte, more bool) { return r.kept, !r.all }

// Read reads what was not kept.
func (r *Replay) Read(p []byte) (int, error) {
	if r.all {
		return 0, io.EOF
	}
	return r.rest.Read(p)
}

// Close closes the body.
func (r *Replay) Close() error { return r.rest.Close() }
