package lab

import (
	"slices"
	"strings"
	"testing"
)

func TestFence(t *testing.T) {
	labs := realLabs(t)
	limits := Fences{CPU: 80, Memory: 28, Wall: 600} // other ones than the standard: they are what stops
	i, err := labs.Fence(t.Context(), IsolationGroups, limits, func(*Isolation, string) {})
	if err != nil {
		t.Fatal(err)
	}
	if i.Process == 0 || len(i.Tenants) != 2 || i.Tenants[0].Isolate == i.Tenants[1].Isolate {
		t.Errorf("two isolates in one process: %+v", i)
	}
	got := map[string]Attempt{}
	for _, a := range i.Attempts {
		got[a.Name] = a
		if !a.Held || a.Wall == "" || a.Got == "" {
			t.Errorf("%+v", a)
		}
	}
	if len(got) != 13 {
		t.Errorf("%d attempts", len(got))
	}
	// The same bomb: alone in its Wasm memory, or with everybody in the process.
	if wasm := got["a memory bomb"].Got; !strings.Contains(wasm, "28 MiB") || !strings.Contains(wasm, "lives on") {
		t.Errorf("in Wasm: %q", wasm)
	}
	if loop := got["an endless loop"]; !strings.Contains(loop.Got, "80 ms") || !strings.Contains(loop.Wall, "80 ms") || !strings.Contains(loop.Got, "lives on") {
		t.Errorf("a loop: %+v", loop)
	}
	if wait := got["an endless wait"]; !strings.Contains(wait.Got, "600 ms") || wait.Took < 600_000 || !strings.Contains(wait.Got, "lives on") {
		t.Errorf("a wait: %+v", wait)
	}
	if goja := got["the same bomb in goja"].Got; !strings.Contains(goja, "died with it") {
		t.Errorf("in goja: %q", goja)
	}

	p99 := map[string]int64{}
	for _, n := range i.Phases {
		s := slices.Sorted(slices.Values(n.Samples))
		p99[n.Name] = s[len(s)*99/100-1]
		if len(s) != quietVisits || s[0] <= 0 {
			t.Errorf("%s: %d samples from %d µs", n.Name, len(s), s[0])
		}
		if (n.Loud > 0) != (n.Limit > 0) {
			t.Errorf("%s: %d loops", n.Name, n.Loud)
		}
	}
	t.Logf("p99 in µs: %v", p99)
	if on, off := p99["loops, limits on"], p99["loops, limits off"]; off <= on {
		t.Errorf("beside loops the quiet tenant's p99 is %d µs with limits and %d µs without", on, off)
	}
}
