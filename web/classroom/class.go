package classroom

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// What a class may hold.
const (
	MaxClasses = 200  // of one owner
	MaxMembers = 1000 // of one class
)

// ErrCrowded is the error of a class, or an owner's list of classes, that is full.
var ErrCrowded = errors.New("classroom: full")

// Class is an instructor's group of learners.
type Class struct {
	ID         string // 12 characters, unguessable
	Owner      string // workspace of the instructor
	Title      string
	CodeNumber int64 // which code is the good one, counted from 1; the caller makes the code from it
	Lessons    []Assignment
	Burst      json.RawMessage // the newest class burst, the caller's encoding; null for none
	Created    time.Time
	Ended      time.Time // zero while it goes on
}

// Assignment is a lesson of the class's set.
type Assignment struct {
	Lesson string `json:"lesson"`
	Due    int64  `json:"due,omitempty"` // end of the day it is due, in milliseconds since 1970; 0 for none
}

const classColumns = `SELECT c.id, c.owner, c.title, c.code_number, c.lessons, c.burst, c.created_at, c.ended_at FROM classes c`

func scanClass(scan func(...any) error) (Class, error) {
	var c Class
	var lessons, burst string
	var created, ended int64
	if err := scan(&c.ID, &c.Owner, &c.Title, &c.CodeNumber, &lessons, &burst, &created, &ended); err != nil {
		return c, reason(err)
	}
	c.Created, c.Ended, c.Burst = fromMillis(created), fromMillis(ended), json.RawMessage(burst)
	return c, json.Unmarshal([]byte(lessons), &c.Lessons)
}

// CreateClass makes a class without learners. Its join code is set with SetCode.
func (s *Store) CreateClass(ctx context.Context, owner, title string, lessons []Assignment) (Class, error) {
	c := Class{ID: NewID(12), Owner: owner, Title: title, Lessons: lessons, Burst: json.RawMessage("null"), Created: fromMillis(s.millis())}
	text, err := json.Marshal(append([]Assignment{}, lessons...))
	if err == nil {
		err = s.tx(ctx, func(tx *sql.Tx) error {
			var n int
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM classes WHERE owner = $1`, owner).Scan(&n); err != nil {
				return err
			}
			if n >= MaxClasses {
				return ErrCrowded
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO classes (id, owner, title, code_hash, code_number, lessons, burst, created_at, ended_at) VALUES ($1, $2, $3, $4, 0, $5, 'null', $6, 0)`,
				c.ID, owner, title, noCode(c.ID), string(text), s.millis())
			return err
		})
	}
	if err != nil {
		return Class{}, fmt.Errorf("create class: %w", err)
	}
	return c, nil
}

// noCode is the hash of no code: that of a class nobody can join.
func noCode(class string) string { return "none " + class }

// SetCode makes code number the one that joins a class. The codes before are
// dead. A code that another class has is ErrTaken.
func (s *Store) SetCode(ctx context.Context, class string, number int64, code string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM classes WHERE code_hash = $1 AND id <> $2`, hash(code), class).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return ErrTaken
		}
		return changed(tx.ExecContext(ctx, `UPDATE classes SET code_hash = $1, code_number = $2 WHERE id = $3 AND ended_at = 0`, hash(code), number, class))
	})
	if err != nil {
		return fmt.Errorf("set join code: %w", err)
	}
	return nil
}

// ClassByCode finds the class that a join code opens now, or returns ErrNotFound.
func (s *Store) ClassByCode(ctx context.Context, code string) (Class, error) {
	c, err := scanClass(s.read.QueryRowContext(ctx, classColumns+` WHERE c.code_hash = $1 AND c.ended_at = 0`, hash(code)).Scan)
	if err != nil {
		return Class{}, fmt.Errorf("find class by code: %w", err)
	}
	return c, nil
}

// Class finds a class by its id, or returns ErrNotFound.
func (s *Store) Class(ctx context.Context, id string) (Class, error) {
	c, err := scanClass(s.read.QueryRowContext(ctx, classColumns+` WHERE c.id = $1`, id).Scan)
	if err != nil {
		return Class{}, fmt.Errorf("find class: %w", err)
	}
	return c, nil
}

// Classes lists an owner's classes, the newest first.
func (s *Store) Classes(ctx context.Context, owner string) ([]Class, error) {
	rows, err := s.read.QueryContext(ctx, classColumns+` WHERE c.owner = $1 ORDER BY c.created_at DESC, c.id`, owner)
	if err != nil {
		return nil, fmt.Errorf("list classes: %w", reason(err))
	}
	return collect(rows, scanClass)
}

// SetClass changes a class's title and lesson set.
func (s *Store) SetClass(ctx context.Context, id, title string, lessons []Assignment) error {
	text, err := json.Marshal(append([]Assignment{}, lessons...))
	if err == nil {
		err = s.tx(ctx, func(tx *sql.Tx) error {
			return changed(tx.ExecContext(ctx, `UPDATE classes SET title = $1, lessons = $2 WHERE id = $3`, title, string(text), id))
		})
	}
	if err != nil {
		return fmt.Errorf("change class: %w", err)
	}
	return nil
}

// BurstWorkers is how many learners of a class who allow class bursts have a
// Worker in each lesson, by the lesson's id.
func (s *Store) BurstWorkers(ctx context.Context, class string) (map[string]int, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT p.lesson, count(*) FROM members m JOIN projects p ON p.workspace = m.workspace AND p.id = p.lesson WHERE m.class = $1 AND m.burst GROUP BY p.lesson`, class)
	if err != nil {
		return nil, fmt.Errorf("count a class's Workers: %w", reason(err))
	}
	type count struct {
		lesson string
		n      int
	}
	list, err := collect(rows, func(scan func(...any) error) (c count, err error) { return c, scan(&c.lesson, &c.n) })
	out := make(map[string]int, len(list))
	for _, c := range list {
		out[c.lesson] = c.n
	}
	return out, err
}

