package query

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// exec runs one statement with values, within the bounds.
func (d *database) exec(ctx context.Context, st statement, values []any) (Result, error) {
	var res Result
	if len(st.words) == 0 {
		return res, plainError("SQL code did not contain a statement.")
	}
	if len(st.text) > maxStatement { // SQLite says so only of a text whose length it is told
		return res, plainError("statement too long: SQLITE_TOOBIG")
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
			return res, &Error{Name: "TypeError", Message: "A SQL value must be null, a string, a number or a buffer."}
		}
	}
	if len(values) == len(st.names) {
		for i, name := range st.names {
			in[i] = sql.Named(name, in[i])
		}
	}
	var before int64
	if err := d.conn.QueryRowContext(ctx, "SELECT total_changes()").Scan(&before); err != nil {
		return res, d.sqlFault(ctx, err)
	}
	if err := d.rows(ctx, st, in, &res); err != nil {
		return res, err
	}
	var after int64
	if err := d.conn.QueryRowContext(ctx, "SELECT total_changes(), last_insert_rowid()").Scan(&after, &res.Last); err != nil {
		return res, d.fault(ctx, st, err)
	}
	res.Wrote = after - before
	if w := st.words[0]; w == "UPDATE" || w == "DELETE" { // a row that changes was read
		res.Read = max(res.Read, res.Wrote)
	}
	switch st.words[0] {
	case "SELECT", "VALUES", "PRAGMA":
	default:
		d.changed = true
	}
	return res, nil
}

// rows performs a statement and reads what it gives.
func (d *database) rows(ctx context.Context, st statement, in []any, res *Result) error {
	rows, names, err := d.query(ctx, st, in)
	if err != nil {
		return d.fault(ctx, st, err)
	}
	res.Columns = names
	row := make([]any, len(res.Columns))
	into := make([]any, len(row))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			_ = rows.Close()
			return d.fault(ctx, st, err)
		}
		for _, v := range row {
			v = plain(v)
			d.given += 16
			switch x := v.(type) {
			case string:
				d.given += len(x)
			case []byte:
				d.given += len(x)
			}
			res.Values = append(res.Values, v)
		}
		res.Read++
		if res.Read > maxRows || d.given > maxBytes || len(res.Values) > maxCells {
			_ = rows.Close()
			return plainError("The query gives more than %d rows, %d values or %d MiB: select less.", maxRows, maxCells, maxBytes>>20)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return d.fault(ctx, st, err)
	}
	return nil
}

// plain is a value as SQLite has it: the driver makes others of some columns.
func plain(v any) any {
	switch x := v.(type) {
	case nil, string, int64, float64:
		return v
	case []byte:
		if x == nil {
			return []byte{}
		}
		return v
	case bool:
		if x {
			return int64(1)
		}
		return int64(0)
	case time.Time:
		return x.UTC().Format("2006-01-02 15:04:05")
	}
	return fmt.Sprint(v)
}

// query begins a statement and names its columns. The driver makes times of the
// texts in columns that are declared so; where it would, the columns are read
// through an operator that changes nothing but that a column has no type then.
func (d *database) query(ctx context.Context, st statement, in []any) (*sql.Rows, []string, error) {
	rows, err := d.conn.QueryContext(ctx, st.text, in...)
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
		rows, err = d.conn.QueryContext(ctx, "WITH \"as is\"("+strings.ReplaceAll(list, "+", "")+") AS ("+st.text+"\n) SELECT "+list+" FROM \"as is\"", in...)
	}
	return rows, names, err
}

// fault is what a statement's error is to a learner.
func (d *database) fault(ctx context.Context, st statement, err error) error {
	var e *sqlite.Error
	if ctx.Err() != nil || !errors.As(err, &e) || e.Code()&0xff == sqlite3.SQLITE_NOMEM {
		return d.sqlFault(ctx, err)
	}
	text := sqlText(e)
	offset := st.offset(text, func(start string) bool {
		if !strings.HasPrefix(strings.ToUpper(start), "EXPLAIN") {
			start = "EXPLAIN " + start
		}
		rows, err := d.conn.QueryContext(ctx, start)
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
func (d *database) sqlFault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return plainError("The query took longer than %v and was stopped.", Wall)
	}
	var e *sqlite.Error
	if errors.As(err, &e) {
		if e.Code()&0xff == sqlite3.SQLITE_NOMEM {
			d.starved = true
			return plainError("The query needs more memory than there is: sort, group or select less at a time: SQLITE_NOMEM")
		}
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
	}
	return "SQLITE_ERROR"
}
