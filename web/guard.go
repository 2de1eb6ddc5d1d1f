package web

import (
	"math"
	"net/http"
	"time"
)

// guard slows down whoever tries codes, phrases or passwords. Only wrong tries
// count: for the address they come from, and for all addresses together. When
// all together are too many, an address that has made no mistake may still
// try, so that nobody can lock a class out.
type guard struct {
	address, all *limiter
}

func newGuard(perAddress, all Rate, now func() time.Time) *guard {
	return &guard{newLimiter(perAddress, now), newLimiter(all, now)}
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
