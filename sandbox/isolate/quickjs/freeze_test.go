package quickjs

import (
	"errors"
	"testing"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/isolate/enginetest"
)

// counting counts its requests in a global, and can hold a megabyte more.
const counting = `let n = 0; const held = [];
export default {
	next() { return ++n; },
	grow() { held.push(new Uint8Array(4 << 20).fill(held.length + 1)); return held.length; },
	sum() { return held.reduce((a, b) => a + b[b.length - 1], 0); },
	random() { return Math.random(); },
};`

func counter(t *testing.T, e *Engine) *vm {
	t.Helper()
	iso, err := e.New(t.Context(), isolate.Spec{Memory: 32 << 20, Host: &benchHost{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = iso.Close() })
	return iso.(*vm)
}

func ask(t *testing.T, v *vm, name string) float64 {
	t.Helper()
	x, err := v.Call("run", name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return x.(float64)
}

func want(t *testing.T, what string, got, want float64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestFreezeForkRewind(t *testing.T) {
	e := newEngine(t, enginetest.Bootstrap())
	v := counter(t, e)
	if err := v.Load("index.js", counting, false); err != nil {
		t.Fatal(err)
	}
	ask(t, v, "next")
	ask(t, v, "grow")
	f, err := v.Freeze()
	if err != nil {
		t.Fatal(err)
	}
	written := func() (n int) {
		list, err := v.Written(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if s == isolate.PageWritten {
				n++
			}
		}
		return n
	}
	if n := written(); n != 0 {
		t.Errorf("%d pages are written right after freezing", n)
	}
	want(t, "after freezing", ask(t, v, "next"), 2)
	small := written()
	if small == 0 {
		t.Error("a request that counts wrote no page")
	}
	ask(t, v, "grow")
	ask(t, v, "grow")
	if n := written() - small; n < 2*(4<<20)/pageSize {
		t.Errorf("8 MiB more made %d pages written", n)
	}

	fork := counter(t, e)
	if err := fork.Thaw(f); err != nil {
		t.Fatal(err)
	}
	want(t, "the fork goes on where the original was frozen", ask(t, fork, "next"), 2)
	want(t, "the fork holds what the original held", ask(t, fork, "sum"), 1)
	want(t, "the original is not told", ask(t, v, "next"), 3)

	for range 3 { // back as often as one likes, also from a larger memory
		if err := v.Thaw(f); err != nil {
			t.Fatal(err)
		}
		if n := written(); n > 1 { // the page with the random state
			t.Errorf("%d pages differ right after rewinding", n)
		}
		want(t, "rewound", ask(t, v, "next"), 2)
		want(t, "rewound heap", ask(t, v, "sum"), 1)
		want(t, "grows again", ask(t, v, "grow"), 2)
		want(t, "sum of the new heap", ask(t, v, "sum"), 3)
	}
	want(t, "the fork is not told", ask(t, fork, "next"), 3)
	if ask(t, v, "random") == ask(t, fork, "random") {
		t.Error("two isolates thawed alike drew the same random number")
	}
}

func TestFreezeOfASpentIsolate(t *testing.T) {
	e := newEngine(t, enginetest.Bootstrap())
	v := counter(t, e)
	if err := v.Load("index.js", counting, false); err != nil {
		t.Fatal(err)
	}
	f, err := v.Freeze()
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = v.Call("run", "grow")
	}
	if !errors.Is(err, isolate.ErrMemory) {
		t.Fatalf("an isolate that only grows ended with %v", err)
	}
	if _, err := v.Freeze(); !errors.Is(err, isolate.ErrFreeze) {
		t.Errorf("a spent isolate was frozen: %v", err)
	}
	if err := v.Thaw(f); !errors.Is(err, isolate.ErrFreeze) {
		t.Errorf("a spent isolate was rewound: %v", err)
	}
}
