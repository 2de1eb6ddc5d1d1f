package classroom

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"coldstart/sandbox/platform"
)

// Records keeps what Workers store behind their bindings. It is a
// platform.Store: ordinary data in the database, the short-lived copies that
// checks and tests work on in memory.
type Records struct {
	s     *Store
	short *platform.Memory
}

// Records gives the store of Workers' data.
func (s *Store) Records() *Records { return &Records{s: s, short: platform.NewMemory()} }

const recordWhere = ` WHERE workspace = $1 AND project = $2 AND kind = $3 AND name = $4`

func (r *Records) args(ns platform.Namespace, more ...any) []any {
	return append([]any{ns.Learner, ns.Project.Project, ns.Kind, r.raw(ns.Name)}, more...)
}

// raw is a name or a key, which may be any bytes, as its column has it.
func (r *Records) raw(s string) any {
	if r.s.postgres() {
		return []byte(s)
	}
	return s
}

// Get implements platform.Store.
func (r *Records) Get(ctx context.Context, ns platform.Namespace, key string) (*platform.Record, error) {
	if ns.Space != "" {
		return r.short.Get(ctx, ns, key)
	}
	out := platform.Record{Key: key}
	err := r.s.read.QueryRowContext(ctx, `SELECT value, meta, expires, size FROM records`+recordWhere+` AND key = $5 AND (expires = 0 OR expires > $6)`,
		r.args(ns, r.raw(key), r.s.millis())...).Scan(&out.Value, &out.Meta, &out.Expires, &out.Size)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read record: %w", reason(err))
	}
	return &out, nil
}

// List implements platform.Store.
func (r *Records) List(ctx context.Context, ns platform.Namespace, q platform.Query) ([]platform.Record, error) {
	if ns.Space != "" {
		return r.short.List(ctx, ns, q)
	}
	value := "NULL"
	if q.Values {
		value = "value"
	}
	query := `SELECT key, ` + value + `, meta, expires, size FROM records` + recordWhere + ` AND key > $5 AND key >= $6 AND (expires = 0 OR expires > $7)`
	args := r.args(ns, r.raw(q.After), r.raw(q.Prefix), r.s.millis())
	if q.After == "" { // the empty key, if anybody has one, comes after nothing
		query = strings.Replace(query, "key > $5", "key >= $5", 1)
	}
	if end, ok := after(q.Prefix); ok {
		query, args = query+` AND key < $8`, append(args, r.raw(end))
	}
	rows, err := r.s.read.QueryContext(ctx, fmt.Sprintf("%s ORDER BY key LIMIT %d", query, max(q.Limit, 0)), args...)
	if err != nil {
		return nil, fmt.Errorf("list records: %w", reason(err))
	}
	return collect(rows, func(scan func(...any) error) (out platform.Record, err error) {
		return out, scan(&out.Key, &out.Value, &out.Meta, &out.Expires, &out.Size)
	})
}

// after is the least text that comes after everything with a prefix.
func after(prefix string) (string, bool) {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1]), true
		}
	}
	return "", false
}

// Write implements platform.Store.
func (r *Records) Write(ctx context.Context, ns platform.Namespace, batch []platform.Change, check func(platform.Usage) error) error {
	if ns.Learner == "" || ns.Project.Project == "" {
		return errors.New("classroom: a record without a project")
	}
	if ns.Space != "" {
		return r.short.Write(ctx, ns, batch, check)
	}
	return r.s.tx(ctx, func(tx *sql.Tx) error {
		now := r.s.millis()
		if _, err := tx.ExecContext(ctx, `DELETE FROM records`+recordWhere+` AND expires <> 0 AND expires <= $5`, r.args(ns, now)...); err != nil {
			return err
		}
		for _, c := range batch {
			if err := r.change(ctx, tx, ns, c); err != nil {
				return err
			}
		}
		if check == nil {
			return nil
		}
		var u platform.Usage
		err := tx.QueryRowContext(ctx, `SELECT coalesce(sum(weight), 0), count(*) FROM records WHERE workspace = $1 AND project = $2 AND kind = $3 AND (expires = 0 OR expires > $4)`,
			ns.Learner, ns.Project.Project, ns.Kind, now).Scan(&u.Bytes, &u.Keys)
		if err != nil {
			return err
		}
		return check(u)
	}, ns.Learner)
}

func (r *Records) change(ctx context.Context, tx *sql.Tx, ns platform.Namespace, c platform.Change) error {
	if c.Delete {
		_, err := tx.ExecContext(ctx, `DELETE FROM records`+recordWhere+` AND key = $5`, r.args(ns, r.raw(c.Key))...)
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO records (workspace, project, kind, name, key, weight, expires, size, meta, value) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (workspace, project, kind, name, key) DO UPDATE SET weight = excluded.weight, expires = excluded.expires, size = excluded.size, meta = excluded.meta, value = excluded.value`,
		r.args(ns, r.raw(c.Key), ns.Weight(c.Record), c.Expires, len(c.Value), c.Meta, c.Value)...)
	return err
}

// Swap implements platform.Store.
func (r *Records) Swap(ctx context.Context, ns platform.Namespace, old []byte, c platform.Change) (swapped bool, err error) {
	if ns.Space != "" {
		return r.short.Swap(ctx, ns, old, c)
	}
	err = r.s.tx(ctx, func(tx *sql.Tx) error {
		swapped = false
		var now []byte
		err := tx.QueryRowContext(ctx, `SELECT value FROM records`+recordWhere+` AND key = $5 AND (expires = 0 OR expires > $6)`, r.args(ns, r.raw(c.Key), r.s.millis())...).Scan(&now)
		there := err == nil
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if there != (old != nil) || there && !bytes.Equal(now, old) {
			return nil
		}
		swapped = true
		return r.change(ctx, tx, ns, c)
	}, ns.Learner)
	return swapped && err == nil, err
}

// Move implements platform.Store.
func (r *Records) Move(ctx context.Context, ns platform.Namespace, list []platform.Move) (moved []bool, err error) {
	if ns.Space != "" {
		return r.short.Move(ctx, ns, list)
	}
	err = r.s.tx(ctx, func(tx *sql.Tx) error {
		moved = make([]bool, len(list))
		now := r.s.millis()
		for i, v := range list {
			done, err := tx.ExecContext(ctx, `DELETE FROM records`+recordWhere+` AND key = $5 AND (expires = 0 OR expires > $6)`, r.args(ns, r.raw(v.From), now)...)
			if err != nil {
				return err
			}
			n, err := done.RowsAffected()
			if err != nil {
				return err
			}
			if moved[i] = n == 1; !moved[i] || v.To == nil {
				continue
			}
			to := ns
			if v.Name != "" {
				to.Name = v.Name
			}
			if err := r.change(ctx, tx, to, platform.Change{Record: *v.To}); err != nil {
				return err
			}
		}
		return nil
	}, ns.Learner)
	if err != nil {
		return nil, err
	}
	return moved, nil
}

// Drop implements platform.Store.
func (r *Records) Drop(ctx context.Context, p platform.Project) error {
	if p.Space != "" {
		return r.short.Drop(ctx, p)
	}
	return r.s.tx(ctx, func(tx *sql.Tx) error { return dropRecords(ctx, tx, p.Learner, p.Project) }, p.Learner)
}

func dropRecords(ctx context.Context, tx *sql.Tx, workspace, project string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM records WHERE workspace = $1 AND project = $2`, workspace, project)
	return err
}
