package platform

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"coldstart/sandbox/isolate"
)

// Bounds of one database and of one query.
const (
	sqlWall   = 2 * time.Second
	sqlPages  = 2500 // of 4 KiB: 10 MiB
	sqlRows   = 100_000
	sqlResult = 8 << 20 // bytes given back
	sqlLength = 2 << 20 // bytes of one value or statement
	sqlOpen   = 64      // databases held open
	sqlFlush  = 50 * time.Millisecond
)

// databases are SQLite databases in memory, each stored as one record: those
// of Durable Objects and of D1.
type databases struct {
	p *Platform

	mu   sync.Mutex
	list map[Namespace]*database
}

// database is one of them. Its mutex covers the connection.
type database struct {
	ns   Namespace
	used time.Time // guarded by databases.mu
	refs int       // guarded by databases.mu

	mu    sync.Mutex
	db    *sql.DB
	conn  *sql.Conn
	dirty bool
	tx    bool
	flush *time.Timer
}

func sqlNamespace(ns Namespace) Namespace {
	ns.Kind = "sql"
	return ns
}

// with runs f on an open database, on a thread that its learner waits for.
func (d *databases) with(ctx context.Context, ns Namespace, make bool, f func(context.Context, *database) error) error {
	d.mu.Lock()
	if d.list == nil {
		d.list = map[Namespace]*database{}
	}
	b := d.list[ns]
	if b == nil {
		if !make {
			d.mu.Unlock()
			return nil
		}
		b = &database{ns: ns}
		d.list[ns] = b
	}
	b.refs++
	b.used = time.Now()
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		b.refs--
		d.mu.Unlock()
		d.shrink()
	}()
	var err error
	waited := d.p.lanes.do(ctx, ns.Project.Learner, func() {
		ctx, cancel := context.WithTimeout(ctx, sqlWall)
		defer cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.conn == nil {
			if err = b.open(ctx, d.p); err != nil {
				return
			}
		}
		err = f(ctx, b)
	})
	if waited != nil {
		return waited
	}
	return err
}

// shrink closes the databases that were used longest ago.
func (d *databases) shrink() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.list) > sqlOpen {
		var oldest *database
		for _, b := range d.list {
			if b.refs == 0 && !b.tx && (oldest == nil || b.used.Before(oldest.used)) {
				oldest = b
			}
		}
		if oldest == nil {
			return
		}
		delete(d.list, oldest.ns)
		oldest.mu.Lock()
		_ = oldest.shut(d.p)
		oldest.mu.Unlock()
	}
}

// open makes the connection and restores what was stored. b.mu is held.
func (b *database) open(ctx context.Context, p *Platform) error {
	r, err := p.cfg.Store.Get(ctx, b.ns, "db")
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", ":memory:?_defensive=1")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(context.WithoutCancel(ctx))
	if err != nil {
		return errors.Join(err, db.Close())
	}
	if r != nil {
		err = conn.Raw(func(c any) error { return c.(interface{ Deserialize([]byte) error }).Deserialize(r.Value) })
	}
	for id, n := range map[int]int{
		sqlite3.SQLITE_LIMIT_ATTACHED: 0, sqlite3.SQLITE_LIMIT_LENGTH: sqlLength, sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
		sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100, sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5, sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
		sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50, sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 32, sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 10, sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
		sqlite3.SQLITE_LIMIT_COLUMN: 100, sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
	} {
		if err == nil {
			_, err = sqlite.Limit(conn, id, n)
		}
	}
	for _, q := range []string{fmt.Sprintf("PRAGMA max_page_count=%d", sqlPages), "PRAGMA cache_size=-2048", "PRAGMA temp_store=FILE", "PRAGMA foreign_keys=ON", "PRAGMA trusted_schema=OFF"} {
		if err == nil {
			_, err = conn.ExecContext(ctx, q)
		}
	}
	if err != nil {
		return errors.Join(err, conn.Close(), db.Close())
	}
	b.db, b.conn = db, conn
	return nil
}

