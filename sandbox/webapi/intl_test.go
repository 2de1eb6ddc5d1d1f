package webapi_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

// TestIntl compares with what V8 with full ICU data answers: each line of
// testdata/intl.txt is an expression and, behind a tab, its JSON there. d is
// 2026-01-05T15:04:09.078Z. Offset zones are from the specification.
func TestIntl(t *testing.T) {
	compareLines(t, "testdata/intl.txt", "const d = new Date(Date.UTC(2026, 0, 5, 15, 4, 9, 78));\nconst of = (f) => { try { return JSON.stringify(f()); } catch (e) { return `${e}`; } };\n")
}

// compareLines evaluates the expressions of a file in a Worker that begins with
// head, whose function of gives an answer's text, and compares: each line is an
// expression and, behind a tab, what is wanted.
func compareLines(t *testing.T, file, head string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	code.WriteString(head + "export default { fetch() { return Response.json([\n")
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for _, l := range lines {
		expr, _, _ := strings.Cut(l, "\t")
		code.WriteString("of(() => (" + expr + ")),\n")
	}
	code.WriteString("]); } };\n")
	status, body, sum := serve(t, map[string]string{"worker.js": code.String(), "wrangler.jsonc": `{"name": "main", "main": "worker.js", "compatibility_date": "2026-11-01"}`})("/")
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

// What Intl lacks here is said in the log, or thrown, and never just left out.
func TestIntlSays(t *testing.T) {
	for expr, want := range map[string]string{
		`(1.5).toLocaleString("ar-EG")`:                                                                    `no data for "ar"`,
		`(1.5).toLocaleString("es-BO")`:                                                                    `no number formats of "es-BO"`,
		`new Date(0).toLocaleDateString("ko-KR")`:                                                          `no data for "ko"`,
		`new Date(0).toLocaleDateString("fr-CA")`:                                                          `no date formats of "fr-CA"`,
		`new Date(0).toLocaleDateString("ja-JP-u-ca-japanese")`:                                            `the calendar "japanese" is not available here`,
		`new Intl.DateTimeFormat("de", { hour: "numeric", hour12: true, dayPeriod: "long" }).format(0)`:    `no day periods of "de"`,
		`new Intl.DateTimeFormat("de", { timeStyle: "full" }).format(0)`:                                   `no names of time zones in "de"`,
		`new Intl.DateTimeFormat("en", { timeStyle: "full", timeZone: "Asia/Dubai" }).format(0)`:           `no name of the time zone "Asia/Dubai"`,
		`new Intl.DateTimeFormat("de").formatRange(0, 1e9)`:                                                `both ends of a range in full`,
		`(5).toLocaleString("de", { style: "unit", unit: "day", unitDisplay: "long" })`:                    `no units of "de"`,
		`(5).toLocaleString("de", { style: "currency", currency: "EUR", currencyDisplay: "name" })`:        `no names of currencies in "de"`,
		`new Intl.NumberFormat("en", { roundingIncrement: 5, maximumFractionDigits: 2 }).format(1)`:        `roundingIncrement is not available here`,
		`new Intl.DisplayNames("fr", { type: "currency" }).of("USD")`:                                      `no names of currencies in "fr"`,
		`new Intl.RelativeTimeFormat("lt").format(1, "day")`:                                               `no data for "lt"`,
		`[...new Intl.Segmenter("th", { granularity: "word" }).segment("สวัสดี")].length`:                  `no dictionaries`,
		`new Intl.DurationFormat("de").format({ hours: 1 })`:                                               `no data for "de"`,
		`new Intl.DurationFormat("en", { style: "digital" }).format({ seconds: 1, milliseconds: 5 })`:      `not available here`,
		`["가", "a"].sort(new Intl.Collator("ko").compare)`:                                                 `puts Latin letters before others`,
		`new Intl.Locale("en").getWeekInfo()`:                                                              `getWeekInfo() is not available here`,
		`Intl.supportedValuesOf("timeZone")`:                                                               `there is more on Workers`,
		`(5).toLocaleString("de-DE") + new Date(0).toLocaleString("de-DE") + "a".localeCompare("b", "en")`: "",
	} {
		d := newDoor(t)
		key := sandbox.Key{Learner: t.Name() + expr}
		deployMain(t, d, key, trace.Project{Files: map[string][]byte{"worker.js": []byte("export default { fetch() { try { " + expr + "; } catch (e) { console.warn(e.message); } return new Response(); } };")}, Limits: trace.Limits{CPU: time.Second, Wall: 2 * time.Minute}})
		var mu sync.Mutex
		said := ""
		r, err := d.Invoke(t.Context(), sandbox.Run{Key: key, Worker: "main", Type: "fetch", Method: "GET", URL: "http://example.com/", Watch: func(e trace.Event) {
			if l := e.Log; l != nil {
				mu.Lock()
				defer mu.Unlock()
				said += fmt.Sprintf("%+v", *l)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Summary(t.Context()); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		if got := said; want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
		mu.Unlock()
		if err := d.Evict(t.Context(), key, ""); err != nil {
			t.Error(err)
		}
	}
}