// SaveBurst keeps the newest class burst in the place of the one before.
func (s *Store) SaveBurst(ctx context.Context, id string, record json.RawMessage) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `UPDATE classes SET burst = $1 WHERE id = $2`, string(record), id))
	})
	if err != nil {
		return fmt.Errorf("save class burst: %w", err)
	}
	return nil
}

// EndClass ends a class: its code opens nothing any more and its learners
// leave the live view's reach. What was measured stays for the instructor.
func (s *Store) EndClass(ctx context.Context, id string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `UPDATE classes SET ended_at = $1, code_hash = $2 WHERE id = $3 AND ended_at = 0`, s.millis(), noCode(id), id))
	})
	if err != nil {
		return fmt.Errorf("end class: %w", err)
	}
	return nil
}

// Member is a learner in a class.
type Member struct {
	Class     string
	ID        string // names the member in the class's addresses: 12 characters
	Workspace string
	Nickname  string
	Burst     bool      // the class may send requests to this learner's Workers
	Hand      time.Time // when the hand went up; zero while it is down
	Joined    time.Time
	Seen      time.Time // when they last did something; zero for never
	Lesson    string    // in which lesson that was
	Last      string    // one line about it: the last fault; "" when it went well
	Place     string    // where that fault was, as file:line; may be ""
}

const memberColumns = `SELECT m.class, m.id, m.workspace, m.nickname, m.burst, m.hand_at, m.joined_at, coalesce(a.at, 0), coalesce(a.lesson, ''), coalesce(a.message, ''), coalesce(a.place, '')
	FROM members m LEFT JOIN activity a ON a.workspace = m.workspace`

func scanMember(scan func(...any) error) (Member, error) {
	var m Member
	var hand, joined, seen int64
	err := scan(&m.Class, &m.ID, &m.Workspace, &m.Nickname, &m.Burst, &hand, &joined, &seen, &m.Lesson, &m.Last, &m.Place)
	m.Hand, m.Joined, m.Seen = fromMillis(hand), fromMillis(joined), fromMillis(seen)
	return m, reason(err)
}

// Join makes a workspace a member of a class, under a nickname; folded is the
// form in which two nicknames count as the same. A member who joins again
// keeps place and nickname. A nickname that another one has is ErrTaken, a
// class that is over ErrNotFound.
func (s *Store) Join(ctx context.Context, class, workspace, nickname, folded string) (Member, error) {
	var m Member
	err := s.tx(ctx, func(tx *sql.Tx) (err error) {
		m, err = scanMember(tx.QueryRowContext(ctx, memberColumns+` WHERE m.class = $1 AND m.workspace = $2`, class, workspace).Scan)
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		var open, members, same int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM classes WHERE id = $1 AND ended_at = 0`, class).Scan(&open); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(CASE WHEN folded = $2 THEN 1 ELSE 0 END), 0) FROM members WHERE class = $1`, class, folded).Scan(&members, &same); err != nil {
			return err
		}
		switch {
		case open == 0:
			return ErrNotFound
		case same > 0:
			return ErrTaken
		case members >= MaxMembers:
			return ErrCrowded
		}
		now := s.millis()
		m = Member{Class: class, ID: NewID(12), Workspace: workspace, Nickname: nickname, Joined: fromMillis(now)}
		_, err = tx.ExecContext(ctx, `INSERT INTO members (class, id, workspace, nickname, folded, burst, hand_at, joined_at) VALUES ($1, $2, $3, $4, $5, FALSE, 0, $6)`,
			class, m.ID, workspace, nickname, folded, now)
		return err
	}, class, workspace)
	if err != nil {
		return Member{}, fmt.Errorf("join class: %w", err)
	}
	return m, nil
}

// Members lists a class's learners in the order in which they joined.
func (s *Store) Members(ctx context.Context, class string) ([]Member, error) {
	rows, err := s.read.QueryContext(ctx, memberColumns+` WHERE m.class = $1 ORDER BY m.joined_at, m.id`, class)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", reason(err))
	}
	return collect(rows, scanMember)
}

