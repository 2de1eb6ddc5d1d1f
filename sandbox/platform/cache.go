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
	Status  int64       `json:"status"`
	Text    string      `json:"text,omitempty"`
	Headers string      `json:"headers"`
	Vary    [][2]string `json:"vary,omitempty"` // request headers that must be the same
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
// with Workers' rules for Set-Cookie).
func freshness(headers [][2]string, now time.Time) time.Duration {
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
	if private, ok := control["private"]; ok && private == "" {
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
	return 0 // what says nothing about its life is not kept
}

func cachePut(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	name, key := cacheKey(a)
	headers := lines(a.str(5))
	now := p.cfg.Now()
	keep := freshness(headers, now)
	if keep <= 0 {
		return nil, nil
	}
	e := cached{Status: a.integer(3), Text: a.str(4), Headers: a.str(5)}
	request := lines(a.str(2))
	for v := range strings.SplitSeq(values(headers, "vary"), ",") {
		if v = strings.ToLower(strings.TrimSpace(v)); v != "" {
			e.Vary = append(e.Vary, [2]string{v, values(request, v)})
		}
	}
	meta, err := json.Marshal(e)
	if err != nil {
		return nil, p.trouble("cache.put", err)
	}
	body := a.bytes(6)
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
	request := lines(a.str(2))
	for _, v := range e.Vary {
		if values(request, v[0]) != v[1] {
			return nil, e, nil
		}
	}
	return r, e, nil
}

func cacheMatch(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	r, e, err := p.lookup(ctx, c, a)
	if err != nil || r == nil {
		return nil, err
	}
	return []any{e.Status, e.Text, e.Headers, r.Value}, nil
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
