package quickjs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/isolate/enginetest"
)

func equal(got any, want []isolate.Value) bool { return reflect.DeepEqual(got, any(want)) }

// deadline is a host that interrupts after a time.
type deadline struct {
	benchHost
	at time.Time
}

func (d *deadline) Interrupted() bool { return time.Now().After(d.at) }
func (d *deadline) Due() bool         { return d.Interrupted() }
func (*deadline) CPU() time.Duration  { return cpuTime() }

// Garbage that only a collection finds does not fill an isolate, however small.
func TestSmallIsolatesCollect(t *testing.T) {
	e := newEngine(t, tiny())
	for _, room := range []int64{4 << 20, 6 << 20, 12 << 20} {
		v := newIsolate(t, e, isolate.Spec{Memory: e.image.meta.Size + room, Host: &deadline{at: time.Now().Add(20 * time.Second)}})
		if err := v.Load("index.js", "export default () => { for (let i = 0; i < 100000; i++) { const a = { text: [i, i, i, i] }; a.self = a; } return 1; }", false); err != nil {
			t.Fatal(err)
		}
		if got, err := v.Call("run"); err != nil {
			t.Errorf("%d bytes above the snapshot: %v %v", room, got, err)
		}
	}
}

func TestMemoryCeiling(t *testing.T) {
	e := newEngine(t, tiny())
	for _, body := range []string{
		`const a = []; for (;;) a.push(new Array(100));`,
		`const a = []; for (;;) { let s = "x"; while (s.length < 1 << 20) s += s + "y"; s[5]; a.push(s); }`,
		`const a = []; for (;;) a.push(new Uint8Array(1 << 20));`,
		`const m = new Map(); for (let i = 0; ; i++) m.set(i, {});`,
		`const a = []; for (;;) try { a.push(new Array(100).fill({})); } catch {}`,
		`return new ArrayBuffer(64 << 20).byteLength`,
		`return "x".repeat(1 << 28).length`,
		`const f = () => { const a = new Array(1000).fill(0); return f(a) + a.length; }; const big = []; for (;;) { try { f(); } catch {} big.push(new Array(1000)); }`,
		`JSON.parse("[" + "[1],".repeat(3e6) + "1]"); return 1`,
		`const r = []; for (;;) r.push(/(x+x+)+y/.exec("xxx"), new Error("e"));`,
	} {
		h := &deadline{at: time.Now().Add(20 * time.Second)}
		v := newIsolate(t, e, isolate.Spec{Memory: 16 << 20, Host: h})
		if err := v.Load("index.js", "export default () => {\n"+body+"\n}", false); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if _, err := v.Call("run"); !errors.Is(err, isolate.ErrMemory) {
			t.Errorf("%s: got %v", body, err)
		}
		t.Logf("%v %s", time.Since(begin), body)
		if _, err := v.Call("run"); !errors.Is(err, isolate.ErrBroken) {
			t.Errorf("%s: a spent isolate answered %v", body, err)
		}
		if m := v.Memory(); m.Private > 17<<20 || m.Limit != 16<<20 {
			t.Errorf("%s: holds %+v", body, m)
		}
	}
	if _, err := e.New(t.Context(), isolate.Spec{Host: &benchHost{}, Memory: 1 << 30}); err == nil {
		t.Error("an isolate beyond the ceiling was made")
	}
	if _, err := e.New(t.Context(), isolate.Spec{Host: &benchHost{}, Memory: 1 << 20}); err == nil {
		t.Error("an isolate smaller than the snapshot was made")
	}
}

func TestHostResultBeyondMemory(t *testing.T) {
	e := newEngine(t, tiny())
	v := newIsolate(t, e, isolate.Spec{Memory: 4 << 20})
	if _, err := v.Call("get", make([]byte, 8<<20)); !errors.Is(err, isolate.ErrMemory) {
		t.Errorf("got %v", err)
	}
	v = newIsolate(t, e, isolate.Spec{Memory: 4 << 20})
	if err := v.Load("index.js", strings.Repeat(" ", 8<<20), false); !errors.Is(err, isolate.ErrMemory) {
		t.Errorf("got %v", err)
	}
}

// countHost says how many elements the list has that it is given.
type countHost struct{ benchHost }

func (*countHost) HostCall(_ int, args []isolate.Value) (isolate.Value, error) {
	return float64(len(args[0].([]isolate.Value))), nil
}

