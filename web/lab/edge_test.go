package lab

import (
	"errors"
	"math"
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

// Distances that anybody can look up, to a half per cent.
func TestDistance(t *testing.T) {
	for _, c := range []struct {
		from, to string
		km       float64
	}{
		{"Amsterdam", "Sydney", 16640},
		{"Amsterdam", "Tokyo", 9300},
		{"Amsterdam", "Madrid", 1480},
		{"Amsterdam", "São Paulo", 9790},
		{"Tokyo", "Lima", 15480}, // over the date line
		{"Lagos", "Lagos", 0},
	} {
		a, _ := FindCity(c.from)
		b, ok := FindCity(c.to)
		if got := Distance(a, b); !ok || math.Abs(got-c.km) > 0.006*c.km {
			t.Errorf("%s to %s: %.0f km, want %.0f", c.from, c.to, got, c.km)
		}
		if Distance(a, b) != Distance(b, a) {
			t.Errorf("%s to %s depends on the direction", c.from, c.to)
		}
	}
}

func TestWaits(t *testing.T) {
	n := Network{Data: "Amsterdam", Calls: 4, Factor: 1.5, LastMile: 10}
	if rt := n.RoundTrip(1000); math.Abs(rt-15) > 1e-9 {
		t.Errorf("a round trip over 1000 km takes %v ms", rt)
	}
	w := n.Waits()
	if len(w) != 8 {
		t.Fatalf("%d cities", len(w))
	}
	for _, c := range w[1:] {
		// Four crossings against one.
		if c.Edge < 3*c.Central-40 || c.Central < 10+c.Km*0.015-1e-9 {
			t.Errorf("%s: %+v", c.City.Name, c)
		}
	}
	n.Cached = 1
	for _, c := range n.Waits()[1:] {
		if c.Edge >= c.Central || math.Abs(c.Edge-10-c.City.Edge*0.015) > 1e-9 {
			t.Errorf("all cached, %s: %+v", c.City.Name, c)
		}
	}
}

func TestMeasureEdge(t *testing.T) {
	labs := realLabs(t)
	slow := project("export default { async fetch() { await new Promise((r) => setTimeout(r, 20)); return new Response('x') } };")
	e, err := labs.MeasureEdge(t.Context(), learner, slow, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Warm) != edgeWarm || len(e.Cold) != edgeCold || e.Median() < 19 || !e.Own || e.Machine == "" {
		t.Errorf("got %d warm around %v ms, %d cold", len(e.Warm), e.Median(), len(e.Cold))
	}
	_, err = labs.MeasureEdge(t.Context(), learner, project("export default { fetch() {\n throw new Error('no') } };"), func(string) {})
	var code *CodeError
	if !errors.As(err, &code) || !strings.HasPrefix(code.Message, "index.js:2: ") {
		t.Errorf("got %v", err)
	}
}

func TestAsk(t *testing.T) {
	labs := realLabs(t)
	entry := `import { double } from "./m.js"; export default { async fetch(r) { return Response.json(double(await r.json())); } };`
	ask := func(module string) (int, error) {
		var out int
		p := trace.Project{Files: map[string][]byte{"m.js": []byte(module), "wrangler.jsonc": []byte("{ broken")}}
		err := labs.Ask(t.Context(), learner, p, entry, 21, &out)
		return out, err
	}
	if n, err := ask("export const double = (n) => 2 * n;"); n != 42 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	for module, want := range map[string]string{
		"export const double = (n) =>\n n.foo();":       "m.js:2: ",
		"export const double = (n) =>":                  "m.js:1: ",
		"export const double = () => 'x';":              "the answer has an unexpected form",
		"export const double = () => 'x'.repeat(3e5);":  "the answer is larger than 256 kB",
		"export const double = () => { for (;;) { } };": "m.js:1: ",
	} {
		var code *CodeError
		if _, err := ask(module); !errors.As(err, &code) || !strings.HasPrefix(code.Message, want) {
			t.Errorf("%s: %v", module, err)
		}
	}
}
