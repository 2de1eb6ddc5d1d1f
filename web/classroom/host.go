package classroom

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const purposeHost = "host"

// HasHost reports whether someone has claimed this server.
func (s *Store) HasHost(ctx context.Context) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM workspaces WHERE role = $1`, RoleHost).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for a host: %w", reason(err))
	}
	return n > 0, nil
}

// OfferHost makes the token that turns one workspace into the host's, once,
// within ttl. Earlier offers that nobody used are dead from now on.
func (s *Store) OfferHost(ctx context.Context, ttl time.Duration) (string, error) {
	token := NewToken()
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE purpose = $1 AND used_at = 0`, purposeHost); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO tokens (hash, purpose, expires_at, used_at) VALUES ($1, $2, $3, 0)`,
			hash(token), purposeHost, s.now().Add(ttl).UnixMilli())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("offer the host's place: %w", err)
	}
	return token, nil
}

// CheckHostOffer reports nil when the token could be claimed now, else
// ErrNotFound, ErrUsed or ErrExpired.
func (s *Store) CheckHostOffer(ctx context.Context, token string) error {
	return s.offer(s.read.QueryRowContext(ctx, offerQuery, hash(token), purposeHost))
}

const offerQuery = `SELECT expires_at, used_at FROM tokens WHERE hash = $1 AND purpose = $2`

func (s *Store) offer(row *sql.Row) error {
	var expires, used int64
	if err := row.Scan(&expires, &used); err != nil {
		return reason(err)
	}
	switch {
	case used != 0:
		return ErrUsed
	case s.millis() > expires:
		return ErrExpired
	}
	return nil
}

// ClaimHost uses up the token, makes the workspace the host's and gives it a
// new session token, because its rights have grown. Of two claims one wins;
// the other gets ErrUsed.
func (s *Store) ClaimHost(ctx context.Context, token, workspace string) (string, error) {
	session := NewToken()
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.offer(tx.QueryRowContext(ctx, offerQuery, hash(token), purposeHost)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE tokens SET used_at = $1 WHERE hash = $2`, s.millis(), hash(token)); err != nil {
			return err
		}
		if err := changed(tx.ExecContext(ctx, `UPDATE workspaces SET role = $1 WHERE id = $2`, RoleHost, workspace)); err != nil {
			return err
		}
		return rotate(ctx, tx, workspace, session)
	})
	if err != nil {
		return "", fmt.Errorf("claim the host's place: %w", err)
	}
	return session, nil
}
