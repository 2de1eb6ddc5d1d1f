package sandbox

import (
	"strings"
	"testing"
	"time"

	"coldstart/sandbox/trace"
)

// Static files answer before the Worker, unless they are asked otherwise.
func TestStaticFiles(t *testing.T) {
	s := open(t)
	k := key("files")
	deploy(t, s, k, map[string]string{
		"wrangler.jsonc": `{"name":"w","main":"w.js","compatibility_date":"2026-11-01","assets":{"directory":"public","binding":"ASSETS","not_found_handling":"single-page-application","run_worker_first":["/api/*"]},
			"services":[{"binding":"SITE","service":"site"},{"binding":"PAGES","service":"pages"}]}`,
		"w.js": `export default { async fetch(r, env) {
			const p = new URL(r.url).pathname, to = { "/api/own": env.ASSETS, "/api/site": env.SITE, "/api/pages": env.PAGES }[p];
			return to ? new Response([(await to.fetch("https://x/about")).status, await (await to.fetch("https://x/about")).text()].join(" ")) : new Response("worker " + p);
		} };`,
		"public/index.html": "home", "public/about.html": "about",
		"site/wrangler.jsonc": `{"name":"site","main":"s.js","compatibility_date":"2026-11-01","assets":{"directory":"files"}}`,
		"site/s.js":           `export default { fetch: () => new Response("site's worker") };`, "site/files/about.html": "about the site",
		"pages/wrangler.jsonc": `{"name":"pages","compatibility_date":"2026-11-01","assets":{"directory":"files"}}`, "pages/files/x.txt": "x",
	})
	for path, want := range map[string]string{
		"/": "home", "/about": "about", "/elsewhere": "home", "/api/x": "worker /api/x", "/api/own": "200 about", "/api/site": "200 about the site", "/api/pages": "404 ",
	} {
		if a := get(t, s, k, path); a.status != 200 || a.body != want {
			t.Errorf("%s: %d %q, want %q", path, a.status, a.body, want)
		}
	}
	a := get(t, s, k, "/about")
	var seen []string
	for _, e := range a.events {
		seen = append(seen, string(e.Kind))
	}
	if got := strings.Join(seen, " "); got != "phase log response body done" || a.sum.Status != 200 || a.sum.Isolate != "" {
		t.Errorf("events %s, summary %+v", got, a.sum)
	}
}

const ownEvents = `export default {
	async fetch(r, env) { await env.Q.send({ n: 1 }); return new Response("sent"); },
	queue(batch) { console.log("batch of " + batch.messages.length); },
	scheduled(c) { console.log("cron " + c.cron + " " + c.scheduledTime); if (c.cron === "0 0 1 1 *") throw new Error("new year"); },
};`

// What the platform gives to a Worker by itself is seen as requests are.
func TestOwnEventsAreSeen(t *testing.T) {
	type seen struct {
		typ string
		ev  trace.Event
	}
	events := make(chan seen, 64)
	k := key("own")
	s := open(t, func(c *Config) {
		c.Own = func(got Key, typ string) func(trace.Event) {
			if got != k {
				t.Errorf("asked for %+v", got)
			}
			return func(e trace.Event) { events <- seen{typ, e} }
		}
	})
	followed := make(chan Happened, 1)
	defer s.Follow(k, func(h Happened) { followed <- h })()
	deploy(t, s, k, map[string]string{
		"wrangler.jsonc": `{"name":"w","main":"w.js","compatibility_date":"2026-11-01","queues":{"producers":[{"binding":"Q","queue":"q"}],"consumers":[{"queue":"q","max_batch_timeout":0}]},"triggers":{"crons":["0 0 1 1 *"]}}`,
		"w.js":           ownEvents,
	})
	get(t, s, k, "/")
	late := time.After(time.Minute)
	for logged := ""; ; {
		select {
		case e := <-events:
			if e.ev.Kind == trace.KindLog {
				logged = e.typ + ": " + e.ev.Log.Text
			}
			if e.ev.Kind != trace.KindDone {
				continue
			}
			if logged != "queue: batch of 1" {
				t.Errorf("logged %q", logged)
			}
		case <-late:
			t.Fatal("the batch was not seen")
		}
		break
	}
	if h := <-followed; h.Type != "queue" || len(h.Events) == 0 || h.Events[len(h.Events)-1].Kind != trace.KindDone {
		t.Errorf("followed %+v", h)
	}
	trigger := func(r *Run) { r.Trigger = true }
	if a := get(t, s, k, TriggerPath+"?cron=*+*+*+*+*&time=7", trigger); a.status != 200 || a.body != "ok" || len(a.sum.Spans) == 0 {
		t.Errorf("trigger: %d %s", a.status, a.body)
	}
	if a := get(t, s, k, TriggerPath+"?cron=0+0+1+1+*", trigger); a.status != 500 || a.body != "exception" || a.sum.Fault == nil {
		t.Errorf("trigger that fails: %d %s", a.status, a.body)
	}
	if a := get(t, s, k, TriggerPath); a.body != "sent" {
		t.Errorf("a visitor started it: %s", a.body)
	}
}
