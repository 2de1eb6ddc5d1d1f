package sandbox

import (
	"testing"
	"time"

	"coldstart/sandbox/trace"
)

// TestStopsSayWhere checks that code which was stopped is told what stopped it
// and on which line it was, whatever it did to the tools that tell.
func TestStopsSayWhere(t *testing.T) {
	s := open(t)
	loop := "function spin() {\n  for (let i = 0; ; i++) {\n    String(i);\n  }\n}\n"
	limits := trace.Default()
	short := limits
	short.CPU, short.Wall = 2*time.Second, 200*time.Millisecond
	for _, test := range []struct {
		name, source string
		limits       trace.Limits
		kind         trace.FaultKind
		line         int // of the innermost frame or the one before it: either line of the loop; 0 for none
	}{
		{"cpu", loop + "export default { fetch() { spin(); } };\n", limits, trace.FaultCPU, 2},
		{"cpu after an await", loop + "export default { async fetch() { await null; spin(); } };\n", limits, trace.FaultCPU, 2},
		{"cpu in a timer", loop + "export default { async fetch() { await new Promise(() => setTimeout(spin, 1)); } };\n", limits, trace.FaultCPU, 2},
		{"cpu with patched errors", loop + "Object.defineProperty(Error.prototype, 'stack', { get() { for (;;); } });\nexport default { fetch() { spin(); } };\n", limits, trace.FaultCPU, 2},
		{"wall", loop + "export default { fetch() { spin(); } };\n", short, trace.FaultWall, 2},
		{"memory", "export default {\n  fetch() {\n    const a = [];\n    for (;;) a.push(new Uint8Array(1 << 16).fill(1));\n  },\n};\n", limits, trace.FaultMemory, 0},
		{"memory at once", "export default {\n  fetch() {\n    return new Response('x'.repeat(1 << 29));\n  },\n};\n", limits, trace.FaultMemory, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := key("stops")
			deploy(t, s, k, map[string]string{"src/index.js": test.source}, test.limits)
			f := get(t, s, k, "/").sum.Fault
			if f == nil || f.Kind != test.kind {
				t.Fatalf("got %+v, want %s", f, test.kind)
			}
			if test.line == 0 {
				return
			}
			if len(f.Frames) == 0 || f.Frames[0].File != "src/index.js" || f.Frames[0].Line < test.line || f.Frames[0].Line > test.line+1 || f.Code == "" {
				t.Errorf("frames %+v, code %q; want src/index.js:%d", f.Frames, f.Code, test.line)
			}
		})
	}
}