// save stores the database if it changed. b.mu is held.
func (b *database) save(p *Platform) error {
	if !b.dirty || b.tx || b.conn == nil {
		return nil
	}
	var data []byte
	if err := b.conn.Raw(func(c any) (err error) {
		data, err = c.(interface{ Serialize() ([]byte, error) }).Serialize()
		return err
	}); err != nil {
		return fmt.Errorf("serialize a database: %w", err)
	}
	if err := p.cfg.Store.Write(context.WithoutCancel(p.ctx), b.ns, []Change{{Record: Record{Key: "db", Value: data}}}, func(u Usage) error {
		if u.Bytes > r2Bytes {
			return plainError("The project's databases are full.")
		}
		return nil
	}); err != nil {
		return err
	}
	b.dirty = false
	return nil
}

// shut saves and closes. b.mu is held.
func (b *database) shut(p *Platform) error {
	if b.conn == nil {
		return nil
	}
	if b.flush != nil {
		b.flush.Stop()
	}
	err := errors.Join(b.save(p), b.conn.Close(), b.db.Close())
	b.conn, b.db = nil, nil
	return err
}

// later saves soon, for writes whose caller waits for every microsecond. b.mu is held.
func (b *database) later(p *Platform) {
	if b.flush != nil {
		b.flush.Stop()
	}
	b.flush = time.AfterFunc(sqlFlush, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if err := b.save(p); err != nil {
			p.cfg.Log.Error("database not saved", "error", err)
		}
	})
}

// Settle returns once what an object's database holds is stored. A database
// that cannot be stored goes back to what is.
func (p *Platform) Settle(c Caller) error {
	d := &p.sql
	ns := sqlNamespace(objectNamespace(c))
	d.mu.Lock()
	b := d.list[ns]
	if b == nil {
		d.mu.Unlock()
		return nil
	}
	b.refs++
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		b.refs--
		d.mu.Unlock()
	}()
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.save(p)
	if err != nil {
		b.dirty = false
		_ = b.shut(p) // nothing is kept of it
	}
	return p.trouble("storage", err)
}

func (d *databases) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for ns, b := range d.list {
		b.mu.Lock()
		if b.tx {
			b.tx = false
			_, err := b.conn.ExecContext(context.Background(), "ROLLBACK TO object; RELEASE object")
			errs = append(errs, err)
		}
		errs = append(errs, b.shut(d.p))
		b.mu.Unlock()
		delete(d.list, ns)
	}
	return errors.Join(errs...)
}

// drop forgets a project's databases without saving them.
func (d *databases) drop(pr Project) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for ns, b := range d.list {
		if ns.Project == pr {
			b.mu.Lock()
			b.dirty = false
			_ = b.shut(d.p) // nothing is kept of it
			b.mu.Unlock()
			delete(d.list, ns)
		}
	}
}

// remove deletes one database.
func (d *databases) remove(ctx context.Context, ns Namespace) error {
	d.mu.Lock()
	if b := d.list[ns]; b != nil {
		b.mu.Lock()
		b.dirty = false
		_ = b.shut(d.p) // nothing is kept of it
		b.mu.Unlock()
	}
	d.mu.Unlock()
	return d.p.cfg.Store.Write(ctx, ns, []Change{{Record: Record{Key: "db"}, Delete: true}}, nil)
}

// begin opens a transaction on a database that is open or stored; one that an
// object never used has nothing to undo.
func (d *databases) begin(ctx context.Context, ns Namespace) error {
	return d.with(ctx, ns, true, func(ctx context.Context, b *database) error {
		if _, err := b.conn.ExecContext(ctx, "SAVEPOINT object"); err != nil {
			return err
		}
		b.tx = true
		return nil
	})
}

func (d *databases) end(ctx context.Context, ns Namespace, commit bool) error {
	return d.with(ctx, ns, false, func(ctx context.Context, b *database) error {
		if !b.tx {
			return nil
		}
		b.tx = false
		q := "RELEASE object"
		if !commit {
			q = "ROLLBACK TO object; RELEASE object"
		}
		_, err := b.conn.ExecContext(context.WithoutCancel(ctx), q)
		b.later(d.p)
		return err
	})
}

