package classroom

import (
	"bufio"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A backup is a gzip file of JSON, one value a line: a header, then for each
// table a header and its rows as arrays, then a footer. It is the same for both
// databases, so that a site can move from one to the other.
const backupForm = 1

type backupLine struct {
	Backup  int      `json:"coldstart_backup,omitempty"` // first line: the form
	Version int64    `json:"version,omitempty"`          // first line: of the tables
	Made    int64    `json:"made,omitempty"`             // first line: Unix milliseconds
	Table   string   `json:"table,omitempty"`            // before a table's rows
	Columns []string `json:"columns,omitempty"`
	End     bool     `json:"end,omitempty"` // last line
	Rows    int64    `json:"rows,omitempty"`
}

// raw is a value that is not text, as a backup writes it.
type rawValue struct {
	Base64 []byte `json:"b"`
}

// Backup writes everything in a database, as it was at one moment, and gives
// the number of rows. Servers may go on working with it meanwhile. It does not
// change the database, also when its tables are of an older program.
func Backup(ctx context.Context, c Config, w io.Writer) (rows int64, err error) {
	if c.URL == "" { // opening would make it
		if _, err := os.Stat(c.Path); err != nil {
			return 0, fmt.Errorf("back up: there is no database: %w", err)
		}
	}
	s, err := open(ctx, c)
	if err != nil {
		return 0, fmt.Errorf("back up: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	version, err := s.version(ctx)
	if err != nil {
		return 0, fmt.Errorf("back up: %w", err)
	}
	tables, err := s.tables(version)
	if err != nil {
		return 0, err
	}
	zip := gzip.NewWriter(w)
	out := bufio.NewWriterSize(zip, 64<<10)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	err = s.reading(ctx, func(q querier) error {
		if err := enc.Encode(backupLine{Backup: backupForm, Version: version, Made: s.millis()}); err != nil {
			return err
		}
		for _, table := range tables {
			n, err := dumpTable(ctx, q, enc, table)
			if err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
			rows += n
		}
		return enc.Encode(backupLine{End: true, Rows: rows})
	})
	if err = errors.Join(err, out.Flush(), zip.Close()); err != nil {
		return 0, fmt.Errorf("back up %s: %w", s.name, err)
	}
	return rows, nil
}

func dumpTable(ctx context.Context, q querier, enc *json.Encoder, table string) (n int64, err error) {
	rows, err := q.QueryContext(ctx, `SELECT * FROM `+table)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	if err := enc.Encode(backupLine{Table: table, Columns: columns}); err != nil {
		return 0, err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for ; rows.Next(); n++ {
		if err := rows.Scan(into...); err != nil {
			return n, err
		}
		for i, v := range values {
			switch v := v.(type) {
			case nil, bool, int64:
			case []byte:
				values[i] = rawValue{v}
			case string:
				if !utf8.ValidString(v) {
					values[i] = rawValue{[]byte(v)}
				}
			default:
				return n, fmt.Errorf("column %s holds a %T, which a backup cannot keep", columns[i], v)
			}
		}
		if err := enc.Encode(values); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}

// Restore fills an empty database from a backup and brings its tables up to
// date; it gives the time of the backup and the number of rows. A database that
// holds anything is refused. When it fails, the database holds nothing.
func Restore(ctx context.Context, c Config, r io.Reader) (made time.Time, rows int64, err error) {
	var final string
	if c.URL == "" {
		if _, err := os.Stat(c.Path); !errors.Is(err, fs.ErrNotExist) {
			return made, 0, fmt.Errorf("restore: %s is there already; move it away first, and what begins with its name", c.Path)
		}
		final, c.Path = c.Path, c.Path+".restoring"
		for _, end := range []string{"", "-wal", "-shm"} { // left by one that was interrupted
			if err := os.Remove(c.Path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return made, 0, fmt.Errorf("restore: %w", err)
			}
		}
	}
	s, err := open(ctx, c)
	if err != nil {
		return made, 0, fmt.Errorf("restore: %w", err)
	}
	made, rows, err = s.restore(ctx, r)
	if err = errors.Join(err, s.Close()); err != nil {
		if final != "" {
			err = errors.Join(err, os.Remove(c.Path))
		}
		return made, 0, fmt.Errorf("restore: %w", err)
	}
	if final != "" {
		err = os.Rename(c.Path, final)
	}
	return made, rows, err
}

func (s *Store) restore(ctx context.Context, r io.Reader) (made time.Time, rows int64, err error) {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return made, 0, errors.New("this is no backup of Coldstart")
	}
	in := json.NewDecoder(bufio.NewReaderSize(zip, 64<<10))
	in.UseNumber()
	var head backupLine
	if err := in.Decode(&head); err != nil || head.Backup == 0 {
		return made, 0, errors.New("this is no backup of Coldstart")
	}
	p, _, err := s.provider()
	if err != nil {
		return made, 0, err
	}
	if head.Backup != backupForm || head.Version > last(p) {
		return made, 0, fmt.Errorf("the backup is at version %d, made by a newer Coldstart; this one knows versions up to %d", head.Version, last(p))
	}
	if err := s.empty(ctx); err != nil {
		return made, 0, err
	}
	if head.Version == 0 {
		return made, 0, errors.New("the backup is of a database that was never used")
	}
	if err := s.migrate(ctx, head.Version); err != nil {
		return made, 0, err
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		rows, err = fill(ctx, tx, in)
		return err
	})
	if err == nil {
		err = s.migrate(ctx, newest)
	}
	return fromMillis(head.Made), rows, err
}

// empty refuses a database that holds something.
func (s *Store) empty(ctx context.Context) error {
	version, err := s.version(ctx)
	if err != nil {
		return err
	}
	tables, err := s.tables(version)
	if err != nil {
		return err
	}
	for _, table := range tables {
		var n int
		if err := s.write.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM `+table+` LIMIT 1) AS one`).Scan(&n); err != nil {
			return reason(err)
		}
		if n > 0 {
			return fmt.Errorf("the database %s holds data already; restore into an empty one", s.name)
		}
	}
	return nil
}

// fill inserts what a backup holds, each table after those that it refers to.
func fill(ctx context.Context, tx *sql.Tx, in *json.Decoder) (n int64, err error) {
	var insert *sql.Stmt
	var types []string // of the table's columns
	for {
		var line json.RawMessage
		if err := in.Decode(&line); err != nil {
			return n, fmt.Errorf("the backup is cut off or damaged after %d rows: %w", n, err)
		}
		if line[0] == '[' && insert != nil {
			values, err := rowOf(line, types)
			if err != nil {
				return n, err
			}
			if _, err := insert.ExecContext(ctx, values...); err != nil {
				return n, err
			}
			n++
			continue
		}
		var head backupLine
		if err := json.Unmarshal(line, &head); err != nil {
			return n, fmt.Errorf("the backup is damaged after %d rows: %w", n, err)
		}
		switch {
		case head.End && head.Rows == n:
			return n, nil
		case head.Table == "" || len(head.Columns) == 0:
			return n, fmt.Errorf("the backup is damaged after %d rows", n)
		}
		if insert, types, err = inserter(ctx, tx, head.Table, head.Columns); err != nil {
			return n, fmt.Errorf("table %q: %w", head.Table, err)
		}
	}
}

var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// inserter prepares the insertion of rows, and says what types their columns have.
func inserter(ctx context.Context, tx *sql.Tx, table string, columns []string) (*sql.Stmt, []string, error) {
	marks := make([]string, len(columns))
	for i, name := range append([]string{table}, columns...) {
		if !identifier.MatchString(name) {
			return nil, nil, fmt.Errorf("%q is no name of a table or column", name)
		}
		if i > 0 {
			marks[i-1] = "$" + strconv.Itoa(i)
		}
	}
	list := strings.Join(columns, ", ")
	rows, err := tx.QueryContext(ctx, `SELECT `+list+` FROM `+table+` WHERE 1 = 0`)
	if err != nil {
		return nil, nil, err
	}
	described, err := rows.ColumnTypes()
	if err = errors.Join(err, rows.Close()); err != nil {
		return nil, nil, err
	}
	types := make([]string, len(columns))
	for i, t := range described {
		types[i] = strings.ToUpper(t.DatabaseTypeName())
	}
	insert, err := tx.PrepareContext(ctx, `INSERT INTO `+table+` (`+list+`) VALUES (`+strings.Join(marks, ", ")+`)`)
	return insert, types, err
}

// rowOf reads one row. Whether a text is stored as text or as bytes, and a
// truth as a number, is the column's matter, because the databases differ in that.
func rowOf(line json.RawMessage, types []string) ([]any, error) {
	var cells []json.RawMessage
	if err := json.Unmarshal(line, &cells); err != nil {
		return nil, err
	}
	if len(cells) != len(types) {
		return nil, fmt.Errorf("a row has %d values for %d columns", len(cells), len(types))
	}
	values := make([]any, len(cells))
	for i, cell := range cells {
		var text string
		switch cell[0] {
		case 'n':
			continue
		case 't', 'f':
			values[i] = cell[0] == 't'
			continue
		case '"':
			if err := json.Unmarshal(cell, &text); err != nil {
				return nil, err
			}
		case '{':
			var v rawValue
			if err := json.Unmarshal(cell, &v); err != nil {
				return nil, err
			}
			text = string(v.Base64)
		default:
			n, err := strconv.ParseInt(string(cell), 10, 64)
			if err != nil {
				return nil, err
			}
			if values[i] = n; types[i] == "BOOL" {
				values[i] = n != 0
			}
			continue
		}
		if types[i] == "BYTEA" {
			values[i] = []byte(text)
		} else {
			values[i] = text
		}
	}
	return values, nil
}
