package classroom

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"

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
	files, err := s.migrations()
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(s.dialect, s.write, files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
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
	sources := p.ListSources()
	last := sources[len(sources)-1].Version
	version, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("open database %s: %w", s.name, reason(err))
	}
	if version > last {
		return fmt.Errorf("database %s is at version %d, made by a newer Coldstart; this one knows versions up to %d: start the newer program, or choose another database", s.name, version, last)
	}
	if _, err := p.UpTo(ctx, min(to, last)); err != nil {
		return fmt.Errorf("bring database %s up to version %d: %w", s.name, min(to, last), reason(err))
	}
	return nil
}
