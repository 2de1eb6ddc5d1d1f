package enginetest

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coldstart/sandbox/isolate"
)

// Traits is what an engine cannot do.
type Traits struct {
	// Deep says that a script cannot catch the RangeError of too deep recursion.
	Deep bool
	// Loose says that the engine's own iteration goes through "value" of a
	// patched Object.prototype.
	Loose bool
}

// Run runs the suite against an engine made with Bootstrap. Scripts are given
// in lowered form, which every engine takes.
func Run(t *testing.T, e isolate.Engine, traits Traits) {
	pool := isolate.NewPool(2)
	t.Cleanup(pool.Close)
	s := suite{e, pool, traits}
	t.Run("hello", s.hello)
	t.Run("timers", s.timers)
	t.Run("json", s.json)
	t.Run("values", s.values)
	t.Run("strings", s.strings)
	t.Run("large", s.large)
	t.Run("refused values", s.refused)
	t.Run("host errors", s.hostErrors)
	t.Run("exceptions", s.exceptions)
	t.Run("load errors", s.loadErrors)
	t.Run("rejections", s.rejections)
	t.Run("patched", s.patched)
	t.Run("separate", s.separate)
	t.Run("random", s.random)
	t.Run("clock", s.clock)
	t.Run("recursion", s.recursion)
	t.Run("interrupt", s.interrupt)
	t.Run("stop", s.stop)
	t.Run("nested call", s.nested)
	t.Run("closed", s.closed)
}

type suite struct {
	e    isolate.Engine
	pool *isolate.Pool
	Traits
}

func (s suite) start(t *testing.T) *worker { return start(t, s.pool, s.e, 0) }

// run loads a handler with one method and calls it.
func (s suite) run(t *testing.T, method string, args ...isolate.Value) (isolate.Value, error) {
	t.Helper()
	w := s.start(t)
	if err := w.load(`__exports = { default: { ` + method + ` } };`); err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(method, "(")
	return w.call("run", append([]isolate.Value{name}, args...)...)
}

func (s suite) hello(t *testing.T) {
	w := s.start(t)
	if err := w.load(`__exports = { default: { fetch(r) { console.log("got", r.url, 7); return "hello"; } } };`); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"got https://x/ 7\nanswer r1 hello", "got https://x/ 7\nanswer r1 hello\ngot https://x/ 7\nanswer r1 hello"} {
		if _, err := w.call("fetch", "r1", "https://x/"); err != nil {
			t.Fatal(err)
		}
		if got := w.lines.String(); got != want {
			t.Errorf("request %d: got %q, want %q", i, got, want)
		}
	}
}

func (s suite) timers(t *testing.T) {
	w := s.start(t)
	if err := w.load(`__exports = { default: { fetch() {
		setTimeout(() => console.log("b"), 10); setTimeout(() => console.log("a"), 1); setTimeout((x) => console.log("c", x), 10, 3);
		const gone = setTimeout(() => console.log("gone"), 2); clearTimeout(gone);
		setTimeout(() => { throw new RangeError("from a timer") }, 12);
		return later("v").then((v) => { console.log("later " + v); }); } } };`); err != nil {
		t.Fatal(err)
	}
	if _, err := w.call("fetch", "r1", "https://x/"); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(w.lines.String(), "\n")
	var timers []string
	for _, l := range got {
		if len(l) <= 3 {
			timers = append(timers, l)
		}
	}
	if want := []string{"a", "b", "c 3"}; !reflect.DeepEqual(timers, want) || len(got) != 5 || !strings.Contains(w.lines.String(), "later v\nanswer r1 undefined") {
		t.Errorf("got %q", got)
	}
	if errs := w.errors(); len(errs) != 1 || errs[0].Error() != "RangeError: from a timer" {
		t.Errorf("got errors %v", errs)
	}
}

