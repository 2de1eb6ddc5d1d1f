package classroom

import (
	"database/sql"
	"fmt"
	"testing"
)

// A statement that is kept gives what it gave at first: also while rows of it
// are being read, after an error, after the table has changed, and when there
// are more statements than are kept.
func TestStatementsAreKept(t *testing.T) {
	onlySQLite(t)
	s, _ := newStore(t)
	tx, err := s.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	exec := func(query string, args ...any) error {
		_, err := tx.ExecContext(t.Context(), query, args...)
		return err
	}
	if err := exec(`CREATE TABLE numbers (n BIGINT NOT NULL PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := exec(`INSERT INTO numbers (n) VALUES ($1)`, i); err != nil {
			t.Fatal(err)
		}
		if err := exec(`INSERT INTO numbers (n) VALUES ($1)`, i); err == nil {
			t.Fatal("a number is there twice")
		}
	}
	all := func(more func(*sql.Rows)) (n int) {
		t.Helper()
		rows, err := tx.QueryContext(t.Context(), `SELECT * FROM numbers WHERE n >= $1`, 1)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			n++
			if more != nil {
				more(rows)
			}
		}
		if rows.Err() != nil || rows.Close() != nil {
			t.Fatal("rows are not read to their end")
		}
		return n
	}
	inner := 0
	if outer := all(func(*sql.Rows) { inner += all(nil) }); outer != 4 || inner != 16 {
		t.Errorf("one in the other they read %d and %d", outer, inner)
	}
	if err := exec(`ALTER TABLE numbers ADD COLUMN name TEXT NOT NULL DEFAULT 'x'`); err != nil {
		t.Fatal(err)
	}
	all(func(rows *sql.Rows) {
		var n int
		var name string
		if err := rows.Scan(&n, &name); err != nil || name != "x" {
			t.Errorf("after the table has changed: %v, %q", err, name)
		}
	})
	for i := range 2 * keepStatements {
		var got int
		if err := tx.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT n + %d FROM numbers WHERE n = $1`, i), 1).Scan(&got); err != nil || got != i+1 {
			t.Fatalf("statement %d gives %d, %v", i, got, err)
		}
	}
	if n := all(nil); n != 4 {
		t.Errorf("in the end there are %d", n)
	}
}