// result is one statement's outcome.
type result struct {
	columns []any
	values  []any
	read    int64
	wrote   int64
	last    int64
	changes int64
}

// exec runs one statement with values, within the bounds.
func (b *database) exec(ctx context.Context, st statement, values args) (result, error) {
	var res result
	if len(st.words) == 0 {
		return res, plainError("SQL code did not contain a statement.")
	}
	if err := st.allowed(); err != nil {
		return res, err
	}
	if st.params >= 0 && len(values) != st.params {
		return res, plainError("Wrong number of parameter bindings for SQL query.")
	}
	in := make([]any, len(values))
	for i := range values {
		switch v := values[i].(type) {
		case nil, string, []byte:
			in[i] = v
		case int64:
			in[i] = float64(v) // a number of JavaScript is a REAL
		case float64:
			in[i] = v
		default:
			return res, typeError("A SQL value must be null, a string, a number or a buffer.")
		}
	}
	if len(values) == len(st.names) {
		for i, name := range st.names {
			in[i] = sql.Named(name, in[i])
		}
	}
	var before int64
	if err := b.conn.QueryRowContext(ctx, "SELECT total_changes()").Scan(&before); err != nil {
		return res, sqlFault(ctx, err)
	}
	rows, names, err := b.query(ctx, st, in)
	if err != nil {
		return res, b.fault(ctx, st, err)
	}
	for _, n := range names {
		res.columns = append(res.columns, n)
	}
	size := 0
	for rows.Next() {
		row := make([]any, len(names))
		into := make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			_ = rows.Close()
			return res, b.fault(ctx, st, err)
		}
		for i, v := range row {
			switch x := v.(type) {
			case string:
				size += len(x)
			case []byte:
				size += len(x)
				if x == nil {
					row[i] = []byte{}
				}
			case bool:
				row[i] = int64(0)
				if x {
					row[i] = int64(1)
				}
			case time.Time:
				row[i] = x.UTC().Format("2006-01-02 15:04:05")
			case int64, float64, nil:
			default:
				row[i] = fmt.Sprint(x)
			}
			size += 16
		}
		res.values = append(res.values, row...)
		if res.read++; res.read > sqlRows || size > sqlResult {
			_ = rows.Close()
			return res, plainError("The query gives more than %d rows or %d MiB: select less.", sqlRows, sqlResult>>20)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return res, b.fault(ctx, st, err)
	}
	var after int64
	if err := b.conn.QueryRowContext(ctx, "SELECT total_changes(), last_insert_rowid()").Scan(&after, &res.last); err != nil {
		return res, b.fault(ctx, st, err)
	}
	res.changes = after - before
	res.wrote = res.changes
	if len(st.words) > 0 {
		switch st.words[0] {
		case "SELECT", "VALUES", "PRAGMA":
		default:
			b.dirty = true
		}
	}
	return res, nil
}

// query begins a statement and names its columns. The driver makes times of the
// texts in columns that are declared so; where it would, the columns are read
// through an operator that changes nothing but that a column has no type then.
func (b *database) query(ctx context.Context, st statement, in []any) (*sql.Rows, []string, error) {
	rows, err := b.conn.QueryContext(ctx, st.text, in...)
	if err != nil {
		return nil, nil, err
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, nil, errors.Join(err, rows.Close())
	}
	names, columns, again := make([]string, len(types)), make([]string, len(types)), false
	for i, t := range types {
		names[i], columns[i] = t.Name(), "+c"+strconv.Itoa(i)
		switch t.DatabaseTypeName() {
		case "DATE", "DATETIME", "TIMESTAMP":
			again = true
		}
	}
	if again && (st.words[0] == "SELECT" || st.words[0] == "WITH" || st.words[0] == "VALUES") {
		if err := rows.Close(); err != nil {
			return nil, nil, err
		}
		list := strings.Join(columns, ", ")
		rows, err = b.conn.QueryContext(ctx, "WITH \"as is\"("+strings.ReplaceAll(list, "+", "")+") AS ("+st.text+"\n) SELECT "+list+" FROM \"as is\"", in...)
	}
	return rows, names, err
}

