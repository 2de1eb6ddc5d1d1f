package enginetest

import (
	"testing"
	"time"

	"coldstart/sandbox/isolate"
)

// Run runs the suite against an engine made with Bootstrap. Modules are loaded
// in lowered form, which every engine takes.
func Run(t *testing.T, e isolate.Engine) {
	pool := isolate.NewPool(2)
	t.Cleanup(pool.Close)
	t.Run("hello", func(t *testing.T) {
		w := start(t, pool, e, 0)
		if err := w.load(`__exports = { default: { fetch(r) { console.log("got", r.url, 7); return "hello"; } } };`); err != nil {
			t.Fatal(err)
		}
		if _, err := w.call("fetch", "r1", "https://x/"); err != nil {
			t.Fatal(err)
		}
		if got, want := w.lines.String(), "got https://x/ 7\nanswer r1 hello"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("timers", func(t *testing.T) {
		w := start(t, pool, e, time.Second)
		if err := w.load(`__exports = { default: { fetch() {
			setTimeout(() => console.log("b"), 10); setTimeout(() => console.log("a"), 1); setTimeout((x) => console.log("c", x), 10, 3);
			const gone = setTimeout(() => console.log("gone"), 2); clearTimeout(gone);
			setTimeout(() => { throw new RangeError("from a timer") }, 12);
			return later("v").then((v) => "later " + v); } } };`); err != nil {
			t.Fatal(err)
		}
		if _, err := w.call("fetch", "r1", "https://x/"); err != nil {
			t.Fatal(err)
		}
		if got, want := w.lines.String(), "answer r1 later v\na\nb\nc 3"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if errs := w.errors(); len(errs) != 1 || errs[0].Error() != "RangeError: from a timer" {
			t.Errorf("got errors %v", errs)
		}
	})
}
