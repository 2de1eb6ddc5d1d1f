package classroom

import (
	"context"
	"database/sql"
	"fmt"
)

// KeepDevices is how many further browsers a workspace remembers; the oldest
// one is signed out first.
const KeepDevices = 20

// AddDevice lets one more browser into a workspace and gives its token. The
// tokens of other browsers stay good.
func (s *Store) AddDevice(ctx context.Context, workspace string) (string, error) {
	token := NewToken()
	err := s.tx(ctx, func(tx *sql.Tx) error { return s.addDevice(ctx, tx, workspace, token) })
	if err != nil {
		return "", fmt.Errorf("add device: %w", err)
	}
	return token, nil
}

func (s *Store) addDevice(ctx context.Context, tx *sql.Tx, workspace, token string) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO devices (token_hash, workspace, created_at) VALUES ($1, $2, $3)`, hash(token), workspace, s.millis()); err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT token_hash FROM devices WHERE workspace = $1 ORDER BY created_at DESC, token_hash`, workspace)
	if err != nil {
		return err
	}
	all, err := collect(rows, func(scan func(...any) error) (h string, err error) { return h, scan(&h) })
	if err != nil {
		return err
	}
	for i, h := range all {
		if i < KeepDevices || h == hash(token) {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM devices WHERE token_hash = $1`, h); err != nil {
			return err
		}
	}
	return nil
}

// DropDevice ends one browser's session. Other browsers of its workspace go on.
func (s *Store) DropDevice(ctx context.Context, token string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM devices WHERE token_hash = $1`, hash(token)); err != nil {
			return err
		}
		// The workspace's first browser has its token in the row itself, which needs one.
		_, err := tx.ExecContext(ctx, `UPDATE workspaces SET token_hash = $1 WHERE token_hash = $2`, hash(NewToken()), hash(token))
		return err
	})
	if err != nil {
		return fmt.Errorf("drop device: %w", err)
	}
	return nil
}

// dropDevices signs every browser of a workspace out.
func dropDevices(ctx context.Context, tx *sql.Tx, workspace string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM devices WHERE workspace = $1`, workspace); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE workspaces SET token_hash = $1 WHERE id = $2`, hash(NewToken()), workspace)
	return err
}

// SetPhrase makes phrase the one that lets another device into a workspace.
// The one before is dead. Only its hash is kept.
func (s *Store) SetPhrase(ctx context.Context, workspace, phrase string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO phrases (workspace, hash, made_at) VALUES ($1, $2, $3)
			ON CONFLICT (workspace) DO UPDATE SET hash = excluded.hash, made_at = excluded.made_at`, workspace, hash(phrase), s.millis())
		return err
	})
	if err != nil {
		return fmt.Errorf("set phrase: %w", err)
	}
	return nil
}

// Resume lets one more browser into the workspace of a phrase and gives its
// token. An unknown phrase is ErrNotFound.
func (s *Store) Resume(ctx context.Context, phrase string) (string, error) {
	token := NewToken()
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var workspace string
		if err := tx.QueryRowContext(ctx, `SELECT workspace FROM phrases WHERE hash = $1`, hash(phrase)).Scan(&workspace); err != nil {
			return err
		}
		return s.addDevice(ctx, tx, workspace, token)
	})
	if err != nil {
		return "", fmt.Errorf("resume: %w", err)
	}
	return token, nil
}
