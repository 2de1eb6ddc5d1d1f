package platform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
)

// Durable Object storage: keys and encoded values of one object. The object is
// named by the caller, but only the instance itself may reach it: class and
// object must be those of the run.

// listAll bounds a list without a limit.
const listAll = 100_000

// transaction is what a transaction changed so far: nil is a deletion.
type transaction struct {
	changes map[string]*Record
	bytes   int64        // of what it puts, which waits in this process
	outer   *transaction // which it is part of, nil for none
}

// nestedMost is how many transactions of an object may be open in one another.
const nestedMost = 32

// total is how many keys a transaction and those around it change, how many
// bytes they put, and how many they are.
func (t *transaction) total() (keys int, bytes int64, depth int) {
	for ; t != nil; t = t.outer {
		keys += len(t.changes)
		bytes += t.bytes
		depth++
	}
	return keys, bytes, depth
}

// add keeps a change until the end of the transaction.
func (t *transaction) add(ch Change) {
	if old := t.changes[ch.Key]; old != nil {
		t.bytes -= old.weight()
	}
	t.changes[ch.Key] = nil
	if !ch.Delete {
		t.changes[ch.Key] = &ch.Record
		t.bytes += ch.weight()
	}
}

// storageOf is the namespace of the caller's own object.
func storageOf(c Caller, a args) (Namespace, error) {
	if c.Object == "" || a.str(0) != c.Object {
		return Namespace{}, plainError("Only a Durable Object itself can reach its storage.")
	}
	return objectNamespace(c), nil
}

// plainObject refuses SQL to an object of a class that a migration made with
// new_classes, where such objects have keys alone.
func plainObject(c Caller) error {
	if slices.Contains(c.Worker.Plain, c.Class) {
		return plainError("SQL is not enabled for this Durable Object class. To enable it, change `new_classes` to `new_sqlite_classes` within the 'migrations' field in your wrangler.jsonc or wrangler.toml file. " +
			"If using workerd directly,set `enableSql = true` in your workerd config for the class. Note that this change cannot be made after the class is already deployed to production.")
	}
	return nil
}

// objectNamespace is where the caller's own object keeps its data.
func objectNamespace(c Caller) Namespace {
	return Namespace{c.Project, "durable", c.Worker.Name + "\n" + c.Class + "\n" + half(c.Object)}
}

// half is the part of an object's id that tells it apart from others of its class.
func half(id string) string { return id[:min(len(id), trace.ObjectIDHalf)] }

// storageKnown is whether an id is one of before ids told their namespace, for
// which something was stored then.
func storageKnown(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	worker := a.str(0)
	if worker == "" {
		worker = c.Worker.Name
	}
	r, err := p.cfg.Store.Get(ctx, Namespace{c.Project, "object", worker + "\n" + a.str(1)}, a.str(2))
	return r != nil, p.trouble("storage.known", err)
}

func (p *Platform) transactionOf(ns Namespace) *transaction {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open[ns]
}

func storageKey(k string) error {
	if len(k) > 2048 {
		return &isolate.Throw{Name: "RangeError", Message: fmt.Sprintf("Keys cannot be larger than 2048 bytes. A key of size %d was provided.", len(k))}
	}
	return nil
}

func (p *Platform) durableLimit(l trace.Limits) func(Usage) error {
	return func(u Usage) error {
		if u.Keys > 10*l.KVKeys {
			p.cfg.Full()
			return plainError("Durable Objects: this project's objects hold %d keys, the most they may; delete some first.", 10*l.KVKeys)
		}
		if u.Bytes > l.KVBytes {
			p.cfg.Full()
			return plainError("Durable Objects: this project's %s of storage are full; delete some first.", trace.SizeText(l.KVBytes))
		}
		return nil
	}
}

