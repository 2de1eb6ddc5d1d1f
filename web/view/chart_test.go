package view

import (
	"fmt"
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

func TestFigures(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{Duration(0), "0 µs"},
		{Duration(38), "38 µs"},
		{Duration(999), "999 µs"},
		{Duration(1000), "1.00 ms"},
		{Duration(10610), "10.61 ms"},
		{Duration(412_000), "412 ms"},
		{Duration(2_400_000), "2.40 s"},
		{Duration(41_000_000), "41 s"},
		{Duration(180_000_000), "3 min"},
		{limit(50_000), "50 ms"},
		{size(2), "2 B"},
		{size(2048), "2.0 kB"},
		{size(372 << 10), "372 kB"},
		{size(32 << 20), "32 MB"},
		{size(1<<20 + 1<<19), "1.5 MB"},
		{count(1, "line"), "1 line"},
		{count(50000, "line"), "50,000 lines"},
		{grouped(-1234567), "-1,234,567"},
		{ordinal(1), "1st"},
		{ordinal(2), "2nd"},
		{ordinal(11), "11th"},
		{ordinal(23), "23rd"},
		{ordinal(112), "112th"},
		{minutes(9), "9 min"},
		{minutes(116), "1 h 56 min"},
		{percent(0.54456), "54.46%"},
		{percent(1), "100%"},
		{percent(0), "0%"},
		{percent(0.1), "10%"},
		{times(412, 38), "10.8"},
		{times(500, 5), "100"},
		{times(90, 30), "3"},
		{times(5, 0), "5"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestTicks(t *testing.T) {
	for end, want := range map[int64]string{
		0:          "0=0 µs",
		38:         "0=0 µs 0.26=10 0.53=20 0.79=30",
		412:        "0=0 µs 0.24= 0.49=200 0.73= 0.97=400",
		1000:       "0=0 µs 0.50=500 1.00=1000",
		4593:       "0=0 ms 0.22= 0.44=2 0.65= 0.87=4",
		10610:      "0=0 ms 0.47=5 0.94=10",
		25_000_000: "0=0 s 0.40=10 0.80=20",
	} {
		var got []string
		for _, m := range ticks(end) {
			got = append(got, fmt.Sprintf("%s=%s", strings.TrimSuffix(fmt.Sprintf("%.2f", m.at), ".00"), m.label))
		}
		joined := strings.Replace(strings.Join(got, " "), "1=1000", "1.00=1000", 1)
		if joined != want {
			t.Errorf("ticks(%d): got %q, want %q", end, joined, want)
		}
	}
}

func TestWaterfall(t *testing.T) {
	w := newWaterfall(sampleCold(), sampleWarm())
	if len(w.rows) != 6 || w.rows[0].name != "route" {
		t.Fatalf("rows %+v", w.rows)
	}
	start := w.rows[2]
	if start.name != "start" || !start.bars[0].there || start.bars[1].there {
		t.Errorf("start of a cold and a warm run: %+v", start)
	}
	for _, row := range w.rows {
		for _, b := range row.bars {
			if b.there && (b.x < 0 || b.width < minBar || b.x+b.width > 1+1e-9) {
				t.Errorf("%s leaves the chart: %+v", row.name, b)
			}
		}
	}
	if strong, _ := w.says(); strong != "10.8 times faster." {
		t.Errorf("says %q", strong)
	}
	calls := newWaterfall(nil, sampleCalls())
	var names []string
	for _, row := range calls.rows {
		names = append(names, strings.TrimSpace(row.name+" "+row.call))
	}
	want := "build,route,queue,start,load,handle,kv NOTES.get,fetch GET https://weather.example/api/v1/today?city=Utrecht,stream"
	if got := strings.Join(names, ","); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestCloud(t *testing.T) {
	c := newCloud(append(sampleSeries(), Series{Name: "none"}))
	if len(c.rows) != 3 || c.height != 174 {
		t.Fatalf("%d rows, height %d", len(c.rows), c.height)
	}
	for _, row := range c.rows {
		if len(row.dots) != 20 {
			t.Errorf("%s has %d dots", row.Name, len(row.dots))
		}
		for _, d := range row.dots {
			if d.x < 0 || d.x > 1 || d.y < row.top+20 || d.y > row.top+42 {
				t.Errorf("%s: dot at %.2f, %.1f", row.Name, d.x, d.y)
			}
		}
	}
	if c.rows[0].median < c.rows[1].median || c.rows[1].median < c.rows[2].median {
		t.Error("the slower series does not lie further right")
	}
	same := newCloud([]Series{{Name: "now", Temperature: trace.Warm, Samples: []int64{40, 40, 40}}})
	if x := same.rows[0].median; x < 0.4 || x > 0.6 {
		t.Errorf("equal samples lie at %.2f, not in the middle", x)
	}
}

func TestQuantile(t *testing.T) {
	samples := []int64{5, 1, 4, 2, 3}
	for q, want := range map[float64]int64{0: 1, 0.5: 3, 0.99: 5, 1: 5} {
		if got := quantile(samples, q); got != want {
			t.Errorf("quantile %.2f is %d, want %d", q, got, want)
		}
	}
	if samples[0] != 5 {
		t.Error("quantile sorted its argument")
	}
}

// A value without a tree is shown as a terminal shows it: Headers have no
// entries to unfold and are not empty.
func TestLogLineText(t *testing.T) {
	object := []trace.Value{{Type: "object", Text: "Headers"}}
	for _, test := range []struct {
		log  trace.Log
		want string
	}{
		{trace.Log{Text: "Headers(1) { 'a' => 'b' }", Args: object}, `<div class="log_text">Headers(1) { &#39;a&#39; =&gt; &#39;b&#39; }</div>`},
		{trace.Log{Text: "Headers(1) {\n  'a' => 'b'\n}", Args: object}, "<summary>Headers(1) { &#39;a&#39; =&gt; &#39;b&#39; }</summary>"},
		{trace.Log{Text: "Error: no\n    at f", Args: []trace.Value{{Type: "error", Text: "Error: no"}}}, "<summary>Error: no</summary>"},
		{trace.Log{Text: strings.Repeat("é", 300)}, "<summary>" + strings.Repeat("é", 200) + "</summary>"},
		{trace.Log{Text: "{ a: 1 }", Args: []trace.Value{{Type: "object", Entries: []trace.Entry{{Key: "a", Value: trace.Value{Type: "number", Text: "1"}}}}}}, "<details><summary>{ a: 1 }</summary>"},
	} {
		var b strings.Builder
		if err := logLine(LogLine{Log: test.log}).Render(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), test.want) {
			t.Errorf("%q is shown as\n%s\nwant\n%s", test.log.Text, b.String(), test.want)
		}
	}
}

func TestPageMap(t *testing.T) {
	pages := make([]byte, 300)
	pages[0], pages[1], pages[65], pages[66] = 1, 1, 2, 1
	m := newPageMap(pages, []int{65, 9999})
	if m.nShared != 3 || m.nPrivate != 1 || m.nNew != 1 || m.untouched != 296 {
		t.Errorf("counts %+v", m)
	}
	if m.height != 20 { // 67 pages in rows of 64
		t.Errorf("height %d", m.height)
	}
	if want := "m1 1h8v8h-8zm10 0h8v8h-8zm10 10h8v8h-8z"; m.shared != want {
		t.Errorf("shared cells %q, want %q", m.shared, want)
	}
	if empty := newPageMap(nil, nil); empty.height != 0 || empty.shared != "" {
		t.Errorf("empty map %+v", empty)
	}
}

func TestArgText(t *testing.T) {
	num := func(s string) trace.Value { return trace.Value{Type: "number", Text: s} }
	for _, test := range []struct {
		v    trace.Value
		want string
	}{
		{trace.Value{Type: "string", Text: "hi"}, "hi"},
		{num("3"), "3"},
		{trace.Value{Type: "undefined"}, "undefined"},
		{trace.Value{Type: "array"}, "[]"},
		{trace.Value{Type: "array", Entries: []trace.Entry{{Key: "0", Value: num("1")}}, More: 2}, "[ 1, … ]"},
		{trace.Value{Type: "object", Entries: []trace.Entry{{Key: "a", Value: trace.Value{Type: "string", Text: "x"}}}}, `{ a: "x" }`},
		{trace.Value{Type: "object", Text: "User", Entries: []trace.Entry{{Key: "a", Value: num("1")}}}, "User { a: 1 }"},
		{trace.Value{Type: "map", Text: "Map(1)", Entries: []trace.Entry{{Key: "k", Value: num("1")}}}, "Map(1) { k: 1 }"},
		{trace.Value{Type: "function", Text: "ƒ build()"}, "ƒ build()"},
	} {
		if got := argText(test.v, true); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