// fault is what a statement's error is to a learner.
func (b *database) fault(ctx context.Context, st statement, err error) error {
	var e *sqlite.Error
	if ctx.Err() != nil || !errors.As(err, &e) {
		return sqlFault(ctx, err)
	}
	text := sqlText(e)
	offset := st.offset(text, func(start string) bool {
		if !strings.HasPrefix(strings.ToUpper(start), "EXPLAIN") {
			start = "EXPLAIN " + start
		}
		rows, err := b.conn.QueryContext(ctx, start)
		if err == nil {
			err = rows.Close()
		}
		var e *sqlite.Error
		return errors.As(err, &e) && sqlText(e) == text
	})
	return plainError("%s%s: %s", clip(text, 500), at(offset), sqlCode(e.Code()))
}

// sqlText is an error's text without its code.
func sqlText(e *sqlite.Error) string {
	text := e.Error()
	for _, p := range []string{"SQL logic error: ", "constraint failed: ", "authorization denied: "} {
		text = strings.TrimPrefix(text, p)
	}
	if i := strings.LastIndex(text, " ("); i > 0 {
		text = text[:i]
	}
	return text
}

// sqlFault is an error as a learner reads it.
func sqlFault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return plainError("The query took longer than %v and was stopped.", sqlWall)
	}
	var e *sqlite.Error
	if errors.As(err, &e) {
		return plainError("%s: %s", clip(sqlText(e), 500), sqlCode(e.Code()))
	}
	return plainError("%s", clip(err.Error(), 500))
}

// constraints are the extended result codes of broken constraints.
var constraints = map[int]string{
	sqlite3.SQLITE_CONSTRAINT_CHECK: "CHECK", sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: "FOREIGNKEY", sqlite3.SQLITE_CONSTRAINT_NOTNULL: "NOTNULL",
	sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: "PRIMARYKEY", sqlite3.SQLITE_CONSTRAINT_TRIGGER: "TRIGGER", sqlite3.SQLITE_CONSTRAINT_UNIQUE: "UNIQUE",
	sqlite3.SQLITE_CONSTRAINT_ROWID: "ROWID", sqlite3.SQLITE_CONSTRAINT_DATATYPE: "DATATYPE",
}

// sqlCode is a result code's name, as Workers put it behind the message.
func sqlCode(code int) string {
	switch code & 0xff {
	case sqlite3.SQLITE_CONSTRAINT:
		if kind := constraints[code]; kind != "" {
			return "SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_" + kind + ")"
		}
		return "SQLITE_CONSTRAINT"
	case sqlite3.SQLITE_FULL:
		return "SQLITE_FULL"
	case sqlite3.SQLITE_TOOBIG:
		return "SQLITE_TOOBIG"
	case sqlite3.SQLITE_MISMATCH:
		return "SQLITE_MISMATCH"
	case sqlite3.SQLITE_AUTH:
		return "SQLITE_AUTH"
	case sqlite3.SQLITE_NOMEM:
		return "SQLITE_NOMEM"
	}
	return "SQLITE_ERROR"
}

func sqlExec(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := storageOf(c, a)
	if err != nil {
		return nil, err
	}
	list := statements(a.str(1))
	if len(list) == 0 {
		return nil, plainError("SQL code did not contain a statement.")
	}
	var res result
	err = p.sql.with(ctx, sqlNamespace(ns), true, func(ctx context.Context, b *database) error {
		for i, st := range list {
			// Values belong to the last statement.
			var in args
			if i == len(list)-1 {
				in = a.list(2)
			} else if st.params != 0 {
				err = plainError("When executing multiple SQL statements in a single call, only the last statement can have parameters.")
				break
			}
			if res, err = b.exec(ctx, st, in); err != nil {
				break
			}
		}
		if b.dirty {
			b.later(p)
		}
		return err
	})
	if err != nil {
		return nil, p.trouble("sql.exec", err)
	}
	return append([]any{list0(res.columns), res.read, res.wrote}, res.values...), nil
}

