package platform

import (
	"bytes"
	"context"
	"errors"
	"sort"
	"strings"
	"sync"
	"time"
)

// Project says whose data it is. Space is empty for the ordinary data and
// names a short-lived copy for checks and tests.
type Project struct{ Learner, Project, Space string }

// Namespace is one collection of records of a project: Kind says for what
// (kv, cache, queue, durable, r2 …), Name which.
type Namespace struct {
	Project
	Kind, Name string
}

// Record is one stored value. Value and Meta must not be changed once given or got.
type Record struct {
	Key     string
	Value   []byte
	Meta    []byte // small, and listed with the key
	Expires int64  // Unix milliseconds after which it is gone, 0 for never
	Size    int64  // bytes of Value; in lists Value itself is left out
}

// Change is one part of a batch: a record to put, or with Delete a key to drop.
type Change struct {
	Record
	Delete bool
}

// Move takes the place of a record, if the record is there.
type Move struct {
	From string  // its key
	To   *Record // what takes its place, under a key of its own; nil for nothing
	Name string  // of another namespace of the same kind that To goes to; "" for the same
}

// Query chooses records for a list.
type Query struct {
	Prefix string // keys begin with it
	After  string // keys come after it, "" for all
	Limit  int    // at most so many; it is always set
	Values bool   // with their values
}

// Usage is what a project holds in one kind of namespace.
type Usage struct {
	Bytes int64 // by Namespace.Weight
	Keys  int
}

// Store keeps records. It is safe for concurrent use.
type Store interface {
	// Get reads one record; nil when there is none or it has expired.
	Get(ctx context.Context, ns Namespace, key string) (*Record, error)
	// List reads records in the byte order of their keys.
	List(ctx context.Context, ns Namespace, q Query) ([]Record, error)
	// Write performs all changes or none. When check is not nil it is asked
	// about the project's usage of ns.Kind as it would be afterwards; its error
	// undoes the batch and is returned.
	Write(ctx context.Context, ns Namespace, batch []Change, check func(Usage) error) error
	// Swap performs c, and reports true, if the record of its key has the value
	// old now, or if old is nil and there is none. Of several who try at once,
	// also on other servers of the same data, one succeeds.
	Swap(ctx context.Context, ns Namespace, old []byte, c Change) (bool, error)
	// Move replaces records, or drops them, and says which: those that are
	// there. Of several who try at once, also on other servers of the same
	// data, one moves a record.
	Move(ctx context.Context, ns Namespace, list []Move) (moved []bool, err error)
	// Drop deletes all data of a project's space, of every kind.
	Drop(ctx context.Context, p Project) error
}

// Memory is a Store in memory.
type Memory struct {
	mu     sync.Mutex
	spaces map[Namespace]*memorySpace
	now    func() time.Time
}

type memorySpace struct {
	records map[string]Record
	keys    []string // sorted
}

// NewMemory makes an empty Memory.
func NewMemory() *Memory {
	return &Memory{spaces: map[Namespace]*memorySpace{}, now: time.Now}
}

func (r Record) alive(now int64) bool { return r.Expires == 0 || r.Expires > now }

func (r Record) weight() int64 { return int64(len(r.Key) + len(r.Value) + len(r.Meta)) }

// nameFree is how many bytes of a namespace's name count for nothing.
const nameFree = 512

// Weight is what a record counts of what its project may hold: its key, value
// and metadata. A store keeps the name of its namespace beside each record, and
// code may give caches and classes names of megabytes: what is longer than
// names are counts with each.
func (ns Namespace) Weight(r Record) int64 {
	return r.weight() + int64(max(0, len(ns.Name)-nameFree))
}

// Get implements Store.
func (m *Memory) Get(_ context.Context, ns Namespace, key string) (*Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.spaces[ns]; s != nil {
		if r, ok := s.records[key]; ok && r.alive(m.now().UnixMilli()) {
			return &r, nil
		}
	}
	return nil, nil
}

