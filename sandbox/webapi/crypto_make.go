package webapi

import (
	"context"
	"slices"
	"time"

	"coldstart/sandbox/isolate"
)

// Bounds of making keys. Finding the primes of one takes up to seconds, which
// no run's CPU time would allow, so it is not counted there; the parent charges
// the learner for it.
const (
	keyBits = 4096
	keysRun = 4 * 64          // weight of the RSA keys that one run may make
	keyWait = 2 * time.Second // of a call that holds its isolate meanwhile
)

// keymaker makes keys with primes one at a time in this process, and one at a
// time for an isolate, so that many wishes of one are no burden for others.
type keymaker struct{ turn chan struct{} }

func newKeymaker() keymaker { return keymaker{make(chan struct{}, 1)} }

// pair begins to make a pair of keys, inside a turn, and gives what waits for
// it. That may be called by any goroutine, once.
func (k keymaker) pair(h *isolate.Loop, kind string, bits int) func(context.Context) (isolate.Value, error) {
	if !hasPrimes(kind) {
		return func(context.Context) (isolate.Value, error) { return generatePair(kind, bits) }
	}
	r := runOf(h)
	if r == nil || bits > keyBits {
		return refused("RSA keys of up to 4096 bits are made here, and only while a request is handled.")
	}
	if r.keys += keyWeight(bits); r.keys > keysRun {
		return refused("One request may make 4 RSA keys of 4096 bits, 32 of 2048 or 256 of 1024. Make fewer, or keep them in KV.")
	}
	mine := r.w.keys
	return func(ctx context.Context) (isolate.Value, error) {
		for _, turn := range []chan struct{}{mine, k.turn} {
			select {
			case turn <- struct{}{}:
				defer func() { <-turn }()
			case <-r.gone:
				return nil, operationError("The request is over.")
			case <-ctx.Done():
				return nil, operationError("Other keys are being made. Try again.")
			}
		}
		begin := time.Now()
		defer func() { r.beside.Add(time.Since(begin).Microseconds()) }()
		return generatePair(kind, bits)
	}
}

// keyWeight is about how much longer the primes of a key of so many bits take
// than those of one of 1024.
func keyWeight(bits int) int {
	n := max(1, bits/1024)
	return n * n * n
}

// hasPrimes reports whether keys of a kind are made of primes that must be found.
func hasPrimes(kind string) bool {
	return !slices.Contains([]string{"P-256", "P-384", "P-521", "Ed25519", "X25519"}, kind)
}

func refused(why string) func(context.Context) (isolate.Value, error) {
	return func(context.Context) (isolate.Value, error) { return nil, operationError(why) }
}
