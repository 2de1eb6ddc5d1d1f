package platform

import (
	"context"
	"strconv"
	"time"

	"coldstart/sandbox/trace"
)

// Limits of KV, as on Workers where a project's own limit is not smaller.
const (
	kvKeyMax  = 512
	kvMetaMax = 1024
	kvListMax = 1000
	kvTTLMin  = 60 // seconds
)

// own checks that a Worker has a binding of this type to this resource.
func (c Caller) own(kind, id string) error {
	for _, b := range c.Worker.Bindings {
		if b.Type == kind && b.ID == id {
			return nil
		}
	}
	return plainError("This Worker has no %s binding to %q.", kind, clip(id, 64))
}

func kvKey(key string) error {
	switch {
	case key == "":
		return typeError("Key name cannot be empty.")
	case key == "." || key == "..":
		return typeError("\"%s\" is not allowed as a key name.", key)
	case len(key) > kvKeyMax:
		return plainError("KV: the key is %d bytes long; %d is the limit.", len(key), kvKeyMax)
	}
	return nil
}

// kv.get [namespace, key] → nil, or [value, metadata JSON or nil]
func kvGet(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, key := a.str(0), a.str(1)
	if err := c.own("kv", ns); err != nil {
		return nil, err
	}
	if err := kvKey(key); err != nil {
		return nil, err
	}
	r, err := p.cfg.Store.Get(ctx, Namespace{c.Project, "kv", ns}, key)
	if err != nil || r == nil {
		return nil, p.trouble("kv.get", err)
	}
	return []any{r.Value, text(r.Meta)}, nil
}

// text is metadata as it crosses: nil for none.
func text(b []byte) any {
	if b == nil {
		return nil
	}
	return string(b)
}

// kv.put [namespace, key, value, expiration in Unix seconds or nil, TTL in seconds or nil, metadata JSON or nil]
func kvPut(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, key := a.str(0), a.str(1)
	if err := c.own("kv", ns); err != nil {
		return nil, err
	}
	if err := kvKey(key); err != nil {
		return nil, err
	}
	rec := Record{Key: key, Value: a.data(2)}
	if rec.Value == nil {
		rec.Value = []byte{}
	}
	now := p.cfg.Now()
	switch {
	case a.has(4):
		ttl := a.integer(4)
		if ttl < kvTTLMin {
			return nil, plainError("KV PUT failed: 400 Invalid expiration_ttl of %s. Expiration TTL must be at least %d.", number(a.num(4)), kvTTLMin)
		}
		rec.Expires = now.Add(time.Duration(min(ttl, 100*365*86400)) * time.Second).UnixMilli()
	case a.has(3):
		at := a.integer(3)
		if at < now.Unix()+kvTTLMin {
			return nil, plainError("KV PUT failed: 400 Invalid expiration of %s. Please specify integer greater than the current number of seconds since the UNIX epoch.", number(a.num(3)))
		}
		rec.Expires = min(at, 1<<40) * 1000
	}
	if a.has(5) {
		rec.Meta = []byte(a.str(5))
		if len(rec.Meta) > kvMetaMax {
			return nil, plainError("KV PUT failed: 413 Metadata length of %d exceeds limit of %d.", len(rec.Meta), kvMetaMax)
		}
	}
	err := p.cfg.Store.Write(ctx, Namespace{c.Project, "kv", ns}, []Change{{Record: rec}}, kvLimit(c.Worker.Limits))
	return nil, p.trouble("kv.put", err)
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// kvLimit refuses what does not fit a project.
func kvLimit(l trace.Limits) func(Usage) error {
	return func(u Usage) error {
		if u.Keys > l.KVKeys {
			return plainError("KV: this project holds its %d keys; delete some first.", l.KVKeys)
		}
		if u.Bytes > l.KVBytes {
			return plainError("KV: this project's %d MiB of stored data are full; delete some first.", l.KVBytes>>20)
		}
		return nil
	}
}

// kv.delete [namespace, key]
func kvDelete(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, key := a.str(0), a.str(1)
	if err := c.own("kv", ns); err != nil {
		return nil, err
	}
	if err := kvKey(key); err != nil {
		return nil, err
	}
	err := p.cfg.Store.Write(ctx, Namespace{c.Project, "kv", ns}, []Change{{Record: Record{Key: key}, Delete: true}}, nil)
	return nil, p.trouble("kv.delete", err)
}

// kv.list [namespace, prefix, limit, cursor] → [[name, expiration in Unix seconds or nil, metadata JSON or nil, …], cursor or ""]
func kvList(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns := a.str(0)
	if err := c.own("kv", ns); err != nil {
		return nil, err
	}
	limit := a.integer(2)
	switch {
	case !a.has(2):
		limit = kvListMax
	case limit < 1:
		return nil, plainError("KV GET failed: 400 Invalid key_count_limit of %d. Please specify an integer greater than 0.", limit)
	case limit > kvListMax:
		return nil, plainError("KV GET failed: 400 Invalid key_count_limit of %d. Please specify an integer less than %d.", limit, kvListMax)
	}
	after, err := cursorKey(a.str(3))
	if err != nil {
		return nil, err
	}
	list, err := p.cfg.Store.List(ctx, Namespace{c.Project, "kv", ns}, a.str(1), after, int(limit)+1)
	if err != nil {
		return nil, p.trouble("kv.list", err)
	}
	cursor := ""
	if len(list) > int(limit) {
		list = list[:limit]
		cursor = keyCursor(list[limit-1].Key)
	}
	flat := make([]any, 0, 3*len(list))
	for _, r := range list {
		var expires any
		if r.Expires != 0 {
			expires = float64(r.Expires / 1000)
		}
		flat = append(flat, r.Key, expires, text(r.Meta))
	}
	return []any{flat, cursor}, nil
}
