package classroom

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// SaveLab keeps what a learner's lab measured, in the place of what it
// measured before. The record is the caller's encoding.
func (s *Store) SaveLab(ctx context.Context, workspace, lab string, record json.RawMessage) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO labs (workspace, lab, record, ran_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (workspace, lab) DO UPDATE SET record = excluded.record, ran_at = excluded.ran_at`,
			workspace, lab, string(record), s.millis())
		return err
	}, workspace)
	if err != nil {
		return fmt.Errorf("save lab %q: %w", lab, err)
	}
	return nil
}

// Lab gives what a learner's lab measured last, or ErrNotFound.
func (s *Store) Lab(ctx context.Context, workspace, lab string) (json.RawMessage, error) {
	var record string
	err := s.read.QueryRowContext(ctx, `SELECT record FROM labs WHERE workspace = $1 AND lab = $2`, workspace, lab).Scan(&record)
	if err != nil {
		return nil, fmt.Errorf("load lab %q: %w", lab, reason(err))
	}
	return json.RawMessage(record), nil
}

// Labs gives what all of a learner's labs measured last, by name.
func (s *Store) Labs(ctx context.Context, workspace string) (map[string]json.RawMessage, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT lab, record FROM labs WHERE workspace = $1`, workspace)
	if err != nil {
		return nil, fmt.Errorf("load labs: %w", err)
	}
	defer rows.Close()
	out := map[string]json.RawMessage{}
	for rows.Next() {
		var lab, record string
		if err := rows.Scan(&lab, &record); err != nil {
			return nil, fmt.Errorf("load labs: %w", err)
		}
		out[lab] = json.RawMessage(record)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("load labs: %w", err)
	}
	return out, nil
}