// What a script names often takes no memory there, and all of it in the host.
func TestArgumentsBeyondMemory(t *testing.T) {
	ops := &isolate.Ops{}
	ops.Add("count", nil)
	b := tiny()
	b.Ops, b.Script = ops, strings.Replace(b.Script, "let ns, failure;", `const count = host.op("count"); globalThis.echo = (v) => host.call(count, v); let ns, failure;`, 1)
	e := newEngine(t, b)
	for _, c := range []struct{ body, want string }{
		{`const s = "x".repeat(1 << 20); return echo(new Array(10).fill(s))`, "10"},
		{`const s = "x".repeat(1 << 20); return refused(() => echo(new Array(1e5).fill(s)))`, "RangeError"},
		{`const b = new Uint8Array(1 << 20); return refused(() => echo(new Array(1e5).fill(b)))`, "RangeError"},
		{`let a = [1, 2, 3]; for (let i = 0; i < 40; i++) a = [a, a]; return refused(() => echo(a))`, "RangeError"},
	} {
		v := newIsolate(t, e, isolate.Spec{Memory: 16 << 20, Host: &countHost{}})
		if err := v.Load("index.js", "const refused = (f) => { try { f(); return 'passed'; } catch (e) { return e.name; } };\nexport default () => {\n"+c.body+"\n}", false); err != nil {
			t.Fatal(err)
		}
		if got, err := v.Call("run"); err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s: got %v, %v, want %s", c.body, got, err, c.want)
		}
	}
}

func TestNativesAreInterrupted(t *testing.T) {
	e := newEngine(t, tiny())
	for _, body := range []string{
		`/(a+)+$/.test("a".repeat(40) + "b")`,
		`/^(?:(a|aa)+)+$/.exec("a".repeat(50) + "!")`,
		`[].includes.call({ length: 2 ** 50 }, 1)`,
		`new Array(1e5).fill(0).map((x, i) => -i).sort((a, b) => { for (;;); })`,
		`JSON.stringify({ toJSON() { for (;;); } })`,
		`const p = new Proxy({}, { get() { for (;;); } }); p.x`,
		`for (const x of { [Symbol.iterator]() { return { next() { return { done: false } } } } });`,
		`Array.prototype.reverse.call({ length: 2 ** 53 - 1 })`,
		`Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 0, 1)`,
		`const u = new Uint8Array(32 << 20); for (let i = 0; i < 1e4; i++) u.copyWithin(0, 1)`,
		`const u = new Uint8Array(32 << 20); for (let i = 0; i < 1e4; i++) u.indexOf(1)`,
		`const s = "x".repeat(1 << 20); s.indexOf("x".repeat(1 << 19) + "y")`,
		`let p = {}; for (let i = 0; i < 3e5; i++) p = Object.create(p); for (let i = 0; i < 9e3; i++) p.x`,
		`let b = 3n; for (let i = 0; i < 22; i++) b *= b`,
		`for (let i = 0; i < 9e3; i++) Reflect.apply(Math.max, null, { length: 5e4 })`,
		`throw { get message() { for (;;); }, toString() { for (;;); } }`,
		`throw Object.defineProperty(new Error("x"), "message", { get() { for (;;); } })`,
	} {
		h := &deadline{at: time.Now().Add(100 * time.Millisecond)}
		v := newIsolate(t, e, isolate.Spec{Memory: 128 << 20, Host: h})
		if err := v.Load("index.js", "export default () => {\n"+body+"\n}", false); err != nil {
			t.Fatal(err)
		}
		begin, used := time.Now(), cpuTime()
		if _, err := v.Call("run"); !errors.Is(err, isolate.ErrInterrupted) {
			t.Errorf("%s: got %v", body, err)
		}
		if d := min(time.Since(begin), cpuTime()-used); d > 3*time.Second {
			t.Errorf("%s: took %v", body, d)
		}
	}
}

// untilCollected is a host that interrupts once a collection of the Go heap is over.
type untilCollected struct {
	benchHost
	once sync.Once
	over atomic.Bool
}

func (h *untilCollected) Interrupted() bool {
	h.once.Do(func() {
		go func() {
			runtime.GC()
			h.over.Store(true)
		}()
	})
	return h.over.Load()
}

func (h *untilCollected) Due() bool          { return h.Interrupted() }
func (h *untilCollected) CPU() time.Duration { return cpuTime() }

// A built-in that is soon at its end when its isolate's time is over ends by itself.
func TestBuiltInsThatEndSoonAreNotCut(t *testing.T) {
	e := newEngine(t, tiny())
	h := &soon{}
	v := newIsolate(t, e, isolate.Spec{Host: h})
	if err := v.Load("index.js", `export default () => [].indexOf.call({ length: 1e5 }, 1)`, false); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Call("run"); err != nil || got != float64(-1) || h.asked == 0 {
		t.Errorf("got %v %v after %d polls", got, err, h.asked)
	}
}