// MemberOf finds a workspace's place in a class, or returns ErrNotFound.
func (s *Store) MemberOf(ctx context.Context, class, workspace string) (Member, error) {
	m, err := scanMember(s.read.QueryRowContext(ctx, memberColumns+` WHERE m.class = $1 AND m.workspace = $2`, class, workspace).Scan)
	if err != nil {
		return Member{}, fmt.Errorf("find member: %w", err)
	}
	return m, nil
}

// Member finds a member of a class, or returns ErrNotFound.
func (s *Store) Member(ctx context.Context, class, id string) (Member, error) {
	m, err := scanMember(s.read.QueryRowContext(ctx, memberColumns+` WHERE m.class = $1 AND m.id = $2`, class, id).Scan)
	if err != nil {
		return Member{}, fmt.Errorf("find member: %w", err)
	}
	return m, nil
}

// Membership is a class seen by one of its learners.
type Membership struct {
	Class  Class
	Member Member
}

// Memberships lists the classes that a workspace is in and that go on, the
// newest membership first.
func (s *Store) Memberships(ctx context.Context, workspace string) ([]Membership, error) {
	rows, err := s.read.QueryContext(ctx, memberColumns+` WHERE m.workspace = $1 AND EXISTS (SELECT 1 FROM classes c WHERE c.id = m.class AND c.ended_at = 0) ORDER BY m.joined_at DESC, m.id`, workspace)
	if err != nil {
		return nil, fmt.Errorf("list memberships: %w", reason(err))
	}
	members, err := collect(rows, scanMember)
	if err != nil {
		return nil, fmt.Errorf("list memberships: %w", err)
	}
	var out []Membership
	for _, m := range members {
		c, err := s.Class(ctx, m.Class)
		if err != nil {
			return nil, fmt.Errorf("list memberships: %w", err)
		}
		out = append(out, Membership{Class: c, Member: m})
	}
	return out, nil
}

// RaiseHand puts a member's hand up, or down.
func (s *Store) RaiseHand(ctx context.Context, class, member string, up bool) error {
	at := int64(0)
	if up {
		at = s.millis()
	}
	return s.setMember(ctx, `UPDATE members SET hand_at = $1 WHERE class = $2 AND id = $3`, at, class, member)
}

// SetBurst says whether the class may send requests to a member's Workers.
func (s *Store) SetBurst(ctx context.Context, class, member string, on bool) error {
	return s.setMember(ctx, `UPDATE members SET burst = $1 WHERE class = $2 AND id = $3`, on, class, member)
}

// RemoveMember takes a learner out of a class with the notes they got there.
// Their work stays theirs.
func (s *Store) RemoveMember(ctx context.Context, class, member string) error {
	return s.setMember(ctx, `DELETE FROM members WHERE class = $1 AND id = $2`, class, member)
}

func (s *Store) setMember(ctx context.Context, query string, args ...any) error {
	err := s.tx(ctx, func(tx *sql.Tx) error { return changed(tx.ExecContext(ctx, query, args...)) })
	if err != nil {
		return fmt.Errorf("change member: %w", err)
	}
	return nil
}

// Note is what an instructor wrote to a learner.
type Note struct {
	ID     string
	Lesson string // about which lesson; may be ""
	Text   string
	Sent   time.Time
	Read   time.Time // zero until the learner has seen it
}

// SendNote keeps a note for a member.
func (s *Store) SendNote(ctx context.Context, class, member, lesson, text string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `INSERT INTO notes (id, class, member, lesson, text, sent_at, read_at)
			SELECT $1, class, id, $2, $3, CAST($4 AS BIGINT), 0 FROM members WHERE class = $5 AND id = $6`, NewID(16), lesson, text, s.millis(), class, member))
	})
	if err != nil {
		return fmt.Errorf("send note: %w", err)
	}
	return nil
}

// Notes lists what a member was sent, the newest first.
func (s *Store) Notes(ctx context.Context, class, member string) ([]Note, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, lesson, text, sent_at, read_at FROM notes WHERE class = $1 AND member = $2 ORDER BY sent_at DESC, id`, class, member)
	if err != nil {
		return nil, fmt.Errorf("list notes: %w", reason(err))
	}
	return collect(rows, func(scan func(...any) error) (n Note, err error) {
		var sent, read int64
		err = scan(&n.ID, &n.Lesson, &n.Text, &sent, &read)
		n.Sent, n.Read = fromMillis(sent), fromMillis(read)
		return n, err
	})
}

// ReadNotes notes that a member has seen every note there is.
func (s *Store) ReadNotes(ctx context.Context, class, member string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE notes SET read_at = $1 WHERE class = $2 AND member = $3 AND read_at = 0`, s.millis(), class, member)
		return err
	})
	if err != nil {
		return fmt.Errorf("read notes: %w", err)
	}
	return nil
}