func storageGet(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := storageOf(c, a)
	if err != nil {
		return nil, err
	}
	tx := p.transactionOf(ns)
	keys := a.list(1)
	out := make([]any, 0, len(keys))
	size, read := 0, map[string]int{} // keys to their places in out: one may be asked for again, and is read once
	for i := range keys {
		k := keys.str(i)
		if at, ok := read[k]; ok {
			if text, ok := out[at].(string); ok {
				size += len(text)
			}
			if size > answerMax {
				return nil, tooMuchAsked()
			}
			out = append(out, out[at])
			continue
		}
		read[k] = i
		r, ok := tx.find(k)
		if !ok {
			var err error
			if r, err = p.cfg.Store.Get(ctx, ns, k); err != nil {
				return nil, p.trouble("storage.get", err)
			}
		}
		if r != nil {
			size += len(r.Value)
		}
		if size > answerMax {
			return nil, tooMuchAsked()
		}
		out = append(out, valueText(r))
	}
	return out, nil
}

func tooMuchAsked() error {
	return plainError("The values of these keys have more than %d MiB together: ask for fewer at a time.", answerMax>>20)
}

// find is what a transaction, or one around it, says about a key; ok is false
// when it says nothing.
func (t *transaction) find(k string) (r *Record, ok bool) {
	for ; t != nil && !ok; t = t.outer {
		r, ok = t.changes[k]
	}
	return r, ok
}

func valueText(r *Record) any {
	if r == nil {
		return nil
	}
	return string(r.Value)
}

// change performs changes, or adds them to the open transaction. All that are
// open may hold as much as the project may store: more could not be committed.
func (p *Platform) change(ctx context.Context, op string, c Caller, ns Namespace, batch []Change) error {
	p.mu.Lock()
	if tx := p.open[ns]; tx != nil {
		defer p.mu.Unlock()
		var u Usage
		for other, t := range p.open {
			if other.Project == ns.Project {
				_, bytes, _ := t.total()
				u.Bytes += bytes
			}
		}
		for _, ch := range batch {
			if old := tx.changes[ch.Key]; old != nil {
				u.Bytes -= old.weight()
			}
			if !ch.Delete {
				u.Bytes += ch.weight()
			}
		}
		if err := p.durableLimit(c.Worker.Limits)(u); err != nil {
			return p.trouble(op, err)
		}
		for _, ch := range batch {
			tx.add(ch)
		}
		if keys, _, _ := tx.total(); keys > listAll {
			return plainError("The transaction changes too many keys.")
		}
		return nil
	}
	p.mu.Unlock()
	return p.trouble(op, p.cfg.Store.Write(ctx, ns, batch, p.durableLimit(c.Worker.Limits)))
}

func storagePut(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := storageOf(c, a)
	if err != nil {
		return nil, err
	}
	flat := a.list(1)
	var batch []Change
	for i := 0; i+1 < len(flat); i += 2 {
		if err := storageKey(flat.str(i)); err != nil {
			return nil, err
		}
		batch = append(batch, Change{Record: Record{Key: flat.str(i), Value: []byte(flat.str(i + 1))}})
	}
	return nil, p.change(ctx, "storage.put", c, ns, batch)
}

func storageDelete(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := storageOf(c, a)
	if err != nil {
		return nil, err
	}
	there, err := storageGet(ctx, p, c, a)
	if err != nil {
		return nil, err
	}
	n := 0
	var batch []Change
	keys := a.list(1)
	for i, v := range there.([]any) {
		if v != nil {
			n++
			batch = append(batch, Change{Record: Record{Key: keys.str(i)}, Delete: true})
		}
	}
	if n == 0 {
		return 0, nil
	}
	return n, p.change(ctx, "storage.delete", c, ns, batch)
}

