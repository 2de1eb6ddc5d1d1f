package web

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// askTogether is for how long the first page that asks waits for others.
const askTogether = 100 * time.Millisecond

// members finds out whose sessions are good still. Every open page asks more
// than once a second, so that those of a class are asked for together.
type members struct {
	ask func(tokens []string) (map[string]string, error) // workspace of each good one

	mu   sync.Mutex
	next *askRound
}

// askRound is one question to the store. What it found is there once done is closed.
type askRound struct {
	tokens map[string]bool
	done   chan struct{}
	found  map[string]string
	err    error
}

// workspace is whose session a token is now, "" for nobody's. Whoever asks
// first does so for all who come within askTogether.
func (m *members) workspace(ctx context.Context, token string) (string, error) {
	m.mu.Lock()
	r := m.next
	first := r == nil
	if first {
		r = &askRound{tokens: map[string]bool{}, done: make(chan struct{})}
		m.next = r
	}
	r.tokens[token] = true
	m.mu.Unlock()
	if !first {
		select {
		case <-r.done:
			return r.found[token], r.err
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	time.Sleep(askTogether) // also when this page goes: others wait for the answer
	m.mu.Lock()
	m.next = nil
	m.mu.Unlock()
	r.found, r.err = m.ask(slices.Collect(maps.Keys(r.tokens)))
	close(r.done)
	return r.found[token], r.err
}
