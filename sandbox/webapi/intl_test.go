package webapi_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestIntl compares with what V8 with full ICU data answers: each line of
// testdata/intl.txt is an expression and, behind a tab, its JSON there. d is
// 2026-01-05T15:04:09.078Z. Offset zones are from the specification.
func TestIntl(t *testing.T) {
	data, err := os.ReadFile("testdata/intl.txt")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	code.WriteString("const d = new Date(Date.UTC(2026, 0, 5, 15, 4, 9, 78));\nconst of = (f) => { try { return JSON.stringify(f()); } catch (e) { return `${e}`; } };\n")
	code.WriteString("export default { fetch() { return Response.json([\n")
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for _, l := range lines {
		expr, _, _ := strings.Cut(l, "\t")
		code.WriteString("of(() => " + expr + "),\n")
	}
	code.WriteString("]); } };\n")
	status, body, sum := serve(t, map[string]string{"worker.js": code.String()})("/")
	var got []string
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got) != len(lines) {
		t.Fatalf("%d, %d answers, %v: %+v", status, len(got), err, sum.Fault)
	}
	for i, l := range lines {
		if expr, want, _ := strings.Cut(l, "\t"); got[i] != want {
			t.Errorf("%s\n got %s\nwant %s", expr, got[i], want)
		}
	}
}
