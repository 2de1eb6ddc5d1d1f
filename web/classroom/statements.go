package classroom

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
)

// SQLite parses and plans a statement anew each time it is sent, which takes
// longer than most of ours run. So each connection to a file keeps what it has
// prepared. PostgreSQL's driver does that by itself.

// keepStatements is how many a connection keeps; the program has about as many.
const keepStatements = 250

// preparing makes connections that keep their statements.
type preparing struct{ driver.Connector }

// Connect implements driver.Connector.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	own, ok := conn.(wholeConn)
	if !ok {
		return nil, errors.Join(errors.New("classroom: not a connection of SQLite"), conn.Close())
	}
	return &preparedConn{wholeConn: own, kept: map[string]*preparedStmt{}}, nil
}

// wholeConn is what a connection of SQLite can do.
type wholeConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// preparedConn is used by one goroutine at a time, as every driver.Conn.
type preparedConn struct {
	wholeConn
	kept map[string]*preparedStmt
}

type preparedStmt struct {
	driver.Stmt
	query driver.StmtQueryContext
	exec  driver.StmtExecContext
	busy  bool // rows of it are being read
}

// statement is the prepared form of a query, nil when it has none that is free.
func (c *preparedConn) statement(ctx context.Context, query string) (*preparedStmt, error) {
	if s := c.kept[query]; s != nil {
		if s.busy {
			return nil, nil
		}
		return s, nil
	}
	verb, _, _ := strings.Cut(strings.TrimLeft(query, " \t\n"), " ")
	switch strings.ToUpper(verb) {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "SAVEPOINT", "RELEASE", "ROLLBACK":
	default:
		return nil, nil
	}
	if len(c.kept) >= keepStatements {
		if err := c.drop(); err != nil {
			return nil, err
		}
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &preparedStmt{Stmt: made}
	var can [2]bool
	s.query, can[0] = made.(driver.StmtQueryContext)
	s.exec, can[1] = made.(driver.StmtExecContext)
	if !can[0] || !can[1] {
		return nil, errors.Join(fmt.Errorf("classroom: a %T is no statement of SQLite", made), made.Close())
	}
	c.kept[query] = s
	return s, nil
}

// drop forgets every statement that is not in use.
func (c *preparedConn) drop() error {
	var errs []error
	for query, s := range c.kept {
		if !s.busy {
			errs = append(errs, s.Close())
			delete(c.kept, query)
		}
	}
	return errors.Join(errs...)
}

// ExecContext implements driver.ExecerContext.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.wholeConn.ExecContext(ctx, query, args)
	}
	return s.exec.ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.wholeConn.QueryContext(ctx, query, args)
	}
	rows, err := s.query.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	typed, ok := rows.(typedRows)
	if !ok {
		return nil, errors.Join(fmt.Errorf("classroom: %T are no rows of SQLite", rows), rows.Close())
	}
	s.busy = true
	return &preparedRows{typed, s}, nil
}

// Close implements driver.Conn.
func (c *preparedConn) Close() error { return errors.Join(c.drop(), c.wholeConn.Close()) }

type typedRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
}

// preparedRows give their statement back when they are closed.
type preparedRows struct {
	typedRows
	s *preparedStmt
}

// Close implements driver.Rows.
func (r *preparedRows) Close() error {
	r.s.busy = false
	return r.typedRows.Close()
}
