package query

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// asking opens a database of its own, which has all the time it wants; values
// go to the last statement.
func asking(t *testing.T) (ask func(text string, values ...any) error) {
	t.Helper()
	d, err := open(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	})
	return func(text string, values ...any) error {
		return d.perform(context.Background(), Request{Op: Exec, Queries: []Query{{Text: text, Values: values}}}, &Reply{})
	}
}

// A query has two seconds, and is charged with what it took of them.
func TestTimeIsBounded(t *testing.T) {
	e := New()
	defer e.Close() //nolint:errcheck // nothing is in it
	began := time.Now()
	const endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c"
	r := e.Do(context.Background(), Request{Database: 1, Open: true, Op: Exec, Queries: []Query{{Text: endless}}})
	took := time.Since(began)
	if r.Error == nil || r.Error.Message != "The query took longer than 2s and was stopped." {
		t.Errorf("told %+v", r.Error)
	}
	if r.CPU <= 0 || r.CPU > took || took < Wall || took > 2*Wall {
		t.Errorf("it took %v, and is charged with %v", took, r.CPU)
	}
	if r := e.Do(context.Background(), Request{Database: 1, Op: Exec, Queries: []Query{{Text: "SELECT 1"}}}); r.Error != nil {
		t.Errorf("afterwards: %v", r.Error)
	}
}

