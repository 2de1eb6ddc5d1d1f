package platform

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"coldstart/sandbox/query"
)

// mortal runs queries until something kills it.
type mortal struct {
	engine *query.Engine
	deaths int // how many of the next queries kill it
	asked  int
}

func (m *mortal) do(ctx context.Context, q query.Request) (query.Reply, error) {
	m.asked++
	if m.deaths > 0 {
		m.deaths--
		m.engine = query.New()
		return query.Reply{}, query.ErrDied
	}
	return m.engine.Do(ctx, q), nil
}

// What runs SQL dies: what is stored is there, what had no effect is asked
// again, and an object whose writes are gone is told so before it answers.
func TestSQLDies(t *testing.T) {
	m := &mortal{engine: query.New()}
	p, c := testPlatform(t, nil)
	p.cfg.SQL, p.sql.flush = m.do, time.Hour // nothing is saved meanwhile
	c.Class, c.Object = "O", "o1"
	fails := func(want, op string, list ...any) {
		t.Helper()
		if v, err := p.Call(t.Context(), c, op, list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s %v: %v %v, want %q", op, list, v, err, want)
		}
	}
	count := func(want string) {
		t.Helper()
		if got := show(call(t, p, c, "sql.exec", "o1", "SELECT count(*) FROM t", []any{})); !strings.HasSuffix(got, want+"]") {
			t.Errorf("it holds %s, want %s", got, want)
		}
	}
	insert := func() { t.Helper(); call(t, p, c, "sql.exec", "o1", "INSERT INTO t VALUES (1)", []any{}) }
	settle := func(want string) {
		t.Helper()
		if err := p.Settle(c); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("settled: %v, want %q", err, want)
		}
	}
	call(t, p, c, "sql.exec", "o1", "CREATE TABLE t (n)", []any{})
	insert()
	settle("")
	m.engine = query.New() // it dies between two queries
	insert()
	settle("")
	m.deaths = 1 // it dies of one, which runs again
	insert()
	settle("")
	count("3")

	// What was written and not stored is gone: all is refused until the object's
	// answer was held back.
	insert()
	m.engine = query.New()
	fails("what was written since the last answer is gone", "sql.exec", "o1", "SELECT 1", []any{})
	fails("is gone", "sql.exec", "o1", "INSERT INTO t VALUES (1)", []any{})
	settle("is gone")
	settle("")
	count("3")

	// So is a transaction.
	call(t, p, c, "storage.begin", "o1")
	insert()
	m.engine = query.New()
	fails("is gone", "sql.exec", "o1", "SELECT 1", []any{})
	fails("is gone", "storage.end", "o1", true)
	settle("is gone")
	call(t, p, c, "storage.begin", "o1")
	insert()
	call(t, p, c, "storage.end", "o1", false)
	settle("")
	count("3")

	// A query that kills it every time is to blame.
	m.deaths, m.asked = 9, 0
	fails("made the process stop", "sql.exec", "o1", "SELECT 1", []any{})
	if m.asked != 2 {
		t.Errorf("asked %d times, want twice", m.asked)
	}
	m.deaths = 1
	call(t, p, c, "d1.exec", "db", "CREATE TABLE t (n)")
	m.deaths = 1
	call(t, p, c, "d1.query", "db", []any{"INSERT INTO t VALUES (1)", []any{}})
	m.engine = query.New()
	if got := show(call(t, p, c, "d1.query", "db", []any{"SELECT count(*) FROM t", []any{}})); !strings.HasSuffix(got, " 1]]") {
		t.Errorf("D1 holds %s", got)
	}
}

// So many databases are held open, however many are used: each takes memory
// where the SQL runs. What was closed is there when it is used again.
func TestFewDatabasesAreOpen(t *testing.T) {
	p, c := testPlatform(t, nil)
	c.Class = "O"
	use := func(i int, text string) any {
		c.Object = fmt.Sprint("o", i)
		return call(t, p, c, "sql.exec", c.Object, text, []any{})
	}
	for i := range sqlOpen + 10 {
		use(i, fmt.Sprintf("CREATE TABLE t AS SELECT %d AS n", i))
		p.sql.mu.Lock()
		if n := len(p.sql.list); n > sqlOpen {
			t.Errorf("%d are open", n)
		}
		p.sql.mu.Unlock()
	}
	for i := range 10 {
		if got := show(use(i, "SELECT n FROM t")); got != fmt.Sprintf("[[n] 1 0 %d]", i) {
			t.Errorf("object %d: %s", i, got)
		}
	}
}
