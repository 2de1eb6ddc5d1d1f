package sandbox

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// sqlWorker runs the SQL of its query string in D1 or, under /object, in a
// Durable Object, and gives the first value of the last row.
var sqlWorker = map[string]string{
	"wrangler.jsonc": `{"name": "w", "main": "worker.js", "compatibility_date": "2026-11-01", "d1_databases": [{"binding": "DB", "database_name": "db", "database_id": "db"}],
		"durable_objects": {"bindings": [{"name": "O", "class_name": "O"}]}, "migrations": [{"tag": "v1", "new_sqlite_classes": ["O"]}]}`,
	"worker.js": `
		import { DurableObject } from "cloudflare:workers";
		const last = (rows) => rows.length ? Object.values(rows.at(-1))[0] : "none";
		export class O extends DurableObject {
			fetch(request) {
				const text = decodeURIComponent(new URL(request.url).search.slice(1));
				try { return new Response(last(this.ctx.storage.sql.exec(text).toArray())); } catch (e) { return new Response(e.message); }
			}
		}
		export default {
			async fetch(request, env) {
				const { pathname, search } = new URL(request.url);
				if (pathname === "/object") return env.O.getByName("o").fetch("https://o/" + search);
				try { return new Response(last((await env.DB.prepare(decodeURIComponent(search.slice(1))).all()).results)); } catch (e) { return new Response(e.message); }
			},
		};`,
}

// sqlChild is the process that runs the SQL.
func sqlChild(t *testing.T, s *Sandbox) int {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		for _, r := range s.Stats().Runners {
			if r.Role == "sql" {
				return r.PID
			}
		}
	}
	t.Fatal("no sql child")
	return 0
}

func askSQL(t *testing.T, s *Sandbox, learner, path, text string) string {
	t.Helper()
	a, err := try(s, key(learner), path+"?"+url.PathEscape(text))
	if err != nil {
		t.Error(err)
	}
	return a.body
}

// endless needs as much memory, or time, as it gets.
const endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT %s FROM c"

func TestSQLInAChild(t *testing.T) {
	s := open(t)
	deploy(t, s, key("a"), sqlWorker)
	pid := sqlChild(t, s)
	for n, c := range []struct{ text, want string }{
		{"CREATE TABLE t (n)", "none"},
		{"INSERT INTO t VALUES (7)", "none"},
		{"SELECT n FROM t", "7"},
		{"SELECT datetime(0, 'unixepoch', 'localtime')", "1970-01-01 00:00:00"},
		{"SELECT n FROM t UNION SELECT 8 ORDER BY 1", "8"},
		{fmt.Sprintf(endless, "x") + " ORDER BY 1", "stopped"},                               // sorts, for as long as it may
		{fmt.Sprintf(endless, "hex(randomblob(300000))") + " ORDER BY 1", "MEMORY"},          // sorts more than there is memory
		{fmt.Sprintf(endless, "x"+strings.Repeat(", 0", 99)) + " LIMIT 1500", "select less"}, // more values than a frame holds
		{"SELECT load_extension('x')", "not authorized"},
		{"CREATE VIRTUAL TABLE f USING fts5(x)", "none"}, // writes to the database only
		{"SELECT writefile('/tmp/escape-canary', 'x')", "no such function"},
		{"SELECT count(*) FROM pragma_database_list WHERE file <> ''", "0"}, // no files
		{"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT 500) SELECT count(*) FROM (SELECT DISTINCT x FROM c)", "500"},
		{"SELECT n FROM t", "7"},
	} {
		for i, path := range []string{"/", "/object"} {
			if strings.HasPrefix(c.text, "WITH") && i != n%2 {
				continue // one of both is enough for what takes long
			}
			if got := askSQL(t, s, "a", path, c.text); !strings.Contains(got, c.want) && !(strings.HasPrefix(c.text, "WITH") && (c.want == "MEMORY" && strings.Contains(got, "NOMEM") || strings.Contains(got, "stopped"))) {
				t.Errorf("%s %s: %q, want %q", path, c.text, got, c.want)
			}
		}
	}
	if now := sqlChild(t, s); now != pid {
		t.Errorf("the sql child was %d and is %d: SQL alone ended it", pid, now)
	}
}