func (s suite) json(t *testing.T) {
	got, err := s.run(t, `json(x) { const o = JSON.parse(x); o.n += 1; o.list.push(o.s); return JSON.stringify(o); }`, `{"n":1,"s":"é\u0000","list":[null,true]}`)
	if want := `{"n":2,"s":"é\u0000","list":[null,true,"é\u0000"]}`; err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func (s suite) values(t *testing.T) {
	w := s.start(t)
	deep := isolate.Value("x")
	for range 40 {
		deep = []isolate.Value{deep}
	}
	for _, test := range []struct{ in, out isolate.Value }{
		{nil, nil},
		{true, true},
		{false, false},
		{0, 0.0},
		{1, 1.0},
		{-1, -1.0},
		{int64(1) << 40, float64(1 << 40)},
		{math.MaxInt32, float64(math.MaxInt32)},
		{math.MinInt32, float64(math.MinInt32)},
		{1.5, 1.5},
		{-0.25, -0.25},
		{1e308, 1e308},
		{5e-324, 5e-324},
		{math.Inf(1), math.Inf(1)},
		{math.Inf(-1), math.Inf(-1)},
		{float64(1 << 31), float64(1 << 31)},
		{"", ""},
		{"a", "a"},
		{"\x00b\x00", "\x00b\x00"},
		{"é€😀", "é€😀"},
		{[]byte{}, []byte{}},
		{[]byte{0, 1, 255}, []byte{0, 1, 255}},
		{[]isolate.Value{}, []isolate.Value{}},
		{[]isolate.Value{1, "a", nil, []isolate.Value{true, []byte{7}}}, []isolate.Value{1.0, "a", nil, []isolate.Value{true, []byte{7}}}},
		{deep, deep},
	} {
		got, err := w.call("same", test.in)
		if err != nil || !reflect.DeepEqual(got, test.out) {
			t.Errorf("%#v: got %#v, %v, want %#v", test.in, got, err, test.out)
		}
	}
	if got, err := w.call("same", math.NaN()); err != nil || !math.IsNaN(got.(float64)) {
		t.Errorf("NaN: got %v, %v", got, err)
	}
	if got, err := w.call("same", math.Copysign(0, -1)); err != nil || !math.Signbit(got.(float64)) {
		t.Errorf("-0: got %v, %v", got, err)
	}
	got, err := s.run(t, `views() { const b = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7]).buffer;
		return [new Uint8Array(b, 1, 2), new Uint16Array(b, 2, 2), new DataView(b, 3, 4), new Float64Array(b), undefined, new Uint8Array(0), b.slice(6), new Int8Array(b, 8)]; }`)
	want := []isolate.Value{[]byte{1, 2}, []byte{2, 3, 4, 5}, []byte{3, 4, 5, 6}, []byte{0, 1, 2, 3, 4, 5, 6, 7}, nil, []byte{}, []byte{6, 7}, []byte{}}
	if err != nil || !reflect.DeepEqual(got, isolate.Value(want)) {
		t.Errorf("views: got %v, %v, want %v", got, err, want)
	}
	got, err = s.run(t, `host(b) { return echo(b, [1, b], "s", -0.5, null, true); }`, []byte("xyz"))
	want = []isolate.Value{[]byte("xyz"), []isolate.Value{1.0, []byte("xyz")}, "s", -0.5, nil, true}
	if err != nil || !reflect.DeepEqual(got, isolate.Value(want)) {
		t.Errorf("host: got %v, %v, want %v", got, err, want)
	}
}

func (s suite) strings(t *testing.T) {
	// A lone surrogate passes through the host unchanged, in both directions.
	got, err := s.run(t, `lone() { const x = "a\ud800b\udc00"; const y = echo(x)[0]; return [x === y, y.length, y.charCodeAt(1)]; }`)
	if want := []isolate.Value{true, 4.0, float64(0xd800)}; err != nil || !reflect.DeepEqual(got, isolate.Value(want)) {
		t.Errorf("lone: got %v, %v, want %v", got, err, want)
	}
	got, err = s.run(t, `ropes(s) { let r = ""; for (let i = 0; i < 5000; i++) r += s; return [r.length, r, r.slice(10, 14)]; }`, "ab€")
	if want := []isolate.Value{15000.0, strings.Repeat("ab€", 5000), "b€ab"}; err != nil || !reflect.DeepEqual(got, isolate.Value(want)) {
		t.Errorf("ropes: got %.80v, %v", got, err)
	}
}

func (s suite) large(t *testing.T) {
	const n = 10 << 20
	text := strings.Repeat("0123456789abcdef", n/16)
	begin := time.Now()
	got, err := s.run(t, `text(x) { return [x.length, x]; }`, text)
	if err != nil || !reflect.DeepEqual(got, isolate.Value([]isolate.Value{float64(n), text})) {
		t.Errorf("10 MB of text did not come back: %v", err)
	}
	got, err = s.run(t, `bytes(x) { return [x.byteLength, x]; }`, []byte(text))
	if err != nil || !reflect.DeepEqual(got, isolate.Value([]isolate.Value{float64(n), []byte(text)})) {
		t.Errorf("10 MB of bytes did not come back: %v", err)
	}
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("20 MB in and out took %v", d)
	}
}

