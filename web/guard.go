package web

import (
	"context"
	"math"
	"net/http"
	"sync"
	"time"
)

// guard slows down whoever tries codes, phrases or passwords. Only wrong tries
// count: for the address they come from, and for all addresses together. When
// all together are too many, an address that has made no mistake may still
// try, so that nobody can lock a class out. Tries of one address are judged one
// after the other: a thousand at once would all come before the first was wrong.
type guard struct {
	address, all *limiter
	turns        turns
}

func newGuard(perAddress, all Rate, now func() time.Time) *guard {
	return &guard{address: newLimiter(perAddress, now), all: newLimiter(all, now)}
}

// enter waits for the address's turn and reports whether it may try now. If it
// may, done is called once the try was found right or wrong; calling it again
// does nothing.
func (g *guard) enter(ctx context.Context, address, message string) (done func(), err error) {
	done, err = g.turns.take(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := g.allow(address, message); err != nil {
		done()
		return nil, err
	}
	return done, nil
}

// turns lets one at a time through for each key. Its zero value is ready.
type turns struct {
	mu   sync.Mutex
	held map[string]*turn
}

type turn struct {
	free  chan struct{} // holds a value while nobody has the turn
	users int           // who has it or waits for it
}

// take waits for the key's turn, which done ends.
func (t *turns) take(ctx context.Context, key string) (done func(), err error) {
	t.mu.Lock()
	if t.held == nil {
		t.held = map[string]*turn{}
	}
	x := t.held[key]
	if x == nil {
		x = &turn{free: make(chan struct{}, 1)}
		x.free <- struct{}{}
		t.held[key] = x
	}
	x.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if x.users--; x.users == 0 {
			delete(t.held, key)
		}
	}
	select {
	case <-x.free:
		return sync.OnceFunc(func() { x.free <- struct{}{}; leave() }), nil
	case <-ctx.Done():
		leave()
		return nil, context.Cause(ctx)
	}
}

// allow reports whether an address may try now.
func (g *guard) allow(address, message string) error {
	mine, full := g.address.left(address)
	all, _ := g.all.left("")
	if mine >= 1 && (all >= 1 || full) {
		return nil
	}
	wait := 1.0
	if r := g.address.rate.PerSecond; mine < 1 && r > 0 {
		wait = (1 - mine) / r
	}
	return &Error{Status: http.StatusTooManyRequests, Message: message, Retry: int(math.Ceil(wait))}
}

// wrong counts a wrong try.
func (g *guard) wrong(address string) {
	_ = g.address.take(address, "") // one too many is told at the next try
	_ = g.all.take("", "")
}

// left is how many events of a key may happen now, and whether that is all it
// can ever have.
func (l *limiter) left(key string) (tokens float64, full bool) {
	if l.rate.PerSecond < 0 {
		return math.Inf(1), true
	}
	now := l.now()
	tokens = l.bucket(key, now).TokensAt(now)
	return tokens, tokens >= float64(l.rate.Burst)
}
