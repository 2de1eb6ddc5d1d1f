package bundle

import (
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

// Rule files are learners': one that repeats a header or warns in each line costs
// what it weighs. Joined one by one, these values would be copied for minutes.
func TestAssetRulesFlood(t *testing.T) {
	b := &builder{}
	r := &assetRules{b: b, dir: "public", o: &trace.AssetOptions{}}
	const n = 200_000
	r.headers("/*\n" + strings.Repeat("x: 0123456789\n", n) + strings.Repeat("y\n", n))
	if len(r.o.Headers) != 1 || len(r.o.Headers[0].Set) != 1 {
		t.Fatalf("%d rules", len(r.o.Headers))
	}
	if got := r.o.Headers[0].Set[0]; got[0] != "x" || len(got[1]) != n*12-2 || !strings.HasPrefix(got[1], "0123456789, 0123456789, ") {
		t.Errorf("%s has %d bytes", got[0], len(got[1]))
	}
	if w := b.sortedWarnings(); len(w) != warningsMax+1 || w[warningsMax].Message != "More than 100 warnings; the rest is not shown: 199900." {
		t.Errorf("%d warnings, last %+v", len(w), w[len(w)-1])
	}
}
