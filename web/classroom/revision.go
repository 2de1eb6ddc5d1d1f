package classroom

import (
	"context"
	"database/sql"
	"fmt"
)

// Archived is one revision of a lesson, which the caller packs when it is wanted.
type Archived struct {
	Lesson string
	Hash   string // as in Project.LessonRevision
	Pack   func() (string, error)
}

// keepRevision stores a revision unless it is there.
func (s *Store) keepRevision(ctx context.Context, tx *sql.Tx, lesson, hash, archive string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO lesson_revisions (lesson, hash, archive, kept_at) VALUES ($1, $2, $3, $4) ON CONFLICT (lesson, hash) DO NOTHING`,
		lesson, hash, archive, s.millis())
	return err
}

// KeepRevisions stores those of the revisions that a draft has begun with and
// that are not there yet, and removes every one that no draft needs: neither to
// go on nor to undo its update.
func (s *Store) KeepRevisions(ctx context.Context, present []Archived) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		for _, r := range present {
			var lacking int
			err := tx.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM projects WHERE lesson = $1 AND lesson_revision = $2
				AND NOT EXISTS (SELECT 1 FROM lesson_revisions WHERE lesson = $1 AND hash = $2) LIMIT 1) AS one`, r.Lesson, r.Hash).Scan(&lacking)
			if err != nil {
				return err
			}
			if lacking == 0 {
				continue
			}
			archive, err := r.Pack()
			if err == nil {
				err = s.keepRevision(ctx, tx, r.Lesson, r.Hash, archive)
			}
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM lesson_revisions
			WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.lesson = lesson_revisions.lesson AND p.lesson_revision = lesson_revisions.hash)
			AND NOT EXISTS (SELECT 1 FROM projects p JOIN versions v ON v.workspace = p.workspace AND v.project = p.id AND v.revision = p.undo_to
				WHERE p.lesson = lesson_revisions.lesson AND v.lesson_revision = lesson_revisions.hash)`)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep lesson revisions: %w", err)
	}
	return nil
}

// LessonRevision is the archive of a revision that a draft began with.
// Unknown ones return ErrNotFound.
func (s *Store) LessonRevision(ctx context.Context, lesson, hash string) (string, error) {
	var archive string
	err := s.read.QueryRowContext(ctx, `SELECT archive FROM lesson_revisions WHERE lesson = $1 AND hash = $2`, lesson, hash).Scan(&archive)
	if err != nil {
		return "", fmt.Errorf("load revision %s of lesson %q: %w", hash, lesson, reason(err))
	}
	return archive, nil
}

// Decline notes that the learner keeps the revision that the project began
// with although there is the one of that hash. It makes no version.
func (s *Store) Decline(ctx context.Context, workspace, id, hash string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `UPDATE projects SET declined = $1 WHERE workspace = $2 AND id = $3`, hash, workspace, id))
	}, workspace)
	if err != nil {
		return fmt.Errorf("decline an update of project %q: %w", id, err)
	}
	return nil
}
