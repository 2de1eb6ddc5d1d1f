package platform

import (
	"context"
	"encoding/base64"
	"errors"

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

// trouble passes on what a learner may read and hides the store's own errors,
// which are logged.
func (p *Platform) trouble(op string, err error) error {
	if err == nil {
		return nil
	}
	var t *isolate.Throw
	if errors.As(err, &t) {
		return err
	}
	if !errors.Is(err, context.Canceled) { // its run is over
		p.cfg.Log.Error("storage failed", "op", op, "error", err)
	}
	if errors.Is(err, ErrFull) {
		return plainError("The server's disk is full, so nothing was stored. It was not your code; your instructor has to make room.")
	}
	return plainError("The platform's storage did not answer. It was not your code; run again.")
}