// The process that runs SQL is killed: what was acknowledged is there, and
// what had no effect is run again without anybody noticing.
func TestSQLChildKilled(t *testing.T) {
	s := open(t)
	deploy(t, s, key("a"), sqlWorker)
	kill := func() {
		t.Helper()
		if err := syscall.Kill(sqlChild(t, s), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/", "/object"} {
		for i, c := range []struct{ text, want string }{{"CREATE TABLE t (n)", "none"}, {"INSERT INTO t VALUES (1)", "none"}, {"SELECT count(*) FROM t", "1"}} {
			if i > 0 {
				kill()
			}
			if got := askSQL(t, s, "a", path, c.text); got != c.want {
				t.Errorf("%s %s: %q", path, c.text, got)
			}
		}
	}
	done := make(chan string, 1)
	go func() { done <- askSQL(t, s, "a", "/", fmt.Sprintf(endless, "count(*)")) }()
	time.Sleep(300 * time.Millisecond) // within the two seconds that it lasts
	kill()
	if got := <-done; !strings.Contains(got, "longer than 2s") {
		t.Errorf("a query that was under way and began again: %q", got)
	}
	if st := s.Stats(); st.Restarts != 5 {
		t.Errorf("%d children died", st.Restarts)
	}
}

// Thirty learners whose statements never end, and one who asks a little now
// and then: the one is served at once.
func TestSQLFairness(t *testing.T) {
	if instrumented {
		t.Skip("the race detector slows down SQLite itself; make test plays this without it")
	}
	s := open(t)
	slow := slowdownNice(5) // as much as a sql child gives way
	const hogs = 30
	for i := range hogs {
		deploy(t, s, key(fmt.Sprint("hog", i)), sqlWorker)
		askSQL(t, s, fmt.Sprint("hog", i), []string{"/", "/object"}[i%2], "SELECT 1") // starts are not what is measured
	}
	deploy(t, s, key("benign"), sqlWorker)
	askSQL(t, s, "benign", "/", "CREATE TABLE t (n)")
	var wg sync.WaitGroup
	var stop atomic.Bool
	var ended [hogs]atomic.Int64
	for i := range hogs {
		wg.Go(func() {
			for !stop.Load() {
				text := fmt.Sprintf(endless, []string{"count(*)", "hex(randomblob(100000))", "x"}[i%3])
				if i%3 > 0 {
					text += " ORDER BY 1"
				}
				if got := askSQL(t, s, fmt.Sprint("hog", i), []string{"/", "/object"}[i%2], text); got == "" {
					t.Errorf("hog %d is told nothing", i)
				}
				ended[i].Add(1)
			}
		})
	}
	var waits []time.Duration
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		for _, c := range []struct{ text, want string }{{"INSERT INTO t VALUES (1)", "none"}, {"SELECT n FROM t LIMIT 1", "1"}} {
			at := time.Now()
			if got := askSQL(t, s, "benign", "/", c.text); got != c.want {
				t.Errorf("%s: %q", c.text, got)
			}
			waits = append(waits, time.Since(at))
		}
	}
	stop.Store(true)
	wg.Wait()
	slices.Sort(waits)
	p95 := waits[len(waits)*95/100]
	t.Logf("benign n=%d p50=%v p95=%v", len(waits), waits[len(waits)/2], p95)
	if limit := time.Duration(float64(500*time.Millisecond) * max(slow, slowdownNice(5))); p95 > limit {
		t.Errorf("benign p95 is %v, want at most %v", p95, limit)
	}
}

// A class that new_classes made has keys and no SQL, as on Workers.
func TestPlainObjectsHaveNoSQL(t *testing.T) {
	s := open(t)
	deploy(t, s, key("plain"), map[string]string{
		"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01","durable_objects":{"bindings":[{"name":"A","class_name":"Plain"},{"name":"B","class_name":"Full"},{"name":"C","class_name":"Later"}]},
"migrations":[{"tag":"v1","new_classes":["Plain","Old"],"new_sqlite_classes":["Full"]},{"tag":"v2","renamed_classes":[{"from":"Old","to":"Later"}]}]}`,
		"worker.js": `import { DurableObject } from "cloudflare:workers";
class Base extends DurableObject {
  async ask() {
    await this.ctx.storage.put("n", 1);
    try { return "n" + await this.ctx.storage.get("n") + " " + this.ctx.storage.sql.exec("SELECT 2 AS n").one().n; } catch (e) { return String(e).split(".")[0]; }
  }
}
export class Plain extends Base {}
export class Full extends Base {}
export class Later extends Base {}
export default { async fetch(request, env) { return new Response((await Promise.all([env.A, env.B, env.C].map((n) => n.getByName("x").ask()))).join("\n")); } };`,
	})
	no := "Error: SQL is not enabled for this Durable Object class"
	if got, want := get(t, s, key("plain"), "/").body, no+"\nn1 2\n"+no; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
