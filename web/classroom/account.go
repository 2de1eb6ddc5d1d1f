package classroom

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// RoleInstructor may have classes.
const RoleInstructor = "instructor"

// ErrTaken is the error of a name or code that another one has already.
var ErrTaken = errors.New("classroom: taken")

// Account is somebody who signs in: an instructor or a host. What they own
// hangs on their workspace, which every browser they sign in from shares.
type Account struct {
	ID        string
	Name      string // what they type to sign in, in small letters
	Role      string // RoleInstructor or RoleHost
	Password  string // its hash, the caller's encoding; "" until one is chosen
	Workspace string // "" until they sign in first
	Created   time.Time
}

const accountColumns = `SELECT id, name, role, password, coalesce(workspace, ''), created_at FROM accounts`

func scanAccount(scan func(...any) error) (Account, error) {
	var a Account
	var created int64
	err := scan(&a.ID, &a.Name, &a.Role, &a.Password, &a.Workspace, &created)
	a.Created = fromMillis(created)
	return a, err
}

// CreateAccount makes an account without a password. A name that is in use is ErrTaken.
func (s *Store) CreateAccount(ctx context.Context, name, role string) (Account, error) {
	a := Account{ID: NewID(12), Name: name, Role: role, Created: fromMillis(s.millis())}
	err := s.tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `INSERT INTO accounts (id, name, role, password, created_at) VALUES ($1, $2, $3, '', $4) ON CONFLICT (name) DO NOTHING`, a.ID, a.Name, a.Role, s.millis())
		if err = changed(r, err); errors.Is(err, ErrNotFound) {
			return ErrTaken
		}
		return err
	})
	if err != nil {
		return Account{}, fmt.Errorf("create account: %w", err)
	}
	return a, nil
}

