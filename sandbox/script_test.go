package sandbox

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"coldstart/sandbox/trace"
)

func TestScript(t *testing.T) {
	s := open(t)
	slow := slowdown()
	echo := func(_ context.Context, op string, args []any) (any, error) {
		if op == "fail" {
			return nil, errors.New("refused")
		}
		return append([]any{op}, args...), nil
	}
	for _, c := range []struct {
		name, source, want string
		kind               trace.FaultKind
		line               int
	}{
		{"value", "export default 1 + 1;", "2", "", 0},
		{"none", "const x = 1;", "null", "", 0},
		{"call", "export default host.call('a', 1, 'b', [true]);", `["a",1,"b",[true]]`, "", 0},
		{"async", "async function* g() { yield await host.call('x'); }\nasync function f() { for await (const v of g()) return v; }\nexport default f();", `["x"]`, "", 0},
		{"caught", "export default host.call('fail').catch((e) => 'caught ' + e.message);", `"caught refused"`, "", 0},
		{"throw", "const a = 1;\n\nfunction f() {\n  throw new TypeError('no');\n}\nf();", "", trace.FaultException, 4},
		{"rejected", "async function f() {\n  await host.call('x');\n  throw new Error('late');\n}\nf();", "", trace.FaultException, 3},
		{"loop", "let a = 0;\nfunction f() {\n  for (;;) a += Math.sqrt(a);\n}\nf();", "", trace.FaultCPU, 3},
		{"syntax", "export default {;", "", trace.FaultBuild, 1},
		{"native", "'x'.repeat(2 ** 28).repeat(100);", "", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := time.Now()
			got, fault, err := s.Script(t.Context(), Script{Learner: "i", Name: "checks.js", Source: c.source, Limits: trace.Limits{CPU: 200 * time.Millisecond}, Call: echo})
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(at); took > 8*time.Second && took > within(8*time.Second, slow) {
				t.Errorf("it took %v", took)
			}
			if c.name == "native" { // it may end in several ways, but it ends
				t.Log(fault)
				return
			}
			if c.kind == "" {
				if fault != nil || string(got) != c.want {
					t.Errorf("%s %+v, want %s", got, fault, c.want)
				}
				return
			}
			if fault == nil || fault.Kind != c.kind {
				t.Fatalf("%s %+v, want %s", got, fault, c.kind)
			}
			if c.line > 0 && (len(fault.Frames) == 0 || fault.Frames[0].Line != c.line || fault.Frames[0].File != "checks.js") {
				t.Errorf("frames %+v, want line %d", fault.Frames, c.line)
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, _, err := s.Script(ctx, Script{Name: "checks.js", Source: "export default host.call('wait');", Call: func(ctx context.Context, _ string, _ []any) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	if err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("a script whose caller went away: %v", err)
	}
}
