package classroom

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The roles a workspace can have.
const (
	RoleLearner = "learner"
	RoleHost    = "host" // claimed the one-time link of this server
)

// Workspace is one browser's place to work: everything a learner keeps hangs
// on it. It is known by a secret token, of which only the hash is stored.
type Workspace struct {
	ID      string // 20 characters; names the learner to the sandbox
	Role    string
	Created time.Time
}

// CreateWorkspace makes a workspace with an id and a token of the caller's
// choice. One that exists already is left as it is.
func (s *Store) CreateWorkspace(ctx context.Context, id, token string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO workspaces (id, token_hash, role, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`,
			id, hash(token), RoleLearner, s.millis())
		return err
	}, id)
	if err != nil {
		return fmt.Errorf("create workspace: %w", err)
	}
	return nil
}

// NewToken returns 128 random bits as 22 URL-safe characters.
func NewToken() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// Workspace finds a workspace by a token of one of its browsers, or returns ErrNotFound.
func (s *Store) Workspace(ctx context.Context, token string) (Workspace, error) {
	return s.workspace(ctx, `token_hash = $1 OR id = (SELECT workspace FROM devices WHERE token_hash = $1)`, hash(token))
}

// askedAtOnce is how many tokens one question holds. It always has so many
// places, so that the statement is prepared once.
const askedAtOnce = 64

// Sessions gives the workspaces of those tokens that are good, by token.
func (s *Store) Sessions(ctx context.Context, tokens []string) (map[string]string, error) {
	out := make(map[string]string, len(tokens))
	for some := range slices.Chunk(tokens, askedAtOnce) {
		of := make(map[string]string, len(some))
		args := make([]any, askedAtOnce)
		for i := range args {
			args[i] = "" // no token has this hash
			if i < len(some) {
				h := hash(some[i])
				of[h], args[i] = some[i], h
			}
		}
		rows, err := s.read.QueryContext(ctx, sessionsQuery, args...)
		if err != nil {
			return nil, fmt.Errorf("find sessions: %w", reason(err))
		}
		type session struct{ hash, workspace string }
		list, err := collect(rows, func(scan func(...any) error) (x session, err error) { return x, scan(&x.hash, &x.workspace) })
		if err != nil {
			return nil, fmt.Errorf("find sessions: %w", err)
		}
		for _, x := range list {
			out[of[x.hash]] = x.workspace
		}
	}
	return out, nil
}

var sessionsQuery = func() string {
	places := make([]string, askedAtOnce)
	for i := range places {
		places[i] = fmt.Sprint("$", i+1)
	}
	in := strings.Join(places, ", ")
	return `SELECT token_hash, id FROM workspaces WHERE token_hash IN (` + in + `) UNION ALL SELECT token_hash, workspace FROM devices WHERE token_hash IN (` + in + `)`
}()

// WorkspaceByID finds a workspace by its id, or returns ErrNotFound.
func (s *Store) WorkspaceByID(ctx context.Context, id string) (Workspace, error) {
	return s.workspace(ctx, `id = $1`, id)
}

func (s *Store) workspace(ctx context.Context, where, arg string) (Workspace, error) {
	var w Workspace
	var created int64
	err := s.read.QueryRowContext(ctx, `SELECT id, role, created_at FROM workspaces WHERE `+where, arg).Scan(&w.ID, &w.Role, &created)
	if err != nil {
		return Workspace{}, fmt.Errorf("find workspace: %w", reason(err))
	}
	w.Created = fromMillis(created)
	return w, nil
}

// RotateToken gives a workspace a new token; the old ones, of every browser, are dead.
func (s *Store) RotateToken(ctx context.Context, id string) (string, error) {
	token := NewToken()
	err := s.tx(ctx, func(tx *sql.Tx) error {
		return rotate(ctx, tx, id, token)
	}, id)
	if err != nil {
		return "", fmt.Errorf("rotate token: %w", err)
	}
	return token, nil
}

func rotate(ctx context.Context, tx *sql.Tx, id, token string) error {
	if err := dropDevices(ctx, tx, id); err != nil {
		return err
	}
	return changed(tx.ExecContext(ctx, `UPDATE workspaces SET token_hash = $1 WHERE id = $2`, hash(token), id))
}

// DeleteWorkspace removes a workspace and everything that hangs on it.
func (s *Store) DeleteWorkspace(ctx context.Context, id string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if err := changed(tx.ExecContext(ctx, `DELETE FROM workspaces WHERE id = $1`, id)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM records WHERE workspace = $1`, id); err != nil {
			return err
		}
		return dropBundles(ctx, tx)
	}, id, bundles)
	if err != nil {
		return fmt.Errorf("delete workspace: %w", err)
	}
	return nil
}

// changed turns "no row" into ErrNotFound.
func changed(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// Secret gives the server's own secret of a name, 32 random bytes that are
// made when they are first asked for and stay the same from then on.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	var value string
	err := s.tx(ctx, func(tx *sql.Tx) error {
		fresh := make([]byte, 32)
		rand.Read(fresh) // never fails: it ends the program instead
		_, err := tx.ExecContext(ctx, `INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, base64.StdEncoding.EncodeToString(fresh))
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM secrets WHERE name = $1`, name).Scan(&value)
	})
	if err == nil {
		var secret []byte
		if secret, err = base64.StdEncoding.DecodeString(value); err == nil {
			return secret, nil
		}
	}
	return nil, fmt.Errorf("read secret %q: %w", name, err)
}