// List implements Store.
func (m *Memory) List(_ context.Context, ns Namespace, q Query) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.spaces[ns]
	if s == nil {
		return nil, nil
	}
	now := m.now().UnixMilli()
	var out []Record
	for i := sort.SearchStrings(s.keys, max(q.Prefix, q.After)); i < len(s.keys) && len(out) < q.Limit; i++ {
		k := s.keys[i]
		if !strings.HasPrefix(k, q.Prefix) {
			break
		}
		if k == q.After && q.After != "" {
			continue
		}
		if r := s.records[k]; r.alive(now) {
			r.Size = int64(len(r.Value))
			if !q.Values {
				r.Value = nil
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// Swap implements Store.
func (m *Memory) Swap(_ context.Context, ns Namespace, old []byte, c Change) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var now Record
	there := false
	if s := m.spaces[ns]; s != nil {
		now, there = s.records[c.Key]
		there = there && now.alive(m.now().UnixMilli())
	}
	if there != (old != nil) || there && !bytes.Equal(now.Value, old) {
		return false, nil
	}
	return true, m.write(ns, []Change{c}, nil)
}

// Move implements Store.
func (m *Memory) Move(_ context.Context, ns Namespace, list []Move) ([]bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	moved := make([]bool, len(list))
	for i, v := range list {
		s := m.spaces[ns]
		if s == nil {
			continue
		}
		r, there := s.records[v.From]
		if !there || !r.alive(m.now().UnixMilli()) {
			continue
		}
		moved[i] = true
		if err := m.write(ns, []Change{{Record: Record{Key: v.From}, Delete: true}}, nil); err != nil {
			return nil, err
		}
		if v.To == nil {
			continue
		}
		if err := m.write(v.into(ns), []Change{{Record: *v.To}}, nil); err != nil {
			return nil, err
		}
	}
	return moved, nil
}

// into is the namespace that To goes to.
func (v Move) into(from Namespace) Namespace {
	if v.Name != "" {
		from.Name = v.Name
	}
	return from
}

// Write implements Store.
func (m *Memory) Write(_ context.Context, ns Namespace, batch []Change, check func(Usage) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.write(ns, batch, check)
}

func (m *Memory) write(ns Namespace, batch []Change, check func(Usage) error) error {
	if ns.Learner == "" || ns.Project.Project == "" {
		return errors.New("platform: write without a project")
	}
	s := m.spaces[ns]
	if s == nil {
		s = &memorySpace{records: map[string]Record{}}
	}
	now := m.now().UnixMilli()
	if check != nil {
		var u Usage
		for n, o := range m.spaces {
			if n.Project == ns.Project && n.Kind == ns.Kind && n != ns {
				u.add(n, o, now, nil)
			}
		}
		last := map[string]Change{}
		for _, c := range batch {
			last[c.Key] = c
		}
		u.add(ns, s, now, last)
		for _, c := range last {
			if !c.Delete {
				u.Keys++
				u.Bytes += ns.Weight(c.Record)
			}
		}
		if err := check(u); err != nil {
			return err
		}
	}
	for _, c := range batch {
		_, have := s.records[c.Key]
		i := sort.SearchStrings(s.keys, c.Key)
		switch {
		case c.Delete && have:
			delete(s.records, c.Key)
			s.keys = append(s.keys[:i], s.keys[i+1:]...)
		case !c.Delete:
			s.records[c.Key] = c.Record
			if !have {
				s.keys = append(s.keys, "")
				copy(s.keys[i+1:], s.keys[i:])
				s.keys[i] = c.Key
			}
		}
	}
	if len(s.keys) == 0 {
		delete(m.spaces, ns)
	} else {
		m.spaces[ns] = s
	}
	return nil
}

// add counts a space's living records but those in except.
func (u *Usage) add(ns Namespace, s *memorySpace, now int64, except map[string]Change) {
	for k, r := range s.records {
		if _, not := except[k]; !not && r.alive(now) {
			u.Keys++
			u.Bytes += ns.Weight(r)
		}
	}
}

// Drop implements Store.
func (m *Memory) Drop(_ context.Context, p Project) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for ns := range m.spaces {
		if ns.Project == p {
			delete(m.spaces, ns)
		}
	}
	return nil
}
