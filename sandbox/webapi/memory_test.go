package webapi_test

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the test's SQL storage

	"coldstart/sandbox/isolate"
)

// memoryKV is storage in memory for the bindings of a project: KV, cache and
// Durable Objects' keys.
type memoryKV struct {
	mu     sync.Mutex
	kv     map[string]map[string][2]any // namespace, key: value, metadata
	cache  map[string][]any
	object map[string]map[string]string
	saved  map[string]map[string]string // before a transaction
	alarm  map[string]int64
	db     map[string]*sql.DB
	ring   func(object string)
}

func newMemoryKV() *memoryKV {
	return &memoryKV{kv: map[string]map[string][2]any{}, cache: map[string][]any{}, object: map[string]map[string]string{}, saved: map[string]map[string]string{}, alarm: map[string]int64{}, db: map[string]*sql.DB{}}
}

func text(a []any, i int) string { s, _ := a[i].(string); return s }

func (m *memoryKV) call(op string, a []any) (any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case strings.HasPrefix(op, "kv."):
		return m.kvCall(op, a)
	case strings.HasPrefix(op, "cache."):
		return m.cacheCall(op, a)
	case op == "sql.exec":
		return m.sql(text(a, 0), text(a, 1), a[2].([]any))
	case strings.HasPrefix(op, "storage."):
		return m.storageCall(op, a)
	}
	return nil, &isolate.Throw{Name: "Error", Message: "the test's platform has no operation " + op}
}

func (m *memoryKV) kvCall(op string, a []any) (any, error) {
	ns := m.kv[text(a, 0)]
	if ns == nil {
		ns = map[string][2]any{}
		m.kv[text(a, 0)] = ns
	}
	get := func(k string) any {
		if v, ok := ns[k]; ok {
			return []any{v[0], v[1]}
		}
		return nil
	}
	switch op {
	case "kv.get":
		return get(text(a, 1)), nil
	case "kv.getMany":
		out := []any{}
		for _, k := range a[1].([]any) {
			out = append(out, get(k.(string)))
		}
		return out, nil
	case "kv.put":
		ns[text(a, 1)] = [2]any{a[2], a[4]}
	case "kv.delete":
		delete(ns, text(a, 1))
	case "kv.list":
		out, limit, cursor := []any{""}, int(a[2].(float64)), text(a, 3)
		for _, k := range slices.Sorted(maps.Keys(ns)) {
			if !strings.HasPrefix(k, text(a, 1)) || (cursor != "" && k <= cursor) {
				continue
			}
			if len(out) > 3*limit {
				out[0] = out[len(out)-3]
				break
			}
			out = append(out, k, 0, ns[k][1])
		}
		return out, nil
	}
	return nil, nil
}

func (m *memoryKV) cacheCall(op string, a []any) (any, error) {
	key := text(a, 0) + "\n" + text(a, 1)
	switch op {
	case "cache.put":
		if !strings.Contains(text(a, 4), "no-store") {
			m.cache[key] = []any{a[2], a[3], a[4], a[5], 0}
		}
	case "cache.match":
		if v, ok := m.cache[key]; ok {
			return v, nil
		}
	case "cache.delete":
		_, ok := m.cache[key]
		delete(m.cache, key)
		return ok, nil
	}
	return nil, nil
}

func (m *memoryKV) storageCall(op string, a []any) (any, error) {
	o := m.object[text(a, 0)]
	if o == nil {
		o = map[string]string{}
		m.object[text(a, 0)] = o
	}
	switch op {
	case "storage.get":
		out := []any{}
		for _, k := range a[1].([]any) {
			if v, ok := o[k.(string)]; ok {
				out = append(out, v)
			} else {
				out = append(out, nil)
			}
		}
		return out, nil
	case "storage.put":
		l := a[1].([]any)
		for i := 0; i < len(l); i += 2 {
			o[l[i].(string)] = l[i+1].(string)
		}
	case "storage.delete":
		n := 0
		for _, k := range a[1].([]any) {
			if _, ok := o[k.(string)]; ok {
				n++
				delete(o, k.(string))
			}
		}
		return n, nil
	case "storage.list":
		keys := slices.Sorted(maps.Keys(o))
		if a[5].(bool) {
			slices.Reverse(keys)
		}
		out := []any{}
		for _, k := range keys {
			if k >= text(a, 1) && (text(a, 2) == "" || k > text(a, 2)) && (text(a, 3) == "" || k < text(a, 3)) && strings.HasPrefix(k, text(a, 4)) && (a[6].(float64) == 0 || len(out) < 2*int(a[6].(float64))) {
				out = append(out, k, o[k])
			}
		}
		return out, nil
	case "storage.deleteAll":
		clear(o)
	case "storage.begin":
		m.saved[text(a, 0)] = maps.Clone(o)
	case "storage.end":
		if !a[1].(bool) {
			m.object[text(a, 0)] = m.saved[text(a, 0)]
		}
	case "storage.getAlarm":
		return m.alarm[text(a, 0)], nil
	case "storage.setAlarm":
		at := int64(a[1].(float64))
		m.alarm[text(a, 0)] = at
		if at > 0 {
			object := text(a, 0)
			time.AfterFunc(time.Until(time.UnixMilli(at)), func() {
				m.mu.Lock()
				due := m.alarm[object] == at
				if due {
					m.alarm[object] = 0
				}
				m.mu.Unlock()
				if due {
					m.ring(object)
				}
			})
		}
	default:
		return nil, fmt.Errorf("no operation %s", op)
	}
	return nil, nil
}

// sql runs statements in a database of the object's own.
func (m *memoryKV) sql(object, query string, values []any) (any, error) {
	db := m.db[object]
	if db == nil {
		var err error
		if db, err = sql.Open("sqlite", ":memory:"); err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(1)
		m.db[object] = db
	}
	if n := strings.Count(query, "?"); n != len(values) {
		return nil, fmt.Errorf("wrong number of parameter bindings for SQL query: %d, not %d", len(values), n)
	}
	rows, err := db.Query(query, values...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	names := make([]any, len(cols))
	for i, c := range cols {
		names[i] = c
	}
	out := []any{names, 0, 0}
	for rows.Next() {
		row, to := make([]any, len(cols)), make([]any, len(cols))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		out = append(out, row...)
	}
	return out, rows.Err()
}