// storageAll is everything an object holds, with the open transaction's changes.
func (p *Platform) storageAll(ctx context.Context, ns Namespace, prefix string) ([]Record, error) {
	list, err := p.cfg.Store.List(ctx, ns, Query{Prefix: prefix, Limit: listAll, Values: true})
	if err != nil {
		return nil, p.trouble("storage.list", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	tx := p.open[ns]
	if tx == nil {
		return list, nil
	}
	var out []Record
	for _, r := range list {
		if _, changed := tx.find(r.Key); !changed {
			out = append(out, r)
		}
	}
	said := map[string]bool{} // by a transaction further in
	for t := tx; t != nil; t = t.outer {
		for k, r := range t.changes {
			if said[k] {
				continue
			}
			said[k] = true
			if r != nil && strings.HasPrefix(k, prefix) {
				out = append(out, *r)
			}
		}
	}
	slices.SortFunc(out, func(a, b Record) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

func storageList(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := storageOf(c, a)
	if err != nil {
		return nil, err
	}
	start, after, end, limit := a.str(1), a.str(2), a.str(3), int(a.integer(6))
	list, err := p.storageAll(ctx, ns, a.str(4))
	if err != nil {
		return nil, err
	}
	if a.flag(5) {
		slices.Reverse(list)
	}
	out := []any{}
	for _, r := range list {
		if r.Key < start || after != "" && r.Key <= after || end != "" && r.Key >= end {
			continue
		}
		if limit > 0 && len(out) == 2*limit {
			break
		}
		out = append(out, r.Key, string(r.Value))
	}
	return out, nil
}

func storageDeleteAll(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := storageOf(c, a)
	if err != nil {
		return nil, err
	}
	list, err := p.storageAll(ctx, ns, "")
	if err != nil {
		return nil, err
	}
	var batch []Change
	for _, r := range list {
		batch = append(batch, Change{Record: Record{Key: r.Key}, Delete: true})
	}
	if len(batch) > 0 {
		if err := p.change(ctx, "storage.deleteAll", c, ns, batch); err != nil {
			return nil, err
		}
	}
	return nil, p.trouble("storage.deleteAll", p.sql.remove(ctx, sqlNamespace(ns)))
}

func storageBegin(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := storageOf(c, a)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	outer := p.open[ns]
	if _, _, depth := outer.total(); depth >= nestedMost {
		p.mu.Unlock()
		return nil, plainError("Transactions are nested more than %d deep.", nestedMost)
	}
	p.reopen(ns, &transaction{changes: map[string]*Record{}, outer: outer})
	p.mu.Unlock()
	if err := p.sql.begin(ctx, sqlNamespace(ns)); err != nil {
		p.mu.Lock()
		p.reopen(ns, outer)
		p.mu.Unlock()
		return nil, p.trouble("storage.begin", err)
	}
	return nil, nil
}

// reopen makes t the open transaction of an object, nil for none. p.mu is held.
func (p *Platform) reopen(ns Namespace, t *transaction) {
	if t == nil {
		delete(p.open, ns)
		return
	}
	p.open[ns] = t
}

func storageEnd(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := storageOf(c, a)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	tx, commit := p.open[ns], a.flag(1)
	var batch []Change
	if tx != nil {
		for k, r := range tx.changes {
			if r == nil {
				batch = append(batch, Change{Record: Record{Key: k}, Delete: true})
			} else {
				batch = append(batch, Change{Record: *r})
			}
		}
		p.reopen(ns, tx.outer)
		if tx.outer != nil { // what it changed belongs to the one around it
			for _, ch := range batch {
				if commit {
					tx.outer.add(ch)
				}
			}
			batch = nil
		}
	}
	p.mu.Unlock()
	if tx == nil {
		return nil, plainError("No transaction is open.")
	}
	var failed error
	if commit && len(batch) > 0 {
		failed = p.cfg.Store.Write(ctx, ns, batch, p.durableLimit(c.Worker.Limits))
	}
	return nil, p.trouble("storage.end", errors.Join(failed, p.sql.finish(ctx, sqlNamespace(ns), commit && failed == nil)))
}

// Rollback drops the transactions that an object left open: the isolate that
// held it is gone.
func (p *Platform) Rollback(c Caller) {
	ns := objectNamespace(c)
	p.mu.Lock()
	_, was := p.open[ns]
	delete(p.open, ns)
	p.mu.Unlock()
	if was {
		_ = p.sql.undo(p.ctx, sqlNamespace(ns)) // nothing is kept of it
	}
}
