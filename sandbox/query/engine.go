package query

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Engine holds open databases. Its methods are safe for concurrent use.
type Engine struct {
	// Empty is told when the last open database was closed, before another is
	// opened; nil for nobody.
	Empty func()

	mu   sync.Mutex
	open map[uint64]*database
}

type database struct {
	db      *sql.DB
	conn    *sql.Conn
	changed bool
	tx      int  // the object's transactions that are open in one another
	starved bool // there was no memory for the request under way
	given   int  // bytes of results of the request under way
}

// New makes an Engine.
func New() *Engine { return &Engine{open: map[uint64]*database{}} }

// Do answers a request within Wall, or a little later where SQLite does not
// look at the time.
func (e *Engine) Do(ctx context.Context, q Request) Reply {
	runtime.LockOSThread() // its time is measured
	defer runtime.UnlockOSThread()
	before := threadTime()
	ctx, cancel := context.WithTimeout(ctx, Wall)
	defer cancel()
	var r Reply
	if err := e.do(ctx, q, &r); err != nil {
		var said *Error
		if !errors.As(err, &said) {
			said = &Error{Name: "Error", Message: clip(err.Error(), 500)}
		}
		r.Results, r.Error = nil, said
	}
	r.CPU = threadTime() - before
	return r
}

func (e *Engine) do(ctx context.Context, q Request, r *Reply) error {
	e.mu.Lock()
	d := e.open[q.Database]
	if d != nil && (q.Open || q.Op == Close) {
		delete(e.open, q.Database)
	}
	e.mu.Unlock()
	if d != nil && (q.Open || q.Op == Close) {
		_ = d.close() // it is forgotten
		d = nil
	}
	if q.Op == Close {
		e.mu.Lock()
		if len(e.open) == 0 && e.Empty != nil {
			e.Empty()
		}
		e.mu.Unlock()
		return nil
	}
	if q.Open {
		var err error
		if d, err = open(ctx, q.Data); err != nil {
			return err
		}
		e.mu.Lock()
		e.open[q.Database] = d
		e.mu.Unlock()
	}
	if d == nil {
		r.Unknown = true
		return nil
	}
	err := d.perform(ctx, q, r)
	for wait := shortage; err != nil && d.starved && d.undone(q) && wait < 32*shortage && ctx.Err() == nil; wait *= 2 {
		time.Sleep(wait)
		err = d.perform(ctx, q, r)
	}
	if err == nil && q.Save && d.changed {
		if r.Data, err = d.save(); err == nil {
			d.changed = false
		}
	}
	r.Changed = d.changed
	return err
}

// shortage is how long a request first waits for memory that others have.
const shortage = 10 * time.Millisecond

// undone reports whether nothing is left of a request that failed, so that it
// can be done again.
func (d *database) undone(q Request) bool {
	return q.Op == Batch || q.Op == Lines || q.Op == Exec && d.tx == 0 && len(statements(q.Queries[0].Text)) == 1
}

// Close forgets all databases.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for n, d := range e.open {
		errs = append(errs, d.close())
		delete(e.open, n)
	}
	return errors.Join(errs...)
}

// maxStatement is how many bytes a statement may have.
const maxStatement = 100_000

func open(ctx context.Context, data []byte) (*database, error) {
	db, err := sql.Open("sqlite", ":memory:?_defensive=1")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(context.WithoutCancel(ctx))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if data != nil {
		err = conn.Raw(func(c any) error { return c.(interface{ Deserialize([]byte) error }).Deserialize(data) })
	}
	for id, n := range map[int]int{
		sqlite3.SQLITE_LIMIT_ATTACHED: 0, sqlite3.SQLITE_LIMIT_LENGTH: Length, sqlite3.SQLITE_LIMIT_SQL_LENGTH: maxStatement,
		sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100, sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5, sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
		sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50, sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 32, sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 10, sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
		sqlite3.SQLITE_LIMIT_COLUMN: 100, sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
	} {
		if err == nil {
			_, err = sqlite.Limit(conn, id, n)
		}
	}
	for _, q := range []string{fmt.Sprintf("PRAGMA max_page_count=%d", Pages), "PRAGMA cache_size=-2048", "PRAGMA temp_store=MEMORY", "PRAGMA foreign_keys=ON", "PRAGMA trusted_schema=OFF"} {
		if err == nil {
			_, err = conn.ExecContext(ctx, q)
		}
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close(), db.Close())
	}
	return &database{db: db, conn: conn}, nil
}

