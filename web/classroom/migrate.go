package classroom

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"regexp"
	"strings"

	"github.com/pressly/goose/v3"
)

// The migrations are the same for both databases. Where PostgreSQL needs other
// words, a file of the same name in its own folder takes the place.
//
//go:embed migrations/*.sql migrations/postgres/*.sql
var migrations embed.FS

// newest is a version beyond every migration there is.
const newest = math.MaxInt64

// overlay shows base with those files of top that have the same name.
type overlay struct{ base, top fs.FS }

// Open implements fs.FS.
func (o overlay) Open(name string) (fs.File, error) {
	if name != "." {
		if f, err := o.top.Open(name); err == nil {
			return f, nil
		}
	}
	return o.base.Open(name)
}

func (s *Store) migrations() (fs.FS, error) {
	base, err := fs.Sub(migrations, "migrations")
	if err != nil || !s.postgres() {
		return base, err
	}
	top, err := fs.Sub(base, "postgres")
	return overlay{base, top}, err
}

// migrationLock is the advisory lock of PostgreSQL that one server holds while
// it brings the tables up to date; the others wait.
const migrationLock = 0x636f6c6473746172

// migrate brings the tables up to a version, at most to the newest.
func (s *Store) migrate(ctx context.Context, to int64) (err error) {
	p, _, err := s.provider()
	if err != nil {
		return err
	}
	if s.postgres() {
		conn, err := s.write.Conn(ctx)
		if err != nil {
			return reason(err)
		}
		defer func() { err = errors.Join(err, conn.Close()) }()
		if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(migrationLock)); err != nil {
			return reason(err)
		}
		defer func() {
			_, uerr := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(migrationLock))
			err = errors.Join(err, uerr)
		}()
	}
	if _, err := s.version(ctx); err != nil {
		return err
	}
	to = min(to, last(p))
	if _, err := p.UpTo(ctx, to); err != nil {
		return fmt.Errorf("bring database %s up to version %d: %w", s.name, to, reason(err))
	}
	return nil
}

var (
	createTable = regexp.MustCompile(`(?im)^\s*CREATE TABLE (\w+)`)
	dropTable   = regexp.MustCompile(`(?im)^\s*DROP TABLE (\w+)`)
)

// tables lists the tables that the migrations up to a version make, each after
// those that it refers to.
func (s *Store) tables(version int64) ([]string, error) {
	p, files, err := s.provider()
	if err != nil {
		return nil, err
	}
	var tables []string
	for _, source := range p.ListSources() {
		if source.Version > version {
			break
		}
		text, err := fs.ReadFile(files, source.Path)
		if err != nil {
			return nil, err
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		if m := dropTable.FindString(up); m != "" {
			return nil, fmt.Errorf("migration %s drops a table, which backups do not know of yet", source.Path)
		}
		for _, m := range createTable.FindAllStringSubmatch(up, -1) {
			tables = append(tables, m[1])
		}
	}
	return tables, nil
}

// version is that of the database's tables, 0 for an empty one.
func (s *Store) version(ctx context.Context) (int64, error) {
	p, _, err := s.provider()
	if err != nil {
		return 0, err
	}
	version, err := p.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("open database %s: %w", s.name, reason(err))
	}
	if last := last(p); version > last {
		return 0, fmt.Errorf("database %s is at version %d, made by a newer Coldstart; this one knows versions up to %d: start the newer program, or choose another database", s.name, version, last)
	}
	return version, nil
}

// last is the newest version that the program knows.
func last(p *goose.Provider) int64 {
	sources := p.ListSources()
	return sources[len(sources)-1].Version
}

func (s *Store) provider() (*goose.Provider, fs.FS, error) {
	files, err := s.migrations()
	if err != nil {
		return nil, nil, err
	}
	p, err := goose.NewProvider(s.dialect, s.write, files)
	if err != nil {
		return nil, nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, files, nil
}
