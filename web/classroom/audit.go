package classroom

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// AuditEvent is one thing that an instructor or a host did. It names no
// learner: Member and Other are ids, whose nicknames are looked up when the
// log is read and are not known any more once the learner has left.
type AuditEvent struct {
	ID      string
	At      time.Time
	Actor   string // workspace of who did it
	Name    string // of the account they did it with; "" for a host without one
	Role    string // they had: RoleInstructor or RoleHost
	Action  string // the caller's short name for it, such as "class.end"
	Class   string // id of the class it was done to; "" for none
	Member  string // id of the learner in that class; "" for none
	Other   string // id of a second learner; "" for none
	Detail  string // what else it was done to, such as an account's name; never a learner's
	Address string // network address they came from

	// What the ids are called now, for reading only; "" when that is gone.
	ClassTitle, MemberName, OtherName string
}

// Audit keeps an event; it gives it its id and time.
func (s *Store) Audit(ctx context.Context, e AuditEvent) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO audit (id, at, actor, name, role, action, class, member, other, detail, address) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			NewID(16), s.millis(), e.Actor, e.Name, e.Role, e.Action, e.Class, e.Member, e.Other, e.Detail, e.Address)
		return err
	}, "audit")
	if err != nil {
		return fmt.Errorf("keep audit event: %w", err)
	}
	return nil
}

// AuditQuery chooses events. Zero fields choose all.
type AuditQuery struct {
	Name   string      // done with this account
	Action string      // of this short name
	Before *AuditEvent // older than this one; its ID and At count
	Limit  int         // at most so many; 0 for no limit
}

// AuditLog lists events, the newest first.
func (s *Store) AuditLog(ctx context.Context, q AuditQuery) ([]AuditEvent, error) {
	query := `SELECT a.id, a.at, a.actor, a.name, a.role, a.action, a.class, a.member, a.other, a.detail, a.address, coalesce(c.title, ''), coalesce(m.nickname, ''), coalesce(o.nickname, '')
		FROM audit a LEFT JOIN classes c ON c.id = a.class
		LEFT JOIN members m ON m.class = a.class AND m.id = a.member LEFT JOIN members o ON o.class = a.class AND o.id = a.other`
	var where []string
	var args []any
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, condition)
	}
	if q.Name != "" {
		add(`a.name = ?`, q.Name)
	}
	if q.Action != "" {
		add(`a.action = ?`, q.Action)
	}
	if q.Before != nil {
		at := q.Before.At.UnixMilli()
		add(`(a.at < ? OR a.at = ? AND a.id < ?)`, at, at, q.Before.ID)
	}
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	query += ` ORDER BY a.at DESC, a.id DESC`
	if q.Limit > 0 {
		query += fmt.Sprintf(` LIMIT %d`, q.Limit)
	}
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", reason(err))
	}
	return collect(rows, func(scan func(...any) error) (e AuditEvent, err error) {
		var at int64
		err = scan(&e.ID, &at, &e.Actor, &e.Name, &e.Role, &e.Action, &e.Class, &e.Member, &e.Other, &e.Detail, &e.Address, &e.ClassTitle, &e.MemberName, &e.OtherName)
		e.At = fromMillis(at)
		return e, err
	})
}

// AuditNames lists the accounts with which something in the log was done, by name.
func (s *Store) AuditNames(ctx context.Context) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT DISTINCT name FROM audit WHERE name <> '' ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", reason(err))
	}
	return collect(rows, func(scan func(...any) error) (name string, err error) { return name, scan(&name) })
}

// ForgetAudit deletes the events from before a time.
func (s *Store) ForgetAudit(ctx context.Context, before time.Time) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM audit WHERE at < $1`, before.UnixMilli())
		return err
	}, "audit")
	if err != nil {
		return fmt.Errorf("shorten audit log: %w", err)
	}
	return nil
}
