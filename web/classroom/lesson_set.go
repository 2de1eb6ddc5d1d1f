package classroom

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Bounds of the lessons that instructors bring. Every server of the site holds
// all of them in memory.
const (
	MaxLessonSets     = 10        // of one owner, without removed ones
	MaxLessonSetBytes = 128 << 20 // of all owners together, by Size
	KeepLessonSets    = 10        // revisions of one set
)

// LessonSet is what an instructor uploaded as one archive: one track of
// lessons, or several.
type LessonSet struct {
	ID       string // eight characters that begin with a letter
	Owner    string // workspace of the instructor
	Title    string
	Revision int64 // counts uploads from 1
	Size     int64 // bytes of its files, unpacked
	Created  time.Time
	Changed  time.Time
	Removed  time.Time // zero: it is offered
}

// LessonUpload is how the newest upload of an instructor goes. State is the
// caller's encoding.
type LessonUpload struct {
	ID      string
	State   json.RawMessage
	Changed time.Time
}

// NewLessonSetID makes an id for a set of lessons.
func NewLessonSetID() string { return "t" + NewID(7) }

const lessonSetColumns = `SELECT id, owner, title, revision, size, created_at, changed_at, removed_at FROM lesson_sets`

func scanLessonSet(scan func(...any) error) (LessonSet, error) {
	var l LessonSet
	var created, changedAt, removed int64
	err := scan(&l.ID, &l.Owner, &l.Title, &l.Revision, &l.Size, &created, &changedAt, &removed)
	l.Created, l.Changed, l.Removed = fromMillis(created), fromMillis(changedAt), fromMillis(removed)
	return l, reason(err)
}

// LessonSets lists every set of every owner by id, without archives.
func (s *Store) LessonSets(ctx context.Context) ([]LessonSet, error) {
	rows, err := s.read.QueryContext(ctx, lessonSetColumns+` ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("list lesson sets: %w", reason(err))
	}
	return collect(rows, scanLessonSet)
}

// LessonSetArchive is the zip of one revision, or ErrNotFound.
func (s *Store) LessonSetArchive(ctx context.Context, id string, revision int64) ([]byte, error) {
	var text string
	err := s.read.QueryRowContext(ctx, `SELECT archive FROM lesson_set_revisions WHERE lesson_set = $1 AND revision = $2`, id, revision).Scan(&text)
	if err != nil {
		return nil, fmt.Errorf("load lesson set: %w", reason(err))
	}
	return base64.StdEncoding.DecodeString(text)
}

// LessonSetRevisions gives when each kept revision of a set was saved, by its number.
func (s *Store) LessonSetRevisions(ctx context.Context, id string) (map[int64]time.Time, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT revision, saved_at FROM lesson_set_revisions WHERE lesson_set = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("list lesson set: %w", reason(err))
	}
	out := map[int64]time.Time{}
	_, err = collect(rows, func(scan func(...any) error) (int64, error) {
		var n, at int64
		err := scan(&n, &at)
		out[n] = fromMillis(at)
		return n, err
	})
	return out, err
}

// SaveLessonSet keeps an archive as the newest revision of the owner's set of
// that id, which is made when it is not there; a removed one is offered again.
// ErrCrowded: the owner has MaxLessonSets, or all sets together are too large.
// ErrTaken: the id is another owner's.
func (s *Store) SaveLessonSet(ctx context.Context, set LessonSet, archive []byte) (LessonSet, error) {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var others, size int64
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM lesson_sets WHERE owner = $1 AND id <> $2 AND removed_at = 0`, set.Owner, set.ID).Scan(&others); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(sum(size), 0) FROM lesson_sets WHERE id <> $1`, set.ID).Scan(&size); err != nil {
			return err
		}
		if others >= MaxLessonSets || size+set.Size > MaxLessonSetBytes {
			return ErrCrowded
		}
		now := s.millis()
		before, err := scanLessonSet(tx.QueryRowContext(ctx, lessonSetColumns+` WHERE id = $1`, set.ID).Scan)
		switch {
		case errors.Is(err, ErrNotFound):
			set.Revision, set.Created = 1, fromMillis(now)
			_, err = tx.ExecContext(ctx, `INSERT INTO lesson_sets (id, owner, title, revision, size, created_at, changed_at, removed_at) VALUES ($1, $2, $3, 1, $4, $5, $5, 0)`,
				set.ID, set.Owner, set.Title, set.Size, now)
		case err == nil && before.Owner != set.Owner:
			return ErrTaken
		case err == nil:
			set.Revision, set.Created = before.Revision+1, before.Created
			_, err = tx.ExecContext(ctx, `UPDATE lesson_sets SET title = $1, revision = $2, size = $3, changed_at = $4, removed_at = 0 WHERE id = $5`,
				set.Title, set.Revision, set.Size, now, set.ID)
		}
		if err != nil {
			return err
		}
		set.Changed, set.Removed = fromMillis(now), time.Time{}
		_, err = tx.ExecContext(ctx, `INSERT INTO lesson_set_revisions (lesson_set, revision, archive, saved_at) VALUES ($1, $2, $3, $4)`,
			set.ID, set.Revision, base64.StdEncoding.EncodeToString(archive), now)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM lesson_set_revisions WHERE lesson_set = $1 AND revision <= $2`, set.ID, set.Revision-KeepLessonSets)
		return err
	})
	if err != nil {
		return LessonSet{}, fmt.Errorf("save lesson set: %w", err)
	}
	return set, nil
}

// RemoveLessonSet takes an owner's set back: it is offered to nobody any more
// and leaves the lesson sets of the owner's classes. What learners have begun
// of it stays theirs, and while somebody has, the set stays in the database.
// Gone is true when it did not.
func (s *Store) RemoveLessonSet(ctx context.Context, owner, id string) (gone bool, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if err := changed(tx.ExecContext(ctx, `UPDATE lesson_sets SET removed_at = $1 WHERE id = $2 AND owner = $3 AND removed_at = 0`, s.millis(), id, owner)); err != nil {
			return err
		}
		var begun int
		// Ids of its lessons are its own, a hyphen and more.
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM projects WHERE lesson LIKE $1 LIMIT 1) AS one`, id+"-%").Scan(&begun); err != nil {
			return err
		}
		gone = begun == 0
		if !gone {
			return nil
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM lesson_sets WHERE id = $1`, id)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("remove lesson set: %w", err)
	}
	return gone, nil
}

// SaveLessonUpload keeps how an owner's upload goes, in the place of what was
// kept of an earlier one.
func (s *Store) SaveLessonUpload(ctx context.Context, owner string, u LessonUpload) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO lesson_uploads (owner, id, state, changed_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (owner) DO UPDATE SET id = excluded.id, state = excluded.state, changed_at = excluded.changed_at`, owner, u.ID, string(u.State), s.millis())
		return err
	}, owner)
	if err != nil {
		return fmt.Errorf("save lesson upload: %w", err)
	}
	return nil
}

// LessonUpload gives how an owner's newest upload goes, or ErrNotFound.
func (s *Store) LessonUpload(ctx context.Context, owner string) (LessonUpload, error) {
	var u LessonUpload
	var state string
	var at int64
	err := s.read.QueryRowContext(ctx, `SELECT id, state, changed_at FROM lesson_uploads WHERE owner = $1`, owner).Scan(&u.ID, &state, &at)
	if err != nil {
		return u, fmt.Errorf("load lesson upload: %w", reason(err))
	}
	u.State, u.Changed = json.RawMessage(state), fromMillis(at)
	return u, nil
}