func (s suite) refused(t *testing.T) {
	for _, expr := range []string{`{}`, `() => 1`, `Symbol("x")`, `new Map()`, `[[{}]]`, `(() => { const a = []; a.push(a); return a; })()`} {
		got, err := s.run(t, `refused() { try { echo(`+expr+`); return "passed"; } catch (e) { return [e instanceof TypeError, e.name, /cannot be passed to the host/.test(e.message)]; } }`)
		if want := []isolate.Value{true, "TypeError", true}; err != nil || !reflect.DeepEqual(got, isolate.Value(want)) {
			t.Errorf("%s: got %v, %v", expr, got, err)
		}
	}
}

func (s suite) hostErrors(t *testing.T) {
	got, err := s.run(t, `thrown() { const list = [];
		for (const args of [["boom"], ["TypeError", "t"], ["RangeError", "r"], ["SyntaxError", "s"], ["Nonsense", "n"]]) {
			try { fail(...args); } catch (e) {
				list.push([e instanceof Error, e instanceof TypeError, e instanceof RangeError, e.name, e.message, String(Object.keys(e)), typeof e.stack]);
			}
		}
		return list; }`)
	row := func(type_, range_ bool, name, message string) isolate.Value {
		return []isolate.Value{true, type_, range_, name, message, "", "string"}
	}
	want := []isolate.Value{
		row(false, false, "Error", "plain boom"), row(true, false, "TypeError", "t"), row(false, true, "RangeError", "r"),
		row(false, false, "SyntaxError", "s"), row(false, false, "Nonsense", "n"),
	}
	if diff := cmp.Diff(isolate.Value(want), got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func (s suite) exceptions(t *testing.T) {
	for expr, want := range map[string]string{
		`new TypeError("no")`: "TypeError: no",
		`new (class Mine extends Error { get name() { return "Mine"; } })("m")`: "Mine: m",
		`new Error("")`:                  "Error",
		`"text"`:                         "text",
		`42`:                             "42",
		`null`:                           "null",
		`undefined`:                      "undefined",
		`{ toString() { throw 1; } }`:    "a value that cannot be shown",
		`Object.create(null)`:            "a value that cannot be shown",
		`({ toString() { return 7; } })`: "7",
	} {
		_, err := s.run(t, `f() { throw `+expr+`; }`)
		var exc *isolate.Exception
		if !errors.As(err, &exc) || exc.Error() != want {
			t.Errorf("throw %s: got %v, want %s", expr, err, want)
		}
	}
	w := s.start(t)
	if err := w.load("__exports = { default: {\n  f() { inner(); } } };\nfunction inner() {\n  throw new Error('here');\n}"); err != nil {
		t.Fatal(err)
	}
	_, err := w.call("run", "f")
	var exc *isolate.Exception
	if !errors.As(err, &exc) {
		t.Fatal(err)
	}
	lines := strings.Split(exc.Stack, "\n")
	if len(lines) < 2 || !strings.HasPrefix(lines[0], "    at inner (index.js:4:") || !strings.Contains(lines[1], "(index.js:2:") {
		t.Errorf("got stack\n%s", exc.Stack)
	}
	for _, l := range lines {
		if !strings.HasPrefix(l, "    at ") {
			t.Errorf("line %q of the stack is no frame", l)
		}
	}
	if got, err := w.call("get", "f"); err == nil {
		t.Errorf("a function came out as %v", got)
	}
	if _, err := w.call("nope"); err == nil || !strings.Contains(err.Error(), `no entry "nope"`) {
		t.Errorf("got %v", err)
	}
	if _, err := w.call("same", struct{}{}); err == nil || !strings.Contains(err.Error(), "struct {}") {
		t.Errorf("got %v", err)
	}
}

func (s suite) loadErrors(t *testing.T) {
	for source, want := range map[string]string{
		`function (`:                  "SyntaxError",
		`throw new RangeError("top")`: "RangeError: top",
		`__exports = {};`:             "TypeError: no default export",
		`var x = 1;`:                  "TypeError: no default export",
		`undefinedName;`:              "ReferenceError",
		`__exports = { get default() { throw new Error("getter"); } };`: "Error: getter",
	} {
		w := s.start(t)
		err := w.load(source)
		var exc *isolate.Exception
		if !errors.As(err, &exc) || !strings.HasPrefix(exc.Error(), want) {
			t.Errorf("%s: got %v, want %s", source, err, want)
		}
		if strings.HasPrefix(want, "SyntaxError") && !strings.Contains(exc.Stack, "index.js:1:") {
			t.Errorf("%s: no place in %q", source, exc.Stack)
		}
	}
}

func (s suite) rejections(t *testing.T) {
	w := s.start(t)
	if err := w.load(`__exports = { default: {
		lost() { Promise.reject(new TypeError("lost")); },
		caught() { Promise.reject(new TypeError("caught")).catch(() => {}); },
		soon() { const p = Promise.reject(new TypeError("soon")); Promise.resolve().then(() => p.catch(() => {})); },
		late() { const p = Promise.reject(3); setTimeout(() => p.catch(() => {}), 1); },
	} };`); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lost", "caught", "soon", "late"} {
		if _, err := w.call("run", name); err != nil {
			t.Error(name, err)
		}
	}
	if got, want := w.lines.String(), "unhandled 1 TypeError: lost\nunhandled 2 3\nhandled 2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// patched checks that learner code which replaces built-ins neither breaks nor
// observes what crosses the boundary.
func (s suite) patched(t *testing.T) {
	w := s.start(t)
	if err := w.load(`const loose = ` + strconv.FormatBool(s.Loose) + `;
		let seen = 0, first = "", Fail = Error;
		const spy = (name) => function () { if (seen++ === 0) first = name + new Fail().stack; throw new Fail("spied " + name); };
		const realEcho = echo, u = new Uint16Array([1, 2]), b = u.buffer, test = () => {
			const r = realEcho([1, "two", u], b);
			return [r[0][0], r[0][1], r[0][2], r[1]];
		};
		for (const p of [Array, Function, String, Promise, Map, Uint8Array, ArrayBuffer, Object.getPrototypeOf(Uint8Array)]) {
			for (const k of Object.getOwnPropertyNames(p.prototype)) {
				if (k === "constructor" || k === "length" && p !== ArrayBuffer) continue;
				const d = Object.getOwnPropertyDescriptor(p.prototype, k);
				if (!d.configurable || k === "push") continue;
				if (d.get) Object.defineProperty(p.prototype, k, { get: spy(k), configurable: true });
				else if (typeof d.value === "function") Object.defineProperty(p.prototype, k, { value: spy(k), configurable: true, writable: true });
			}
		}
		for (const i of [0, 1, 2]) Object.defineProperty(Array.prototype, i, { get: spy("get" + i), set: spy("set" + i), configurable: true });
		Object.defineProperty(Object.prototype, "then", { get() { return undefined; }, configurable: true });
		Object.defineProperty(Object.prototype, "toJSON", { get: spy("toJSON"), configurable: true });
		if (!loose) Object.defineProperty(Object.prototype, "value", { get: spy("value"), set: spy("value"), configurable: true });
		globalThis.ArrayBuffer = globalThis.Uint8Array = globalThis.TypeError = globalThis.Error = globalThis.Promise = spy("global");
		__exports = { default: { test, seen() { return seen; }, first() { return first; },
			wrong() { try { realEcho({}); return "passed"; } catch (e) { return e.message; } } } };
	`); err != nil {
		t.Fatal(err)
	}
	if err := w.do(func(iso isolate.Isolate) error {
		got, err := iso.Call("run", "test")
		want := []isolate.Value{1.0, "two", []byte{1, 0, 2, 0}, []byte{1, 0, 2, 0}}
		if err != nil || !reflect.DeepEqual(got, isolate.Value(want)) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
		got, err = iso.Call("run", "wrong")
		if err != nil || !strings.Contains(fmt.Sprint(got), "cannot be passed to the host") {
			t.Errorf("wrong: got %v, %v", got, err)
		}
		big := make([]byte, 1<<20)
		big[1<<19] = 9
		got, err = iso.Call("same", []isolate.Value{big, "s", []isolate.Value{1}})
		if err != nil || !reflect.DeepEqual(got, isolate.Value([]isolate.Value{big, "s", []isolate.Value{1.0}})) {
			t.Errorf("same: %v", err)
		}
		got, err = iso.Call("run", "seen")
		if err != nil || got != 0.0 {
			first, _ := iso.Call("run", "first")
			t.Errorf("patched built-ins were used %v times, first %v, %v", got, first, err)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func (s suite) separate(t *testing.T) {
	a, b := s.start(t), s.start(t)
	if err := a.load(`globalThis.secret = "s"; Array.prototype.leak = 1; Object.leak = 1; __exports = { default: {} };`); err != nil {
		t.Fatal(err)
	}
	if err := a.loop.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, w := range []*worker{b, s.start(t)} {
			if err := w.load(`__exports = { default: { look() { return [typeof secret, typeof [].leak, typeof Object.leak, typeof __exports]; } } };`); err != nil {
				t.Fatal(err)
			}
			got, err := w.call("run", "look")
			if want := []isolate.Value{"undefined", "undefined", "undefined", "undefined"}; err != nil || !reflect.DeepEqual(got, isolate.Value(want)) {
				t.Errorf("got %v, %v", got, err)
			}
		}
	}
}

func (s suite) random(t *testing.T) {
	seen := map[float64]bool{}
	for range 20 {
		got, err := s.run(t, `random() { return Math.random(); }`)
		f, ok := got.(float64)
		if err != nil || !ok || f < 0 || f >= 1 || seen[f] {
			t.Fatalf("got %v, %v after %v", got, err, seen)
		}
		seen[f] = true
	}
}

func (s suite) clock(t *testing.T) {
	w := s.start(t)
	if err := w.load(`__exports = { default: { now() { return [Date.now(), new Date().getTime(), new Date(0).getHours(), new Date().getTimezoneOffset(), new Date(2026, 0, 1).toISOString()]; } } };`); err != nil {
		t.Fatal(err)
	}
	before := time.Now().UnixMilli()
	got, err := w.call("run", "now")
	if err != nil {
		t.Fatal(err)
	}
	list := got.([]isolate.Value)
	if now := int64(list[0].(float64)); now < before || now > time.Now().UnixMilli() || list[0] != list[1] {
		t.Errorf("now is %v, want %v", list, before)
	}
	if want := []isolate.Value{0.0, 0.0, "2026-01-01T00:00:00.000Z"}; !reflect.DeepEqual(list[2:], want) {
		t.Errorf("the clock is not in UTC: %v", list)
	}
}

func (s suite) recursion(t *testing.T) {
	if s.Deep {
		_, err := s.run(t, `deep() { const f = () => f(); f(); }`)
		var exc *isolate.Exception
		if !errors.As(err, &exc) || exc.Name != "RangeError" || !strings.Contains(exc.Stack, "at f (index.js:1:") {
			t.Errorf("got %v, %+v", err, exc)
		}
		return
	}
	got, err := s.run(t, `deep() { let n = 0; const f = () => { n++; f(); }; try { f(); } catch (e) { return [e instanceof RangeError, e.name, n > 500, /stack/i.test(e.message)]; } }`)
	if want := []isolate.Value{true, "RangeError", true, true}; err != nil || !reflect.DeepEqual(got, isolate.Value(want)) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// interrupt checks CPU limits: the loop ends, catch and finally blocks do not
// keep it going, the isolate is spent and says so.
func (s suite) interrupt(t *testing.T) {
	const limit = 50 * time.Millisecond
	for _, body := range []string{
		`for (;;) {}`,
		`try { for (;;) {} } catch (e) { for (;;) {} } finally { for (;;) {} }`,
		`const f = () => { try { f(); } catch (e) { f(); } }; f(); for (;;) {}`,
		`Promise.resolve().then(function again() { return Promise.resolve().then(again); });`,
		`(async () => { for (;;) { try { await null; } catch (e) {} } })();`,
		`const x = []; for (;;) { x.push(1); if (x.length > 1000) x.length = 0; }`,
	} {
		if s.Deep && strings.Contains(body, "f()") {
			continue
		}
		w := start(t, s.pool, s.e, limit)
		if err := w.load("__exports = { default: { run() {\n" + body + "\n} } };"); err != nil {
			t.Fatal(err)
		}
		begin := w.account.CPU()
		_, err := w.call("run", "run")
		if !errors.Is(err, isolate.ErrInterrupted) || !errors.Is(w.loop.StopCause(), isolate.ErrCPU) {
			t.Errorf("%s: got %v, cause %v", body, err, w.loop.StopCause())
		}
		if used := w.account.CPU() - begin; used < limit/2 || used > 20*limit {
			t.Errorf("%s: used %v of %v", body, used, limit)
		}
		if err := w.loop.Post(w.account, func(isolate.Isolate) error { return nil }); !errors.Is(err, isolate.ErrClosed) {
			t.Errorf("%s: a spent loop took a turn: %v", body, err)
		}
		w.mu.Lock()
		if !errors.Is(w.broken, isolate.ErrInterrupted) {
			t.Errorf("%s: broken with %v", body, w.broken)
		}
		w.mu.Unlock()
	}
}

func (s suite) stop(t *testing.T) {
	w := s.start(t)
	if err := w.load(`__exports = { default: { run() { console.log("in"); for (;;) {} } } };`); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("took too long")
	time.AfterFunc(20*time.Millisecond, func() { w.loop.Stop(cause) })
	if _, err := w.call("run", "run"); !errors.Is(err, isolate.ErrInterrupted) || !errors.Is(w.loop.StopCause(), cause) {
		t.Errorf("got %v, cause %v", err, w.loop.StopCause())
	}
	// Close stops code that runs and waits for it.
	w = s.start(t)
	if err := w.load(`__exports = { default: { run() { console.log("in"); for (;;) {} } } };`); err != nil {
		t.Fatal(err)
	}
	in := make(chan struct{})
	if err := w.loop.Post(w.account, func(iso isolate.Isolate) error {
		close(in)
		_, err := iso.Call("run", "run")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	<-in
	if err := w.loop.Close(); err != nil {
		t.Error(err)
	}
}

// nested checks that a host function may call back into the isolate.
func (s suite) nested(t *testing.T) {
	w := s.start(t)
	if err := w.load(`__exports = { default: { outer(n) { return "(" + callBack(n) + ")"; }, inner(n) { return n > 0 ? this.outer(n - 1) : "x"; } } };`); err != nil {
		t.Fatal(err)
	}
	got, err := w.call("run", "outer", 3)
	if want := "((((x))))"; err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func (s suite) closed(t *testing.T) {
	w := s.start(t)
	if err := w.loop.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.loop.Post(w.account, func(isolate.Isolate) error { return nil }); !errors.Is(err, isolate.ErrClosed) {
		t.Errorf("got %v", err)
	}
	iso, err := s.e.New(t.Context(), isolate.Spec{Host: w.loop})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := iso.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := iso.Call("same", 1); !errors.Is(err, isolate.ErrBroken) {
		t.Errorf("got %v", err)
	}
	if err := iso.Load("index.js", "1", true); !errors.Is(err, isolate.ErrBroken) {
		t.Errorf("got %v", err)
	}
	if got := iso.Memory(); got != (isolate.Memory{}) {
		t.Errorf("got %v", got)
	}
	iso.Idle()
}