// soon is a host whose isolate's time is over, and says so to polls only.
type soon struct {
	benchHost
	asked int
}

func (s *soon) Due() bool { s.asked++; return true }

// A collection stops all threads. It does not wait for a built-in to end: this one would take hours.
func TestCollectionsDoNotWait(t *testing.T) {
	e := newEngine(t, tiny())
	v := newIsolate(t, e, isolate.Spec{Host: &untilCollected{}})
	if err := v.Load("index.js", "export default () => Array.prototype.reverse.call({ length: 2 ** 53 - 1 })", false); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Call("run"); !errors.Is(err, isolate.ErrInterrupted) {
		t.Errorf("got %v", err)
	}
}

// Every loop of the engine counts down, but for those around the interpreter's
// choice of the next step, and so does every copy; the call is of what asks.
func TestEveryLoopPolls(t *testing.T) {
	module := wasm(t)
	polled, err := addPolls(module)
	if err != nil {
		t.Fatal(err)
	}
	before, after := functions(module), functions(polled)
	if len(before) != len(after) || len(before) < 1000 {
		t.Fatalf("%d functions became %d", len(before), len(after))
	}
	ask, left := -1, 0
	sections(module, func(id byte, s *wasmReader) {
		var p polls
		switch id {
		case sectionImport:
			p = polls{ask: -1}
			p.imports(s)
			ask, left = p.ask, p.left
		case sectionGlobal:
			left += s.number()
		}
	})
	p := polls{ask: ask, left: left, size: left + 1}
	loops, copies, free := 0, 0, 0
	for i := range before {
		want := 0
		r := &wasmReader{before[i]}
		for n := r.number(); n > 0; n-- {
			r.leb()
			r.byte()
		}
		table := false
		for len(r.in) > 0 {
			switch op, number := r.instruction(); {
			case op == opLoop:
				want++
			case op == opMore && (number == moreCopy || number == moreFill):
				copies++
				if !bytes.Contains(after[i], p.copied()) {
					t.Errorf("function %d copies without a count", i)
				}
			case op == opBrTable && number >= stepsMin:
				table = true
			}
		}
		have := bytes.Count(after[i], p.round())
		loops += have
		if table {
			free += want - have
		} else if have != want {
			t.Errorf("function %d has %d loops, and %d count down", i, want, have)
		}
	}
	t.Logf("%d loops and %d copies count, %d loops do not", loops, copies, free)
	if loops < 1000 || copies < 10 || free < 1 || free > 3 {
		t.Errorf("%d loops and %d copies count, %d loops do not", loops, copies, free)
	}
}

// sections tells of each section of a module.
func sections(module []byte, tell func(id byte, s *wasmReader)) {
	for r := (&wasmReader{module[wasmHeader:]}); len(r.in) > 0; {
		id := r.byte()
		tell(id, &wasmReader{r.bytes(r.number())})
	}
}

// functions are the bodies of a module's functions.
func functions(module []byte) (list [][]byte) {
	sections(module, func(id byte, s *wasmReader) {
		if id == sectionCode {
			for n := s.number(); n > 0; n-- {
				list = append(list, s.bytes(s.number()))
			}
		}
	})
	return list
}

// A module that is cut short is an error, wherever the cut is.
func TestPollsNeedAWholeModule(t *testing.T) {
	for code := wasm(t); len(code) > wasmHeader+1; code = code[:len(code)*9/10] {
		if _, err := addPolls(code[:len(code)-1]); !errors.Is(err, errWasmFormat) || err.Error() != "count the engine's loops: "+errWasmFormat.Error() {
			t.Errorf("%d bytes: got %v", len(code)-1, err)
		}
	}
}