// Accounts lists all accounts by name.
func (s *Store) Accounts(ctx context.Context) ([]Account, error) {
	rows, err := s.read.QueryContext(ctx, accountColumns+` ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", reason(err))
	}
	return collect(rows, scanAccount)
}

// AccountByName finds an account, or returns ErrNotFound.
func (s *Store) AccountByName(ctx context.Context, name string) (Account, error) {
	return s.account(ctx, ` WHERE name = $1`, name)
}

// Account finds an account by its id, or returns ErrNotFound.
func (s *Store) Account(ctx context.Context, id string) (Account, error) {
	return s.account(ctx, ` WHERE id = $1`, id)
}

// AccountOf finds the account of a workspace, or returns ErrNotFound.
func (s *Store) AccountOf(ctx context.Context, workspace string) (Account, error) {
	return s.account(ctx, ` WHERE workspace = $1`, workspace)
}

// AccountByIdentity finds the account of a provider's subject, or returns ErrNotFound.
func (s *Store) AccountByIdentity(ctx context.Context, issuer, subject string) (Account, error) {
	return s.account(ctx, ` WHERE id = (SELECT account FROM identities WHERE issuer = $1 AND subject = $2)`, issuer, subject)
}

func (s *Store) account(ctx context.Context, where string, args ...any) (Account, error) {
	a, err := scanAccount(s.read.QueryRowContext(ctx, accountColumns+where, args...).Scan)
	if err != nil {
		return Account{}, fmt.Errorf("find account: %w", reason(err))
	}
	return a, nil
}

// AddIdentity remembers who an account is for a provider. An account has one
// identity at each provider: a second one is ErrTaken.
func (s *Store) AddIdentity(ctx context.Context, account, issuer, subject string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM identities WHERE issuer = $1 AND (account = $2 OR subject = $3)`, issuer, account, subject).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return ErrTaken
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO identities (issuer, subject, account) VALUES ($1, $2, $3)`, issuer, subject, account)
		return err
	})
	if err != nil {
		return fmt.Errorf("add identity: %w", err)
	}
	return nil
}

// SignIn lets one more browser into an account's workspace and gives its
// token. An account without a workspace takes the one named, when that is a
// learner's whom no account and no class knows, else a new one.
func (s *Store) SignIn(ctx context.Context, account, workspace string) (string, error) {
	token := NewToken()
	err := s.tx(ctx, func(tx *sql.Tx) error {
		a, err := scanAccount(tx.QueryRowContext(ctx, accountColumns+` WHERE id = $1`, account).Scan)
		if err != nil {
			return err
		}
		return s.signIn(ctx, tx, a, workspace, token)
	})
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	return token, nil
}

func (s *Store) signIn(ctx context.Context, tx *sql.Tx, a Account, workspace, token string) error {
	if a.Workspace != "" {
		return s.addDevice(ctx, tx, a.Workspace, token)
	}
	var free int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM workspaces w WHERE w.id = $1
		AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.workspace = w.id) AND NOT EXISTS (SELECT 1 FROM members m WHERE m.workspace = w.id)`, workspace).Scan(&free)
	if err != nil {
		return err
	}
	if free == 0 {
		workspace = NewID(20)
		if _, err := tx.ExecContext(ctx, `INSERT INTO workspaces (id, token_hash, role, created_at) VALUES ($1, $2, $3, $4)`, workspace, hash(NewToken()), RoleLearner, s.millis()); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE accounts SET workspace = $1 WHERE id = $2`, workspace, a.ID); err != nil {
		return err
	}
	// A host who makes an account stays the host; whoever else gets in gets the account's role.
	if _, err := tx.ExecContext(ctx, `UPDATE workspaces SET role = $1 WHERE id = $2 AND role <> $3`, a.Role, workspace, RoleHost); err != nil {
		return err
	}
	// The rights have grown, so every token from before is dead.
	if err := dropDevices(ctx, tx, workspace); err != nil {
		return err
	}
	return s.addDevice(ctx, tx, workspace, token)
}

// OfferAccount makes the token with which the owner of an account chooses a
// password, once, within ttl. Earlier offers are dead from now on.
func (s *Store) OfferAccount(ctx context.Context, account string, ttl time.Duration) (string, error) {
	token := NewToken()
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE purpose = $1 AND used_at = 0`, purposeAccount+account); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO tokens (hash, purpose, expires_at, used_at) VALUES ($1, $2, $3, 0)`,
			hash(token), purposeAccount+account, s.now().Add(ttl).UnixMilli())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("offer an account: %w", err)
	}
	return token, nil
}

const purposeAccount = "account:"

// CheckAccountOffer gives the account of a token that can be used now, else
// ErrNotFound, ErrUsed or ErrExpired.
func (s *Store) CheckAccountOffer(ctx context.Context, token string) (Account, error) {
	return s.accountOffer(ctx, s.read, token)
}

func (s *Store) accountOffer(ctx context.Context, q querier, token string) (Account, error) {
	var purpose string
	err := q.QueryRowContext(ctx, `SELECT purpose FROM tokens WHERE hash = $1`, hash(token)).Scan(&purpose)
	if err != nil {
		return Account{}, reason(err)
	}
	if err := s.offer(q.QueryRowContext(ctx, offerQuery, hash(token), purpose)); err != nil {
		return Account{}, err
	}
	if len(purpose) <= len(purposeAccount) || purpose[:len(purposeAccount)] != purposeAccount {
		return Account{}, ErrNotFound
	}
	a, err := scanAccount(q.QueryRowContext(ctx, accountColumns+` WHERE id = $1`, purpose[len(purposeAccount):]).Scan)
	return a, reason(err)
}

// AcceptAccount uses the token up, sets the password's hash, and signs in as
// SignIn does. Every browser that was signed in before is signed out.
func (s *Store) AcceptAccount(ctx context.Context, token, password, workspace string) (string, error) {
	session := NewToken()
	err := s.tx(ctx, func(tx *sql.Tx) error {
		a, err := s.accountOffer(ctx, tx, token)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE tokens SET used_at = $1 WHERE hash = $2`, s.millis(), hash(token)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE accounts SET password = $1 WHERE id = $2`, password, a.ID); err != nil {
			return err
		}
		if a.Workspace != "" {
			if err := dropDevices(ctx, tx, a.Workspace); err != nil {
				return err
			}
		}
		return s.signIn(ctx, tx, a, workspace, session)
	})
	if err != nil {
		return "", fmt.Errorf("accept an account: %w", err)
	}
	return session, nil
}

// DeleteAccount takes an account's rights away and signs its browsers out. Its
// classes stay in the database; the host's own workspace cannot lose its place.
func (s *Store) DeleteAccount(ctx context.Context, id string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		a, err := scanAccount(tx.QueryRowContext(ctx, accountColumns+` WHERE id = $1`, id).Scan)
		if err != nil {
			return err
		}
		if a.Workspace != "" {
			if _, err := tx.ExecContext(ctx, `UPDATE workspaces SET role = $1 WHERE id = $2`, RoleLearner, a.Workspace); err != nil {
				return err
			}
			if err := dropDevices(ctx, tx, a.Workspace); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE purpose = $1`, purposeAccount+id); err != nil {
			return err
		}
		return changed(tx.ExecContext(ctx, `DELETE FROM accounts WHERE id = $1`, id))
	})
	if err != nil {
		return fmt.Errorf("delete account: %w", err)
	}
	return nil
}
