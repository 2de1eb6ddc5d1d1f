package platform

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Limits of a project's cache. What does not fit is not kept, as caches do.
const (
	cacheBytes = 16 << 20
	cacheKeys  = 1000
)

// cached is what is kept beside the body.
type cached struct {
	Status  int64  `json:"status"`
	Text    string `json:"text,omitempty"`
	Headers string `json:"headers"`
	At      int64  `json:"at,omitempty"` // Unix milliseconds
}

// lines reads headers as they cross: names and values on lines in turn.
func lines(s string) [][2]string {
	if s == "" {
		return nil
	}
	parts := strings.Split(s, "\n")
	out := make([][2]string, 0, len(parts)/2)
	for i := 0; i+1 < len(parts); i += 2 {
		out = append(out, [2]string{strings.ToLower(parts[i]), parts[i+1]})
	}
	return out
}

func values(list [][2]string, name string) string {
	var v []string
	for _, h := range list {
		if h[0] == name {
			v = append(v, h[1])
		}
	}
	return strings.Join(v, ", ")
}

func cacheKey(a args) (ns, key string) { return a.str(0), a.str(1) }

// freshness is how long a response may be kept, 0 for not at all (RFC 9111,
// with Workers' rules for Set-Cookie). As there, Vary says nothing.
func freshness(status int64, headers [][2]string, now time.Time) time.Duration {
	switch {
	case status == http.StatusNoContent, status >= 500 && status != http.StatusNotImplemented:
		return 0
	}
	control := map[string]string{}
	for part := range strings.SplitSeq(strings.ToLower(values(headers, "cache-control")), ",") {
		name, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		control[name] = strings.Trim(v, `"`)
	}
	for _, no := range []string{"no-store", "no-cache"} {
		if _, ok := control[no]; ok {
			return 0
		}
	}
	if private, ok := control["private"]; ok && private != "set-cookie" {
		return 0
	}
	if values(headers, "set-cookie") != "" && control["private"] != "set-cookie" {
		return 0
	}
	for _, name := range []string{"s-maxage", "max-age"} {
		if v, ok := control[name]; ok {
			n, err := strconv.Atoi(v)
			if err != nil || n <= 0 {
				return 0
			}
			return time.Duration(min(n, 365*86400)) * time.Second
		}
	}
	if v := values(headers, "expires"); v != "" {
		at, err := http.ParseTime(v)
		if err != nil {
			return 0
		}
		return max(0, at.Sub(now))
	}
	if _, ok := control["immutable"]; ok {
		return 24 * time.Hour
	}
	if at, err := http.ParseTime(values(headers, "last-modified")); err == nil && at.Before(now) {
		return now.Sub(at) / 10
	}
	return 0 // what says nothing about its life is not kept
}

func cachePut(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	name, key := cacheKey(a)
	headers := lines(a.str(4))
	now := p.cfg.Now()
	keep := freshness(a.integer(2), headers, now)
	if keep <= 0 {
		return nil, nil
	}
	meta, err := json.Marshal(cached{Status: a.integer(2), Text: a.str(3), Headers: a.str(4), At: now.UnixMilli()})
	if err != nil {
		return nil, p.trouble("cache.put", err)
	}
	body := a.bytes(5)
	if body == nil {
		body = []byte{}
	}
	rec := Record{Key: key, Value: body, Meta: meta, Expires: now.Add(keep).UnixMilli()}
	full := errors.New("full")
	err = p.cfg.Store.Write(ctx, Namespace{c.Project, "cache", name}, []Change{{Record: rec}}, func(u Usage) error {
		if u.Bytes > cacheBytes || u.Keys > cacheKeys {
			return full
		}
		return nil
	})
	if errors.Is(err, full) {
		err = nil
	}
	return nil, p.trouble("cache.put", err)
}

// lookup finds what is kept for a request.
func (p *Platform) lookup(ctx context.Context, c Caller, a args) (*Record, cached, error) {
	name, key := cacheKey(a)
	var e cached
	r, err := p.cfg.Store.Get(ctx, Namespace{c.Project, "cache", name}, key)
	if err != nil || r == nil {
		return nil, e, p.trouble("cache.match", err)
	}
	if err := json.Unmarshal(r.Meta, &e); err != nil {
		return nil, e, p.trouble("cache.match", err)
	}
	return r, e, nil
}

func cacheMatch(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	r, e, err := p.lookup(ctx, c, a)
	if err != nil || r == nil {
		return nil, err
	}
	text := http.StatusText(int(e.Status)) // what was kept says no other
	if text == "" {
		text = e.Text
	}
	age := int64(0)
	if e.At > 0 {
		age = max(0, p.cfg.Now().UnixMilli()-e.At) / 1000
	}
	return []any{e.Status, text, e.Headers, r.Value, age}, nil
}

func cacheDelete(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	r, _, err := p.lookup(ctx, c, a)
	if err != nil || r == nil {
		return false, err
	}
	name, key := cacheKey(a)
	err = p.cfg.Store.Write(ctx, Namespace{c.Project, "cache", name}, []Change{{Record: Record{Key: key}, Delete: true}}, nil)
	return true, p.trouble("cache.delete", err)
}
