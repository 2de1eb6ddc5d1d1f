package bundle

import (
	"context"
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

func TestAssignedConstantsThrowWhenTheyRun(t *testing.T) {
	source := "const a = 1;\nlet b; [b] = [2];\nfunction f() { a++; } function g() { a = b; }\nexport default { fetch() { try { f(); g(); } catch (e) { return new Response(e.name + typeof require); } } };\n"
	d := Build(context.Background(), Config{}, trace.Project{Files: map[string][]byte{"worker.js": []byte(source)}})
	if d.Fault != nil {
		t.Fatalf("refused: %s", d.Fault.Message)
	}
	code := d.Workers[0].Code
	for _, want := range []string{assigned + "a++", assigned + "a = b", `e.name + "undefined"`} {
		if !strings.Contains(code, want) {
			t.Errorf("the code has no %q:\n%s", want, code)
		}
	}
	if len(d.Warnings) < 2 || !strings.Contains(d.Warnings[0].Message, "changing it throws") {
		t.Errorf("warnings: %v", d.Warnings)
	}
	// No engine runs TypeScript as it is: there the bundler's refusal stands.
	d = Build(context.Background(), Config{}, trace.Project{Files: map[string][]byte{"index.ts": []byte(source)}})
	if d.Fault == nil || !strings.Contains(d.Fault.Message, "is a constant") {
		t.Errorf("TypeScript: %v", d.Fault)
	}
}
