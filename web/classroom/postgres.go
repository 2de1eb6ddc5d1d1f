package classroom

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// conns bounds the connections of one server to PostgreSQL. A server's default
// of 100 then serves several replicas.
const conns = 16

// openPostgres opens a database that a server of PostgreSQL has already.
func openPostgres(ctx context.Context, c Config) (*Store, error) {
	config, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, errors.New("open database: the address is not understood; it must be like postgres://user:password@host:5432/database") // the driver's own words may hold the password
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	config.RuntimeParams["application_name"] = "coldstart"
	db := sql.OpenDB(cleaning{stdlib.GetConnector(*config)})
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	s := &Store{
		now: c.Now, write: db, read: db, dialect: goose.DialectPostgres,
		name: fmt.Sprintf("%s at %s:%d", config.Database, config.Host, config.Port),
	}
	if err := s.ping(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// cleaning makes connections on which every text can be stored: PostgreSQL
// refuses the character U+0000 and bytes that are not UTF-8, which SQLite
// takes. What must keep its bytes is stored as bytes.
type cleaning struct{ driver.Connector }

// Connect implements driver.Connector.
func (c cleaning) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	own, ok := conn.(*stdlib.Conn)
	if !ok {
		return nil, errors.Join(errors.New("classroom: not a connection of pgx"), conn.Close())
	}
	return cleanConn{own}, nil
}

type cleanConn struct{ *stdlib.Conn }

// CheckNamedValue implements driver.NamedValueChecker.
func (c cleanConn) CheckNamedValue(v *driver.NamedValue) error {
	if s, ok := v.Value.(string); ok {
		v.Value = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
	}
	return c.Conn.CheckNamedValue(v)
}

// Classes of errors, from PostgreSQL's appendix A.
const (
	pgDiskFull  = "53100"
	pgResources = "53" // its class
	pgLocked    = "55P03"
	pgOperator  = "57" // the class of a server that goes down or comes up
)

// postgresReason is the cause among those that callers know, nil for none.
func postgresReason(err error) error {
	var e *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &e):
		switch {
		case e.Code == pgDiskFull:
			return ErrFull
		case e.Code == pgLocked, strings.HasPrefix(e.Code, pgResources), strings.HasPrefix(e.Code, pgOperator):
			return ErrBusy
		}
	case errors.As(err, &connect), errors.Is(err, driver.ErrBadConn):
		return ErrBusy
	}
	return nil
}

// lock makes a transaction on PostgreSQL wait as it would on SQLite, where
// there is one writer: for the others of the same owners, or without owners
// for all. The locks go with the transaction.
func lock(ctx context.Context, tx *sql.Tx, owners []string) error {
	if len(owners) == 0 {
		_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(0)`)
		return err
	}
	keys := make([]int64, 0, len(owners))
	for _, o := range owners {
		sum := sha256.Sum256([]byte(o))
		keys = append(keys, int64(binary.BigEndian.Uint64(sum[:])|1)) // never 0
	}
	slices.Sort(keys)                                                            // always in one order, so that no two wait for each other
	query := `SELECT pg_advisory_xact_lock_shared(0), pg_advisory_xact_lock($1)` // one round trip in most cases
	for _, key := range slices.Compact(keys) {
		if _, err := tx.ExecContext(ctx, query, key); err != nil {
			return err
		}
		query = `SELECT pg_advisory_xact_lock($1)`
	}
	return nil
}
