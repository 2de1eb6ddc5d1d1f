package platform

import (
	"context"

	"coldstart/sandbox/trace"
)

// Limits of KV, as on Workers where a project's own limit is not smaller.
const (
	kvKeyMax  = 512
	kvMetaMax = 1024
	kvListMax = 1000
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

// kvEntry is a record as it crosses: none, or value and metadata.
func kvEntry(r *Record) any {
	if r == nil {
		return nil
	}
	return []any{r.Value, text(r.Meta)}
}

func kvGetMany(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns := a.str(0)
	if err := c.own("kv", ns); err != nil {
		return nil, err
	}
	keys := a.list(1)
	if len(keys) > 100 {
		return nil, plainError("KV GET_BULK failed: 400 You can request a maximum of 100 keys.")
	}
	out := make([]any, 0, len(keys))
	size, read := 0, map[string]*Record{} // one key may be asked for again, and is read once
	for i := range keys {
		key := keys.str(i)
		if err := kvKey(key); err != nil {
			return nil, err
		}
		r, ok := read[key]
		if !ok {
			var err error
			if r, err = p.cfg.Store.Get(ctx, Namespace{c.Project, "kv", ns}, key); err != nil {
				return nil, p.trouble("kv.getMany", err)
			}
			read[key] = r
		}
		if r != nil {
			size += len(r.Value) + len(r.Meta)
		}
		if size > answerMax {
			return nil, plainError("KV GET_BULK failed: 413 The values of these keys have more than %d MiB together.", answerMax>>20)
		}
		out = append(out, kvEntry(r))
	}
	return out, nil
}

func kvGet(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, key := a.str(0), a.str(1)
	if err := c.own("kv", ns); err != nil {
		return nil, err
	}
	if err := kvKey(key); err != nil {
		return nil, err
	}
	r, err := p.cfg.Store.Get(ctx, Namespace{c.Project, "kv", ns}, key)
	return kvEntry(r), p.trouble("kv.get", err)
}

// text is metadata as it crosses: nil for none.
func text(b []byte) any {
	if b == nil {
		return nil
	}
	return string(b)
}

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
	if at := a.integer(3); at > 0 {
		rec.Expires = min(at, 1<<40) * 1000
	}
	if meta := a.str(4); meta != "" {
		rec.Meta = []byte(meta)
		if len(rec.Meta) > kvMetaMax {
			return nil, plainError("KV PUT failed: 413 Metadata length of %d exceeds limit of %d.", len(rec.Meta), kvMetaMax)
		}
	}
	err := p.cfg.Store.Write(ctx, Namespace{c.Project, "kv", ns}, []Change{{Record: rec}}, p.kvLimit(c.Worker.Limits))
	return nil, p.trouble("kv.put", err)
}

// kvLimit refuses what does not fit a project.
func (p *Platform) kvLimit(l trace.Limits) func(Usage) error {
	return func(u Usage) error {
		if u.Keys > l.KVKeys {
			p.cfg.Full()
			return plainError("KV: this project holds its %d keys; delete some first.", l.KVKeys)
		}
		if u.Bytes > l.KVBytes {
			p.cfg.Full()
			return plainError("KV: this project's %s of stored data are full; delete some first.", trace.SizeText(l.KVBytes))
		}
		return nil
	}
}

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

func kvList(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns := a.str(0)
	if err := c.own("kv", ns); err != nil {
		return nil, err
	}
	limit := a.integer(2)
	if limit < 1 || limit > kvListMax {
		limit = kvListMax
	}
	after, err := cursorKey(a.str(3))
	if err != nil {
		return nil, err
	}
	list, err := p.cfg.Store.List(ctx, Namespace{c.Project, "kv", ns}, Query{Prefix: a.str(1), After: after, Limit: int(limit) + 1})
	if err != nil {
		return nil, p.trouble("kv.list", err)
	}
	cursor := ""
	if len(list) > int(limit) {
		list = list[:limit]
		cursor = keyCursor(list[limit-1].Key)
	}
	out := make([]any, 0, 1+3*len(list))
	out = append(out, cursor)
	for _, r := range list {
		out = append(out, r.Key, r.Expires/1000, text(r.Meta))
	}
	return out, nil
}
