package platform

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"coldstart/sandbox/isolate"
)

// A cursor is the last key given, in base64: it needs no state here and says
// nothing that its owner does not know.
func keyCursor(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

func cursorKey(cursor string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return "", plainError("The cursor is not one that list() gave.")
	}
	return string(b), nil
}

// ErrFull is a Store's error when its disk has no room.
var ErrFull = errors.New("the disk is full")

// StorageError is why a Durable Object's own storage did not do what it was asked
// for: its project has no room, or the platform failed, which is Ours.
type StorageError struct {
	Err  error // as the object's code catches it
	Ours bool
}

// Error is what its code catches.
func (e *StorageError) Error() string { return e.Err.Error() }

// Unwrap gives Err.
func (e *StorageError) Unwrap() error { return e.Err }

// trouble passes on what a learner may read and hides the store's own errors,
// which are logged. Those of an object's own storage are a StorageError.
func (p *Platform) trouble(op string, err error) error {
	said, ours := p.said(op, err)
	if said != nil && strings.HasPrefix(op, "storage") {
		return &StorageError{said, ours}
	}
	return said
}

func (p *Platform) said(op string, err error) (said error, ours bool) {
	if err == nil {
		return nil, false
	}
	var t *isolate.Throw
	if errors.As(err, &t) {
		return err, errors.Is(err, errSQLLost)
	}
	if !errors.Is(err, context.Canceled) { // its run is over
		p.cfg.Log.Error("storage failed", "op", op, "error", err)
	}
	if errors.Is(err, ErrFull) {
		return plainError("The server's disk is full, so nothing was stored. It was not your code; your instructor has to make room."), true
	}
	return plainError("The platform's storage did not answer. It was not your code; run again."), true
}
