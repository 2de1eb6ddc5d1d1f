package web

import (
	"math"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter is a token bucket for each key.
type limiter struct {
	rate Rate
	now  func() time.Time

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// maxBuckets bounds what is remembered of callers. Full buckets are forgotten
// first: they say nothing. A search through all makes room for many, so that a
// flood of callers costs each a small part of one.
const (
	maxBuckets = 50_000
	fewBuckets = maxBuckets / 8 * 7 // that stay at most
)

func newLimiter(r Rate, now func() time.Time) *limiter {
	return &limiter{rate: r, now: now, buckets: map[string]*rate.Limiter{}}
}

// take counts one event of key. When it is one too many, the error says after
// how many seconds to come again.
func (l *limiter) take(key, message string) error {
	if l.rate.PerSecond < 0 {
		return nil
	}
	now := l.now()
	r := l.bucket(key, now).ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	r.CancelAt(now)
	return &Error{Status: http.StatusTooManyRequests, Message: message, Retry: int(math.Ceil(wait.Seconds()))}
}

func (l *limiter) bucket(key string, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			l.forget(now)
		}
		b = rate.NewLimiter(rate.Limit(l.rate.PerSecond), l.rate.Burst)
		l.buckets[key] = b
	}
	return b
}

func (l *limiter) forget(now time.Time) {
	for key, b := range l.buckets {
		if b.TokensAt(now) >= float64(l.rate.Burst) {
			delete(l.buckets, key)
		}
	}
	for key := range l.buckets {
		if len(l.buckets) <= fewBuckets {
			break
		}
		delete(l.buckets, key)
	}
}

// bucketKey is the part of an address that one caller cannot change at will: a
// whole IPv4 address, the /64 of an IPv6 one.
func bucketKey(a netip.Addr) string {
	if a.Is6() && !a.Is4In6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.Unmap().String()
}