func (d *database) close() error { return errors.Join(d.conn.Close(), d.db.Close()) }

// save is the database as bytes.
func (d *database) save() (data []byte, err error) {
	err = d.conn.Raw(func(c any) (err error) {
		data, err = c.(interface{ Serialize() ([]byte, error) }).Serialize()
		return err
	})
	if err != nil {
		err = fmt.Errorf("serialize a database: %w", err)
	}
	return data, err
}

func (d *database) perform(ctx context.Context, q Request, r *Reply) error {
	d.given, d.starved = 0, false
	r.Results, r.Number = nil, 0
	lasting := context.WithoutCancel(ctx)
	switch q.Op {
	case Exec:
		if len(q.Queries) != 1 {
			return plainError("One query at a time.")
		}
		res, err := d.last(ctx, q.Queries[0], "SQL code did not contain a statement.",
			"When executing multiple SQL statements in a single call, only the last statement can have parameters.")
		r.Results = []Result{res}
		return err
	case Batch, Lines:
		if _, err := d.conn.ExecContext(ctx, "SAVEPOINT d1"); err != nil {
			return d.sqlFault(ctx, err)
		}
		var err error
		was := d.changed
		if q.Op == Batch {
			err = d.batch(ctx, q.Queries, r)
		} else {
			err = d.lines(ctx, q.Queries, r)
		}
		end := "RELEASE d1"
		if err != nil {
			end, d.changed = "ROLLBACK TO d1; RELEASE d1", was
		}
		if _, e := d.conn.ExecContext(lasting, end); err == nil && e != nil {
			err = d.sqlFault(ctx, e)
		}
		return err
	case Size:
		return d.size(ctx, r)
	case Begin:
		_, err := d.conn.ExecContext(ctx, "SAVEPOINT object")
		if err == nil {
			d.tx++
		}
		return err
	case Commit: // of the savepoints with this name, SQLite means the last
		d.tx = max(0, d.tx-1)
		_, err := d.conn.ExecContext(lasting, "RELEASE object")
		return err
	case Rollback:
		d.tx = max(0, d.tx-1)
		_, err := d.conn.ExecContext(lasting, "ROLLBACK TO object; RELEASE object")
		return err
	case Save:
		return nil // as Request.Save says
	}
	return plainError("%q cannot be done to a database.", q.Op)
}

// size gives how many bytes the database has.
func (d *database) size(ctx context.Context, r *Reply) error {
	return d.conn.QueryRowContext(ctx, "SELECT max(page_count, 1)*page_size FROM pragma_page_count(), pragma_page_size()").Scan(&r.Number)
}

// last runs the statements of a query; its values belong to the last. none is
// what is said when there is no statement, more when another wants values, ""
// for nothing particular.
func (d *database) last(ctx context.Context, q Query, none, more string) (res Result, err error) {
	list := statements(q.Text)
	if len(list) == 0 {
		return res, plainError("%s", none)
	}
	for i, st := range list {
		var in []any
		switch {
		case i == len(list)-1:
			in = q.Values
		case st.params != 0 && more != "":
			return res, plainError("%s", more)
		}
		if res, err = d.exec(ctx, st, in); err != nil {
			return res, err
		}
	}
	kind := list[len(list)-1].words[0]
	res.Changed = res.Wrote > 0 || kind == "CREATE" || kind == "DROP"
	return res, nil
}

func (d *database) batch(ctx context.Context, list []Query, r *Reply) error {
	for _, q := range list {
		begin := time.Now()
		res, err := d.last(ctx, q, "No SQL statements detected.", "")
		if err != nil {
			return err
		}
		res.Took = milliseconds(begin)
		r.Results = append(r.Results, res)
	}
	return d.size(ctx, r)
}

func milliseconds(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

// lines runs lines of statements: a line ends every statement on it, as D1 has it.
func (d *database) lines(ctx context.Context, list []Query, r *Reply) error {
	text := ""
	if len(list) == 1 {
		text = list[0].Text
	}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		list := slices.DeleteFunc(statements(line), func(st statement) bool { return len(st.words) == 0 })
		for _, st := range list {
			if _, err := d.exec(ctx, st, nil); err != nil {
				return plainError("Error in line %d: %s: %s", i+1, clip(strings.TrimSpace(line), 200), err)
			}
		}
		if len(list) > 0 {
			r.Number++
		}
	}
	if r.Number == 0 {
		return plainError("Error in line 1: : No SQL statements detected.")
	}
	return nil
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}