// cpuTime is what this process has used: a bound on it holds on a busy machine too.
func cpuTime() time.Duration {
	var r unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// TestStopSaysWhere checks that the place where code was stopped is known.
func TestStopSaysWhere(t *testing.T) {
	e := newEngine(t, tiny())
	v := newIsolate(t, e, isolate.Spec{Host: &deadline{at: time.Now().Add(20 * time.Millisecond)}})
	if err := v.Load("index.js", "export default () => {\n  spin();\n}\nfunction spin() {\n  let i = 0;\n  for (;;) {\n    i++;\n  }\n}", false); err != nil {
		t.Fatal(err)
	}
	_, err := v.Call("run")
	var stop *isolate.Stop
	if !errors.As(err, &stop) || !strings.Contains(stop.Stack, "at spin (index.js:") || !strings.Contains(stop.Stack, "at default (index.js:2:") {
		t.Errorf("got %v, %+v", err, stop)
	}
}

// TestTraps checks that code which breaks the instance spends it and nothing else.
func TestTraps(t *testing.T) {
	e := newEngine(t, tiny())
	for _, body := range []string{
		`JSON.parse("[".repeat(1e6))`,
		`(0, eval)("(".repeat(1e5))`,
		`new RegExp("(".repeat(1e5))`,
		`let a = []; for (let i = 0; i < 1e6; i++) a = [a]; return JSON.stringify(a)`,
		`let f = () => {}; for (let i = 0; i < 1e5; i++) f = f.bind(null); f()`,
		`let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x`,
		`let s = ""; for (let i = 0; i < 3e5; i++) s = s + "abcdefghijklmnopqrstuvwxyz"; return s[3]`,
		`let o = {}; for (let i = 0; i < 1e6; i++) o = { o }; return structuredClone`,
		`"x".repeat(2 ** 30)`, `(1n << (2n ** 40n)).toString().length`, `new Array(2 ** 32 - 1).fill(1)`,
		`const b = new ArrayBuffer(8, { maxByteLength: 1 << 30 }); b.resize(1 << 29)`,
	} {
		h := &deadline{at: time.Now().Add(2 * time.Second)}
		v := newIsolate(t, e, isolate.Spec{Memory: 128 << 20, Host: h})
		if err := v.Load("index.js", "export default () => {\n"+body+"\n}", false); err != nil {
			t.Fatal(err)
		}
		_, err := v.Call("run")
		t.Logf("%.60s: %v", body, err)
	}
	v := newIsolate(t, e, isolate.Spec{})
	if err := v.Load("index.js", `export default () => "fine"`, false); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Call("run"); err != nil || got != "fine" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestMemoryAndPages(t *testing.T) {
	e := newEngine(t, tiny())
	v := newIsolate(t, e, isolate.Spec{})
	fresh := v.Memory()
	if fresh.Private > 256<<10 || fresh.Shared < 100<<10 || fresh.Limit != defaultMemory || fresh.Used < 50<<10 {
		t.Errorf("a fresh isolate holds %+v", fresh)
	}
	if err := v.Load("index.js", `const a = new Uint8Array(4 << 20).fill(1); export default () => a.length`, false); err != nil {
		t.Fatal(err)
	}
	m := v.Memory()
	if got := m.Private - fresh.Private; got < 4<<20 || got > 4<<20+256<<10 {
		t.Errorf("4 MiB more are %d bytes", got)
	}
	if got := m.Used - fresh.Used; got < 4<<20 || got > 5<<20 {
		t.Errorf("4 MiB more are %d bytes by the engine's count", got)
	}
	var private int64
	for _, p := range v.Pages() {
		if p == pagePrivate {
			private += pageSize
		}
	}
	if private != m.Private {
		t.Errorf("pages say %d, memory %d", private, m.Private)
	}
}

// TestIdle checks that an idle isolate gives back what it can and goes on as before.
func TestIdle(t *testing.T) {
	e := newEngine(t, tiny())
	if e.pagemap == nil {
		t.Skip("the kernel does not tell which pages are private")
	}
	v := newIsolate(t, e, isolate.Spec{})
	if err := v.Load("index.js", `let n = 0, keep = []; export default (deep) => {
		const down = (i) => i && down(i - 1); if (deep) down(1000); keep.push({ n }); return [++n, keep.length, keep[n - 1].n]; }`, false); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		got, err := v.Call("run", true)
		if want := []isolate.Value{float64(i + 1), float64(i + 1), float64(i)}; err != nil || !equal(got, want) {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
		busy := v.Memory().Private
		v.Idle()
		if idle := v.Memory().Private; idle > busy-256<<10 || idle > 200<<10 {
			t.Errorf("busy %d bytes, idle %d", busy, idle)
		}
	}
}

func TestImage(t *testing.T) {
	e := newEngine(t, enginetest.Bootstrap())
	var buf bytes.Buffer
	if err := e.WriteImage(&buf); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), e.Key())
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, file := range map[string]*os.File{"file": f, "inherited": e.Image()} {
		t.Run(name, func(t *testing.T) {
			other, err := New(t.Context(), Config{Wasm: wasm(t), Bootstrap: enginetest.Bootstrap(), Image: file, Cache: cacheDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			if name == "file" {
				if err := os.Truncate(path, 10); err != nil { // must not reach the isolates
					t.Fatal(err)
				}
			}
			enginetest.Run(t, other, enginetest.Traits{})
		})
	}
	refused := func(name string, data []byte, b isolate.Bootstrap, want string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "image")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		e, err := New(t.Context(), Config{Wasm: wasm(t), Bootstrap: b, Image: f, Cache: cacheDir()})
		if err == nil {
			e.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	good := buf.Bytes()
	refused("short", good[:10], enginetest.Bootstrap(), "cut short")
	refused("magic", append(bytes.Clone(good[:len(good)-1]), 'x'), enginetest.Bootstrap(), "another version")
	refused("bootstrap", good, tiny(), "another version of the engine or its bootstrap")
	refused("middle", good[4096:], enginetest.Bootstrap(), "damaged")
}

// TestNoLeaks opens and closes many isolates and counts what is left.
func TestNoLeaks(t *testing.T) {
	e := newEngine(t, enginetest.Bootstrap())
	count := func() (goroutines, files, maps int) {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc/self/fd: ", err)
		}
		f, err := os.Open("/proc/self/maps")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		return runtime.NumGoroutine(), len(fds), bytes.Count(b, []byte("\n"))
	}
	round := func(n int) {
		for range n {
			h := &benchHost{}
			iso, err := e.New(t.Context(), isolate.Spec{Host: h})
			if err != nil {
				t.Fatal(err)
			}
			oneRequest(t, iso, h)
			if err := iso.Close(); err != nil {
				t.Fatal(err)
			}
		}
		for len(e.ready) < cap(e.ready) {
			runtime.Gosched()
		}
	}
	round(20)
	g0, f0, m0 := count()
	round(1000)
	g1, f1, m1 := count()
	if g1 > g0+2 || f1 > f0 || m1 > m0+40 {
		t.Errorf("goroutines %d → %d, files %d → %d, mappings %d → %d", g0, g1, f0, f1, m0, m1)
	}
	if e.Live() != 0 {
		t.Errorf("%d isolates are said to live", e.Live())
	}
}

// TestValuesDoNotLeak passes many values through one isolate; references
// dropped too seldom would show as growth, too often as a crash.
func TestValuesDoNotLeak(t *testing.T) {
	e := newEngine(t, tiny())
	v := newIsolate(t, e, isolate.Spec{})
	if err := v.Load("index.js", `export default (x) => { if (x === "throw") throw new TypeError(x); return [x, [x], "s" + Math.random()]; }`, false); err != nil {
		t.Fatal(err)
	}
	round := func(n int) {
		for range n {
			for _, x := range []isolate.Value{"text", []byte("bytes"), []isolate.Value{1.5, "a", []isolate.Value{"b"}}, strings.Repeat("long", 3000), make([]byte, 20000)} {
				if _, err := v.Call("run", x); err != nil {
					t.Fatal(err)
				}
			}
			var exc *isolate.Exception
			if _, err := v.Call("run", "throw"); !errors.As(err, &exc) {
				t.Fatal(err)
			}
		}
	}
	round(50)
	before := v.Memory().Used
	round(500)
	if grown := v.Memory().Used - before; grown > 4096 {
		t.Errorf("500 rounds left %d bytes", grown)
	}
}

func FuzzValues(f *testing.F) {
	e := newEngine(f, tiny())
	v := newIsolate(f, e, isolate.Spec{})
	if err := v.Load("index.js", `export default (...a) => a`, false); err != nil {
		f.Fatal(err)
	}
	f.Add("text", []byte("bytes"), 1.5, 7, true)
	f.Add("\xed\xa0\x80 lone", []byte{}, math.Copysign(0, -1), -1<<31, false)
	f.Add("é\x00😀", []byte{0}, 5e-324, 1<<53, true)
	f.Fuzz(func(t *testing.T, s string, b []byte, n float64, i int, yes bool) {
		in := []isolate.Value{b, n, float64(i), yes, []isolate.Value{b, nil, n}}
		got, err := v.Call("run", append(in, s)...)
		if err != nil {
			t.Fatal(err)
		}
		list := got.([]isolate.Value)
		if n == n && !reflect.DeepEqual(list[:5], in) {
			t.Errorf("got %v, want %v", list, in)
		}
		// Text that is not UTF-8 comes back repaired, and then stays the same.
		again, err := v.Call("run", list[5])
		if err != nil || !equal(again, list[5:]) {
			t.Errorf("%q became %q, then %v, %v", s, list[5], again, err)
		}
	})
}
