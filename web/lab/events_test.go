package lab

import (
	"fmt"
	"slices"
	"testing"
)

func TestWake(t *testing.T) {
	t.Parallel() // it mostly waits
	labs := realLabs(t)
	drawn := 0
	e, err := labs.Wake(t.Context(), "ada", nil, EventTriggers, func(*Events, string) { drawn++ })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	crons := 0
	for _, i := range e.Items {
		if i.Trigger == "cron" {
			crons++
		} else {
			got = append(got, fmt.Sprint(i.Trigger, " ", i.Handler, " ", i.Attempt, " ", i.End))
		}
		if i.Worker != "archive" || i.Took <= 0 {
			t.Errorf("%+v", i)
		}
	}
	want := []string{"http fetch 0 ok", "upload queue 1 ok", "repeat queue 1 ok", "row queue 1 ok", "odd queue 1 retry", "odd queue 2 retry", "odd queue 3 ok", "http fetch 0 ok"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if crons != 12 {
		t.Errorf("every second hour of a day is %d invocations", crons)
	}
	if first, last := e.Items[0], e.Items[len(e.Items)-1]; first.Said != "200 0 records" || last.Said != "200 3 records" {
		t.Errorf("before %q, after %q: the repeat should add no record", first.Said, last.Said)
	}
	for when, q := range map[string]Quiet{"before": e.Before, "after": e.After} {
		if q.Invocations != 0 || q.Isolates != 0 || q.Took < eventsQuiet.Microseconds() {
			t.Errorf("quiet %s: %+v", when, q)
		}
	}
	most := 0
	for _, s := range e.Samples {
		most = max(most, s.Isolates)
	}
	if last := e.Samples[len(e.Samples)-1]; e.Samples[0].Isolates != 0 || most == 0 || last.Isolates != 0 {
		t.Errorf("isolates: %+v", e.Samples)
	}
	if drawn < len(e.Items) {
		t.Errorf("drawn %d times for %d items", drawn, len(e.Items))
	}
}

// A handler that cannot take a message gets it again until the queue gives up.
func TestWakeWithAHandlerThatThrows(t *testing.T) {
	t.Parallel()
	labs := realLabs(t)
	own := project(`export default { fetch: () => new Response("x"), queue(batch) { throw new Error("no") } };`)
	own.Files["wrangler.jsonc"] = []byte(`{ "name": "w", "main": "index.js", "compatibility_date": "2026-11-01", "queues": { "consumers": [{ "queue": "q" }] } }`)
	e, err := labs.Wake(t.Context(), "ada", own, []string{"row", "cron"}, func(*Events, string) {})
	if err != nil {
		t.Fatal(err)
	}
	var ends []string
	for _, i := range e.Items {
		ends = append(ends, i.Trigger+" "+i.End)
	}
	if want := []string{"row retry", "row retry", "row retry", "row failed", "cron ok"}; !slices.Equal(ends, want) {
		t.Errorf("got %q, want %q: %+v", ends, want, e.Items)
	}
}
