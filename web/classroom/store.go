package classroom

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"

	"coldstart/sandbox/platform"
)

// What a caller can tell apart. Everything else is an operator's matter.
var (
	ErrNotFound = errors.New("classroom: not found")
	ErrUsed     = errors.New("classroom: token already used")
	ErrExpired  = errors.New("classroom: token expired")
	ErrBusy     = errors.New("classroom: the database is locked or does not answer")
	ErrFull     = fmt.Errorf("classroom: %w", platform.ErrFull)
	ErrTooMany  = errors.New("classroom: too many projects in one workspace")
)

// Config says where the database is: Path or URL.
type Config struct {
	Path string           // a file for SQLite; its folder must exist. It is made when missing
	URL  string           // a database of PostgreSQL, postgres://user:password@host:5432/name; it must exist
	Now  func() time.Time // default time.Now
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Store is an open database. Its methods may be used by many goroutines. On
// SQLite writes wait for each other and reads do not; on PostgreSQL, which
// several servers may share, the writes of one owner do.
type Store struct {
	write   *sql.DB
	writer  group // SQLite's
	read    *sql.DB
	now     func() time.Time
	name    string // for messages: the file, or database and host without password
	dialect goose.Dialect
}

// Open opens the database and brings its tables up to date. A database of a
// newer program is refused and left as it was. The caller closes the Store.
func Open(ctx context.Context, c Config) (*Store, error) {
	s, err := open(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx, newest); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func open(ctx context.Context, c Config) (*Store, error) {
	c = c.withDefaults()
	if c.URL != "" {
		return openPostgres(ctx, c)
	}
	return openSQLite(ctx, c)
}

func (s *Store) postgres() bool { return s.dialect == goose.DialectPostgres }

func (s *Store) ping(ctx context.Context) error {
	if err := s.write.PingContext(ctx); err != nil {
		return fmt.Errorf("open database %s: %w", s.name, reason(err))
	}
	return nil
}

// Close waits for writes under way and closes the database.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// Ready reports whether the database answers.
func (s *Store) Ready(ctx context.Context) error {
	var one int
	return reason(s.read.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// tx runs f in one transaction and commits it. Nothing of f stays when it
// fails. f may run twice, and then only the second time counts. With owners,
// such as a workspace's id, f touches only what is theirs, and transactions of
// other owners may run at the same time; without, none does.
func (s *Store) tx(ctx context.Context, f func(*sql.Tx) error, owners ...string) error {
	if !s.postgres() {
		return reason(s.writer.tx(ctx, f))
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return reason(err)
	}
	if err = lock(ctx, tx, owners); err == nil {
		err = f(tx)
	}
	if err != nil {
		return errors.Join(reason(err), ignoreDone(tx.Rollback()))
	}
	return reason(tx.Commit())
}

// reading runs f on one state of the database, so that what f reads in several
// steps belongs together.
func (s *Store) reading(ctx context.Context, f func(querier) error) error {
	var o *sql.TxOptions // SQLite: what a transaction reads is one state always
	if s.postgres() {
		o = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := s.read.BeginTx(ctx, o)
	if err != nil {
		return reason(err)
	}
	return errors.Join(reason(f(tx)), ignoreDone(tx.Rollback()))
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// reason gives a driver's error the name callers know it by.
func reason(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	for _, cause := range []error{sqliteReason(err), postgresReason(err)} {
		if cause != nil {
			return fmt.Errorf("%w: %w", cause, err)
		}
	}
	return err
}

func (s *Store) millis() int64 { return s.now().UnixMilli() }

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// alphabet is Crockford's base 32 in lower case: no i, l, o, u, so that a slug
// read aloud or copied by hand stays the same one. It is a valid DNS label.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID returns n random characters of Crockford's alphabet, five bits each.
func NewID(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails: it ends the program instead
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return string(b)
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