// What SQLite may be made to do is bounded: as much as may be passes, one more
// is refused, and the database goes on.
func TestBounds(t *testing.T) {
	list := func(sep, part string, n int) string {
		return strings.TrimSuffix(strings.Repeat(part+sep, n), sep)
	}
	values := func(n int) []any {
		v := make([]any, n)
		for i := range v {
			v[i] = 1.0
		}
		return v
	}
	tower := []string{"CREATE TABLE t0 (x)"} // an insertion into one makes one into the next
	for i := range 12 {
		tower = append(tower, fmt.Sprintf("CREATE TABLE t%d (x)", i+1), fmt.Sprintf("CREATE TRIGGER g%d AFTER INSERT ON t%d BEGIN INSERT INTO t%d VALUES (1); END", i, i, i+1))
	}
	const count = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT %d) SELECT %s FROM c"
	for name, c := range map[string]struct {
		before     []string
		fits, over string
		told       string
		fit, more  []any // values
	}{
		"statement":     {fits: "SELECT 1 /*" + strings.Repeat("x", maxStatement-14) + "*/", over: "SELECT 1 /*" + strings.Repeat("x", maxStatement-12) + "*/", told: "TOOBIG"},
		"value":         {fits: "SELECT length(zeroblob(2097152))", over: "SELECT length(zeroblob(2097153))", told: "TOOBIG"},
		"bound value":   {fits: "SELECT length(?)", fit: []any{make([]byte, Length)}, over: "SELECT length(?)", more: []any{make([]byte, Length+1)}, told: "TOOBIG"},
		"values":        {fits: "SELECT " + list(", ", "?", 100), fit: values(100), over: "SELECT 1 IN (" + list(", ", "?", 101) + ")", more: values(101), told: "too many SQL variables"},
		"number":        {fits: "SELECT ?100", fit: values(100), over: "SELECT ?101", more: values(101), told: "variable number must be between ?1 and ?100"},
		"compound":      {fits: list(" UNION ALL ", "SELECT 1", 5), over: list(" UNION ALL ", "SELECT 1", 6), told: "too many terms in compound SELECT"},
		"depth":         {fits: "SELECT " + list("+", "1", 90), over: "SELECT " + list("+", "1", 110), told: "too large (maximum depth 100)"},
		"pattern":       {fits: "SELECT 'a' LIKE '" + strings.Repeat("%", 50) + "'", over: "SELECT 'a' LIKE '" + strings.Repeat("%", 51) + "'", told: "pattern too complex"},
		"arguments":     {fits: "SELECT max(" + list(", ", "1", 32) + ")", over: "SELECT max(" + list(", ", "1", 33) + ")", told: "too many arguments"},
		"columns":       {fits: "SELECT " + list(", ", "1", 100), over: "SELECT " + list(", ", "1", 101), told: "too many columns"},
		"program":       {fits: "SELECT 1 IN (" + list(", ", "1", 2000) + ")", over: "SELECT 1 IN (" + list(", ", "random()", 9000) + ")", told: "NOMEM"},
		"rows":          {fits: fmt.Sprintf(count, maxRows, "x"), over: fmt.Sprintf(count, maxRows+1, "x"), told: "select less"},
		"cells":         {fits: fmt.Sprintf(count, maxCells/100, list(", ", "x", 100)), over: fmt.Sprintf(count, maxCells/100+1, list(", ", "x", 100)), told: "select less"},
		"bytes":         {fits: fmt.Sprintf(count, 7, "zeroblob(1048576)"), over: fmt.Sprintf(count, 8, "zeroblob(1048576)"), told: "select less"},
		"pages":         {before: []string{"CREATE TABLE t (x)"}, fits: "INSERT INTO t " + fmt.Sprintf(count, 8, "zeroblob(1048576)"), over: "INSERT INTO t " + fmt.Sprintf(count, 3, "zeroblob(1048576)"), told: "FULL"},
		"triggers":      {before: tower, fits: "INSERT INTO t3 VALUES (1)", over: "INSERT INTO t0 VALUES (1)", told: "triggers nested too deep"},
		"attached":      {fits: "SELECT 1", over: "ATTACH ':memory:' AS x", told: "AUTH"},
		"explained":     {fits: "EXPLAIN SELECT 1", over: "EXPLAIN QUERY PLAN ATTACH ':memory:' AS x", told: "AUTH"},
		"commented":     {fits: "/* ATTACH */ SELECT 1", over: "/* SELECT */ -- SELECT\n ATTACH ':memory:' AS x", told: "AUTH"},
		"second":        {fits: "SELECT 1; SELECT 2", over: "SELECT 1; ATTACH ':memory:' AS x", told: "AUTH"},
		"detached":      {fits: "SELECT 1", over: "DETACH main", told: "AUTH"},
		"vacuum":        {fits: "SELECT 1", over: "VACUUM INTO '/tmp/escape-canary'", told: "cannot VACUUM"},
		"transaction":   {fits: "SELECT 1", over: "BEGIN", told: "storage.transaction()"},
		"savepoint":     {fits: "SELECT 1", over: "SAVEPOINT x", told: "storage.transaction()"},
		"rollback":      {fits: "SELECT 1", over: "ROLLBACK", told: "storage.transaction()"},
		"release":       {fits: "SELECT 1", over: "RELEASE d1", told: "storage.transaction()"},
		"commit":        {fits: "SELECT 1", over: "COMMIT", told: "storage.transaction()"},
		"end":           {fits: "SELECT 1", over: "END", told: "storage.transaction()"},
		"pragma":        {fits: "PRAGMA table_list", over: "PRAGMA max_page_count=1000000", told: "AUTH"},
		"heap":          {fits: "PRAGMA foreign_keys", over: "PRAGMA hard_heap_limit=0", told: "AUTH"},
		"schema's":      {fits: "PRAGMA table_info(t)", over: "PRAGMA main.max_page_count=1000000", told: "AUTH"},
		"quoted pragma": {fits: "PRAGMA table_list", over: `PRAGMA "max_page_count"=1000000`, told: "AUTH"},
		"writable":      {fits: "SELECT 1", over: "PRAGMA writable_schema=ON", told: "AUTH"},
		"schema":        {before: []string{"CREATE TABLE t (x)"}, fits: "SELECT sql FROM sqlite_schema", over: "UPDATE sqlite_schema SET sql = 'x'", told: "may not be modified"},
		"temporary":     {fits: "CREATE TABLE t (x)", over: "CREATE TEMP TABLE u (x)", told: "AUTH"},
		"temporary too": {fits: "CREATE TABLE t (x)", over: "CREATE TEMPORARY VIEW u AS SELECT 1", told: "AUTH"},
		"of Workers":    {fits: "CREATE TABLE cf (x)", over: "CREATE TABLE _cf_KV (x)", told: "AUTH"},
		"virtual":       {fits: "CREATE VIRTUAL TABLE t USING fts5(x)", over: "CREATE VIRTUAL TABLE u USING dbstat", told: "AUTH"},
		"in a comment":  {fits: "CREATE VIRTUAL TABLE t USING/**/fts5(x)", over: "CREATE VIRTUAL TABLE u USING dbstat /* using fts5 */", told: "AUTH"},
		"in a name":     {fits: "CREATE VIRTUAL TABLE \"using dbstat\" USING fts5(x)", over: "CREATE VIRTUAL TABLE \"using fts5\" USING dbstat", told: "AUTH"},
		"in a value":    {fits: "CREATE VIRTUAL TABLE IF NOT EXISTS t USING fts5(x, tokenize = 'porter')", over: "CREATE VIRTUAL TABLE u USING rtree('using fts5')", told: "AUTH"},
		"quoted":        {fits: "CREATE VIRTUAL TABLE main.t USING fts5vocab(t, 'row')", over: "CREATE VIRTUAL TABLE u USING \"dbstat\"", told: "AUTH"},
		"function":      {fits: "SELECT length('x')", over: "SELECT sqlite_version()", told: "not authorized to use function"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ask := asking(t)
			for _, text := range c.before {
				if err := ask(text); err != nil {
					t.Fatal(err)
				}
			}
			if err := ask(c.fits, c.fit...); err != nil {
				t.Errorf("as much as may be: %v", err)
			}
			if err := ask(c.over, c.more...); err == nil || !strings.Contains(err.Error(), c.told) {
				t.Errorf("more: %v, want %q", err, c.told)
			}
			if err := ask("SELECT 1"); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// A statement that came past the list of those allowed meets SQLite's own walls.
func TestWallsBehindTheList(t *testing.T) {
	ctx := context.Background()
	d, err := open(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close() //nolint:errcheck // nothing is in it
	do := func(text string) error { _, err := d.conn.ExecContext(ctx, text); return err }
	for _, c := range []struct{ text, told string }{
		{"ATTACH ':memory:' AS x", "too many attached databases"},
		{"CREATE TABLE t (x)", ""},
		{"PRAGMA writable_schema=ON", ""},
		{"UPDATE sqlite_schema SET sql = 'CREATE TABLE t (y)'", "may not be modified"},
		{"SELECT load_extension('x')", "not authorized"},
	} {
		if err := do(c.text); (err == nil) != (c.told == "") || err != nil && !strings.Contains(err.Error(), c.told) {
			t.Errorf("%s: %v, want %q", c.text, err, c.told)
		}
	}
	for pragma, want := range map[string]int{"trusted_schema": 0, "max_page_count": Pages, "temp_store": 2, "foreign_keys": 1} {
		got := -1
		if err := d.conn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %d, want %d: %v", pragma, got, want, err)
		}
	}
}

// All databases of a process together have so much memory, and who wants more is
// told; others go on. It is set once in a process, so this one is tried in another.
func TestHeapIsBounded(t *testing.T) {
	const most = 32 << 20
	if os.Getenv("QUERY_HEAP") == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHeapIsBounded$", "-test.v")
		cmd.Env = append(os.Environ(), "QUERY_HEAP=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if err := Prepare(most); err != nil {
		t.Fatal(err)
	}
	ask := asking(t)
	const rows = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT %d) SELECT max(length(y)) FROM (SELECT zeroblob(1000000) AS y FROM c ORDER BY -x LIMIT 100)"
	for range 2 {
		if err := ask(fmt.Sprintf(rows, 5)); err != nil {
			t.Errorf("a little: %v", err)
		}
		if err := ask(fmt.Sprintf(rows, 64)); err == nil || !strings.Contains(err.Error(), "NOMEM") {
			t.Errorf("too much: %v", err)
		}
	}
	if held := Peak(); held > most || held < most/2 {
		t.Errorf("it held %d MiB", held>>20)
	}
}