func list0(l []any) []any {
	if l == nil {
		return []any{}
	}
	return l
}

func sqlSize(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := storageOf(c, a)
	if err != nil {
		return nil, err
	}
	var n int64
	err = p.sql.with(ctx, sqlNamespace(ns), true, func(ctx context.Context, b *database) error {
		n, err = b.size(ctx)
		return err
	})
	return n, p.trouble("sql.size", err)
}

// size is a database's size in bytes.
func (b *database) size(ctx context.Context) (n int64, err error) {
	err = b.conn.QueryRowContext(ctx, "SELECT page_count*page_size FROM pragma_page_count(), pragma_page_size()").Scan(&n)
	return n, err
}

// d1 runs f in one transaction on a D1 database.
func (p *Platform) d1(ctx context.Context, c Caller, a args, f func(context.Context, *database) error) error {
	id := a.str(0)
	if err := c.own("d1", id); err != nil {
		return err
	}
	return p.sql.with(ctx, Namespace{c.Project, "sql", "d1\n" + id}, true, func(ctx context.Context, b *database) error {
		if _, err := b.conn.ExecContext(ctx, "SAVEPOINT d1"); err != nil {
			return err
		}
		err := f(ctx, b)
		q := "RELEASE d1"
		if err != nil {
			q = "ROLLBACK TO d1; RELEASE d1"
		}
		if _, e := b.conn.ExecContext(context.WithoutCancel(ctx), q); err == nil {
			err = e
		}
		if err == nil {
			err = b.save(p) // acknowledged is stored
		}
		return err
	})
}

func d1Query(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	flat := a.list(1)
	var out [][]any
	err := p.d1(ctx, c, a, func(ctx context.Context, b *database) error {
		for i := 0; i+1 < len(flat); i += 2 {
			list := statements(flat.str(i))
			if len(list) == 0 {
				return plainError("No SQL statements detected.")
			}
			begin := time.Now()
			var res result
			var err error
			for n, st := range list {
				var in args
				if n == len(list)-1 {
					in = flat.list(i + 1)
				}
				if res, err = b.exec(ctx, st, in); err != nil {
					return err
				}
			}
			took := float64(time.Since(begin).Microseconds()) / 1000
			last := list[len(list)-1].words[0]
			changed := res.changes > 0 || last == "CREATE" || last == "DROP"
			out = append(out, append([]any{list0(res.columns), res.read, res.wrote, res.last, res.changes, took, changed, int64(0)}, res.values...))
		}
		size, err := b.size(ctx)
		for _, r := range out {
			r[7] = size
		}
		return err
	})
	if err != nil {
		return nil, p.trouble("d1.query", err)
	}
	all := make([]any, len(out))
	for i, r := range out {
		all[i] = r
	}
	return all, nil
}

// Said is an error's message without its class.
func Said(err error) string {
	var t *isolate.Throw
	if errors.As(err, &t) {
		return t.Message
	}
	return err.Error()
}

// d1Exec runs lines of statements: a line ends every statement on it, as D1 has it.
func d1Exec(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	begin := time.Now()
	count := int64(0)
	err := p.d1(ctx, c, a, func(ctx context.Context, b *database) error {
		for i, line := range strings.Split(strings.TrimSpace(a.str(1)), "\n") {
			list := slices.DeleteFunc(statements(line), func(st statement) bool { return len(st.words) == 0 })
			for _, st := range list {
				if _, err := b.exec(ctx, st, nil); err != nil {
					return plainError("Error in line %d: %s: %s", i+1, clip(strings.TrimSpace(line), 200), Said(err))
				}
			}
			if len(list) > 0 {
				count++
			}
		}
		if count == 0 {
			return plainError("Error in line 1: : No SQL statements detected.")
		}
		return nil
	})
	if err != nil {
		return nil, p.trouble("d1.exec", err)
	}
	return []any{count, float64(time.Since(begin).Microseconds()) / 1000}, nil
}
