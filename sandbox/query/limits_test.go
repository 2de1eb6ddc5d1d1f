package query

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// asking opens a database of its own in an Engine; values go to the last statement.
func asking(t *testing.T) (ask func(text string, values ...any) (Reply, error)) {
	t.Helper()
	e := New()
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	open := true
	return func(text string, values ...any) (Reply, error) {
		r := e.Do(context.Background(), Request{Database: 1, Open: open, Op: Exec, Queries: []Query{{Text: text, Values: values}}})
		open = false
		if r.Error != nil {
			return r, r.Error
		}
		return r, nil
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
		"time":          {fits: "SELECT 1", over: fmt.Sprintf(count, -1, "count(*)"), told: "longer than 2s"},
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
				if _, err := ask(text); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := ask(c.fits, c.fit...); err != nil {
				t.Errorf("as much as may be: %v", err)
			}
			began := time.Now()
			r, err := ask(c.over, c.more...)
			if err == nil || !strings.Contains(err.Error(), c.told) {
				t.Errorf("more: %v, want %q", err, c.told)
			}
			if r.CPU > Wall+time.Second || r.CPU <= 0 {
				t.Errorf("it took %v of CPU time, and %v", r.CPU, time.Since(began))
			}
			if _, err := ask("SELECT 1"); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}
