package classroom

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// What a caller can tell apart. Everything else is an operator's matter.
var (
	ErrNotFound = errors.New("classroom: not found")
	ErrUsed     = errors.New("classroom: token already used")
	ErrExpired  = errors.New("classroom: token expired")
	ErrBusy     = errors.New("classroom: the database is locked by another program")
	ErrFull     = errors.New("classroom: the disk is full")
	ErrTooMany  = errors.New("classroom: too many projects in one workspace")
)

// Config says where the database is.
type Config struct {
	Path string           // file; its folder must exist. It is made when missing
	Now  func() time.Time // default time.Now
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Store is an open database. Its methods may be used by many goroutines:
// writes wait for each other, reads do not.
type Store struct {
	write *sql.DB // one connection, so that writers queue here instead of meeting SQLITE_BUSY
	read  *sql.DB
	now   func() time.Time
}

// Open opens the database, makes it when missing, and brings its tables up to
// date. A database of a newer program is refused and left as it was. The
// caller closes the Store.
func Open(ctx context.Context, c Config) (*Store, error) {
	c = c.withDefaults()
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	// The file is made here because SQLite's own message for a folder that
	// cannot be written names neither the folder nor the reason.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Store{now: c.Now}
	if s.write, err = open(path, "rw", "immediate"); err != nil {
		return nil, err
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = open(path, "ro", "deferred"); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	s.read.SetMaxOpenConns(4)
	if err := migrate(ctx, s.write, path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func open(path, mode, lock string) (*sql.DB, error) {
	q := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
		"_txlock": {lock},
	}
	if mode == "ro" {
		q.Add("_pragma", "query_only(1)")
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return db, nil
}

func migrate(ctx context.Context, db *sql.DB, path string) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	sources := p.ListSources()
	newest := sources[len(sources)-1].Version
	version, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("open database %s: %w", path, reason(err))
	}
	if version > newest {
		return fmt.Errorf("database %s is at version %d, made by a newer Coldstart; this one knows versions up to %d: start the newer program, or choose another data folder", path, version, newest)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring database %s up to version %d: %w", path, newest, reason(err))
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

// tx runs f in one transaction and commits it. Nothing of f stays when it fails.
func (s *Store) tx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return reason(err)
	}
	if err := f(tx); err != nil {
		if rerr := ignoreDone(tx.Rollback()); rerr != nil {
			return errors.Join(reason(err), rerr)
		}
		return reason(err)
	}
	return reason(tx.Commit())
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
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return fmt.Errorf("%w: %w", ErrBusy, err)
		case sqlite3.SQLITE_FULL:
			return fmt.Errorf("%w: %w", ErrFull, err)
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
