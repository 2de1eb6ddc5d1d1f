package classroom

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// MaxShares is how many links one workspace may keep.
const MaxShares = 500

// Share is a project and one run of it, as they were when somebody shared
// them. Whoever has the link may read it.
type Share struct {
	ID        string // 12 characters, unguessable
	Workspace string // of who shared it; never shown
	Lesson    string // "" for a project that belongs to no lesson
	Title     string
	Settings  Settings
	Files     Files
	Run       *Run // nil when nothing had run
	Created   time.Time
}

// CreateShare keeps a share and gives it its id.
func (s *Store) CreateShare(ctx context.Context, sh Share) (Share, error) {
	sh.ID, sh.Created = NewID(12), fromMillis(s.millis())
	settings, err := json.Marshal(sh.Settings)
	if err != nil {
		return Share{}, err
	}
	files, err := json.Marshal(sh.Files)
	if err != nil {
		return Share{}, err
	}
	run, err := json.Marshal(sh.Run)
	if err != nil {
		return Share{}, err
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM shares WHERE workspace = $1`, sh.Workspace).Scan(&n); err != nil {
			return err
		}
		if n >= MaxShares {
			return ErrCrowded
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO shares (id, workspace, lesson, title, settings, files, run, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			sh.ID, sh.Workspace, sh.Lesson, sh.Title, string(settings), string(files), string(run), s.millis())
		return err
	})
	if err != nil {
		return Share{}, fmt.Errorf("create share: %w", err)
	}
	return sh, nil
}

const shareColumns = `SELECT id, workspace, lesson, title, settings, files, run, created_at FROM shares`

func scanShare(scan func(...any) error) (Share, error) {
	var sh Share
	var settings, files, run string
	var created int64
	if err := scan(&sh.ID, &sh.Workspace, &sh.Lesson, &sh.Title, &settings, &files, &run, &created); err != nil {
		return sh, reason(err)
	}
	sh.Created = fromMillis(created)
	for _, part := range []struct {
		text string
		into any
	}{{settings, &sh.Settings}, {files, &sh.Files}, {run, &sh.Run}} {
		if err := json.Unmarshal([]byte(part.text), part.into); err != nil {
			return sh, err
		}
	}
	return sh, nil
}

// Share loads a share, or returns ErrNotFound.
func (s *Store) Share(ctx context.Context, id string) (Share, error) {
	sh, err := scanShare(s.read.QueryRowContext(ctx, shareColumns+` WHERE id = $1`, id).Scan)
	if err != nil {
		return Share{}, fmt.Errorf("load share: %w", err)
	}
	return sh, nil
}

// Shares lists what a workspace shares, the newest first.
func (s *Store) Shares(ctx context.Context, workspace string) ([]Share, error) {
	rows, err := s.read.QueryContext(ctx, shareColumns+` WHERE workspace = $1 ORDER BY created_at DESC, id`, workspace)
	if err != nil {
		return nil, fmt.Errorf("list shares: %w", reason(err))
	}
	return collect(rows, scanShare)
}

// DeleteShare makes a link lead nowhere. Only who made it can.
func (s *Store) DeleteShare(ctx context.Context, workspace, id string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `DELETE FROM shares WHERE workspace = $1 AND id = $2`, workspace, id))
	})
	if err != nil {
		return fmt.Errorf("delete share: %w", err)
	}
	return nil
}
