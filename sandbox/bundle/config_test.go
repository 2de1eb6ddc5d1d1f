package bundle

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coldstart/sandbox/trace"
)

const everythingJSONC = `{
	// every kind of binding
	"$schema": "node_modules/wrangler/config-schema.json",
	"name": "shop",
	"main": "src/index.ts",
	"compatibility_date": "2026-10-01",
	"compatibility_flags": ["no_nodejs_compat"],
	"observability": { "enabled": true },
	"vars": { "NAME": "x", "LIST": [1, { "a": null }] },
	"kv_namespaces": [{ "binding": "NOTES" }, { "binding": "OTHER", "id": "abc" }],
	"d1_databases": [{ "binding": "DB", "database_name": "shop" }],
	"r2_buckets": [{ "binding": "FILES", "bucket_name": "files" }],
	"queues": {
		"producers": [{ "binding": "JOBS", "queue": "jobs" }],
		"consumers": [{ "queue": "jobs" }, { "queue": "dead", "max_batch_size": 1, "max_batch_timeout": 0, "max_retries": 0, "dead_letter_queue": "x", "retry_delay": 7 }],
	},
	"durable_objects": { "bindings": [{ "name": "COUNTER", "class_name": "Counter" }, { "name": "FAR", "class_name": "Far", "script_name": "other" }] },
	"migrations": [{ "tag": "v1", "new_classes": ["Old"], "new_sqlite_classes": ["Gone"] }, { "tag": "v2", "renamed_classes": [{ "from": "Old", "to": "Counter" }], "deleted_classes": ["Gone"] }],
	"services": [{ "binding": "AUTH", "service": "auth", "entrypoint": "Admin", "props": { "a": 1 } }],
	"assets": { "directory": "./public", "binding": "ASSETS", "not_found_handling": "404-page", "run_worker_first": ["/api/*"] },
	"routes": ["shop.example.com/*", { "pattern": "example.com/a*", "zone_name": "example.com" }, { "pattern": "www.example.com", "custom_domain": true }, { "pattern": "shop.example.com/static/*", "script": null }],
	"triggers": { "crons": ["*/5 * * * *", "0 12 L * mon-fri", "0 0 * * 6#2"] },
	"ratelimits": [{ "name": "LIMITER", "namespace_id": "1001", "simple": { "limit": 10, "period": 60 } }],
	"analytics_engine_datasets": [{ "binding": "HITS" }],
	"version_metadata": { "binding": "VERSION" },
	"limits": { "cpu_ms": 20 },
}
`

const everythingTOML = `
name = "shop"
main = "src/index.ts"
compatibility_date = "2026-10-01"
compatibility_flags = ["no_nodejs_compat"]
routes = ["shop.example.com/*", { pattern = "example.com/a*", zone_name = "example.com" }, { pattern = "www.example.com", custom_domain = true }, "shop.example.com/static/*"]
kv_namespaces = [{ binding = "NOTES" }, { binding = "OTHER", id = "abc" }]

[observability]
enabled = true

[vars]
NAME = "x"
LIST = [1, { a = 2 }]

[triggers]
crons = ["*/5 * * * *", "0 12 L * mon-fri", "0 0 * * 6#2"]

[[durable_objects.bindings]]
name = "COUNTER"
class_name = "Counter"
`

func everything() trace.Project {
	return files(
		"wrangler.jsonc", everythingJSONC,
		"src/index.ts", "export class Counter {}\n"+hello,
		"public/index.html", "<h1>hi</h1>", "public/a/b.css", "a{}",
		".dev.vars", "# secret\nTOKEN = \"s3cret\"\nexport NAME='overridden'\n",
		"auth/wrangler.toml", "name = 'auth'\ncompatibility_date = '2026-10-01'\n", "auth/index.js", "export class Admin {}\n"+hello,
		"other/wrangler.json", `{"compatibility_date": "2026-10-01"}`, "other/src/index.js", "export class Far {}\n"+hello)
}

func TestConfig(t *testing.T) {
	d := build(t, Config{}, everything())
	if d.Fault != nil {
		t.Fatalf("%+v", d.Fault)
	}
	if len(d.Warnings) > 0 {
		t.Errorf("warnings: %+v", d.Warnings)
	}
	var names []string
	for _, w := range d.Workers {
		names = append(names, w.Name+" "+w.Main)
	}
	if got := strings.Join(names, ", "); got != "shop src/index.ts, auth auth/index.js, other other/src/index.js" {
		t.Errorf("workers are %s", got)
	}
	w := d.Workers[0]
	want := []trace.Binding{
		{Name: "LIST", Type: "json", Value: `[1,{"a":null}]`},
		{Name: "NOTES", Type: "kv", ID: "local-NOTES"},
		{Name: "OTHER", Type: "kv", ID: "abc"},
		{Name: "DB", Type: "d1", ID: "shop"},
		{Name: "FILES", Type: "r2", ID: "files"},
		{Name: "JOBS", Type: "queue", ID: "jobs"},
		{Name: "COUNTER", Type: "durable", Class: "Counter"},
		{Name: "FAR", Type: "durable", Class: "Far", Service: "other"},
		{Name: "AUTH", Type: "service", Service: "auth", Entrypoint: "Admin", Props: `{"a":1}`},
		{Name: "ASSETS", Type: "assets", Value: `{"not_found_handling":"404-page","run_worker_first":["/api/*"]}`},
		{Name: "LIMITER", Type: "ratelimit", ID: "1001", Limit: 10, Period: 60},
		{Name: "HITS", Type: "analytics", ID: "HITS"},
		{Name: "VERSION", Type: "version"},
		{Name: "TOKEN", Type: "secret", Value: "s3cret"},
		{Name: "NAME", Type: "secret", Value: "overridden"},
	}
	if diff := cmp.Diff(want, w.Bindings); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"shop.example.com/*", "example.com/a*", "custom:www.example.com", "!shop.example.com/static/*"}, w.Routes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]trace.Consumer{
		{Queue: "jobs", BatchSize: 10, BatchWait: 5, Retries: 3},
		{Queue: "dead", BatchSize: 1, BatchWait: 0, Retries: 0, RetryDelay: 7, DeadLetter: "x"},
	}, w.Consumers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string][]byte{"/index.html": []byte("<h1>hi</h1>"), "/a/b.css": []byte("a{}")}, w.Assets); diff != "" {
		t.Error(diff)
	}
	if got := strings.Join(w.Durables, " "); got != "Counter" {
		t.Errorf("durables are %q", got)
	}
	if w.Date != "2026-10-01" || strings.Join(w.Flags, " ") != "no_nodejs_compat" || len(w.Crons) != 3 {
		t.Errorf("date %s, flags %v, crons %v", w.Date, w.Flags, w.Crons)
	}
	if w.Limits.CPU.Milliseconds() != 20 {
		t.Errorf("CPU limit is %v", w.Limits.CPU)
	}
}

func TestConfigTOML(t *testing.T) {
	w := mustBuild(t, Config{}, files("wrangler.toml", everythingTOML, "src/index.ts", "export class Counter {}\n"+hello))
	want := []trace.Binding{
		{Name: "NOTES", Type: "kv", ID: "local-NOTES"},
		{Name: "OTHER", Type: "kv", ID: "abc"},
		{Name: "NAME", Type: "text", Value: "x"},
		{Name: "LIST", Type: "json", Value: `[1,{"a":2}]`},
		{Name: "COUNTER", Type: "durable", Class: "Counter"},
	}
	if diff := cmp.Diff(want, w.Bindings); diff != "" {
		t.Error(diff)
	}
	if len(w.Routes) != 4 || len(w.Crons) != 3 || w.Name != "shop" {
		t.Errorf("%+v", w)
	}
}

func TestConfigAssetsOnly(t *testing.T) {
	w := mustBuild(t, Config{}, files("wrangler.jsonc", `{"compatibility_date":"2026-10-01","assets":{"directory":"."}}`, "index.html", "hi"))
	if string(w.Assets["/index.html"]) != "hi" || !strings.Contains(w.Code, "404") {
		t.Errorf("%+v", w)
	}
}

// All triggers are compared with every minute, so their number is bounded.
func TestConfigTooManyCrons(t *testing.T) {
	config := func(n int) trace.Project {
		return files("wrangler.jsonc", `{"name": "w", "main": "src/index.ts", "compatibility_date": "2026-10-01", "triggers": {"crons": ["0 * * * *"`+strings.Repeat(`, "0 * * * *"`, n-1)+`]}}`, "src/index.ts", hello)
	}
	if w := mustBuild(t, Config{}, config(cronMax)); len(w.Crons) != cronMax {
		t.Errorf("%d triggers, want %d", len(w.Crons), cronMax)
	}
	if d := build(t, Config{}, config(cronMax+1)); d.Fault == nil || d.Fault.Message != "A Worker can have 250 cron triggers, and here are more." || len(d.Fault.Frames) != 1 {
		t.Errorf("%+v", d.Fault)
	}
}

func TestCheckCron(t *testing.T) {
	for _, good := range []string{"* * * * *", "*/15 * * * *", "0 9-17 * * MON-FRI", "59 23 LW * *", "0 0 1,15 jan-mar SUN", "30 4 15W * *", "0 0 * * 6L", "5/10 * * * *"} {
		if err := checkCron(good); err != nil {
			t.Errorf("%q %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"":             "has 0 fields instead of 5",
		"60 * * * *":   `has the minute "60", which is not from 0 to 59`,
		"* * * * 0":    `has the weekday "0", which is not from 1 to 7`,
		"* * * * 8":    `has the weekday "8", which is not from 1 to 7`,
		"*/0 * * * *":  `has the minute "*/0", whose step is not from 1 to 59`,
		"5-1 * * * *":  `has the minute "5-1", whose range runs backwards`,
		"* * * foo *":  `has the month "FOO", which is not from 1 to 12`,
		"* * * * 2#6":  `has the weekday "2#6", whose # is not followed by 1 to 5`,
		"-1 * * * *":   `has the minute "-1", which is not from 0 to 59`,
		"1, * * * *":   `has the minute "", which is not from 0 to 59`,
		"@daily":       "has 1 fields instead of 5",
		"* * * * * *":  "has 6 fields instead of 5",
		"+5 * * * *":   `has the minute "+5", which is not from 0 to 59`,
		"5W 15L * * *": `has the minute "5W", which is not from 0 to 59`,
	} {
		if err := checkCron(bad); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", bad, err, want)
		}
	}
}

// FuzzConfig builds a project with any wrangler file: never a panic, always a
// result whose fault has a place in the file.
func FuzzConfig(f *testing.F) {
	f.Add(everythingJSONC, false)
	f.Add(everythingTOML, true)
	f.Add(`{"vars": {"__proto__": 1e999}}`, false)
	f.Add("a.b.c.d = [[[[{x = 1}]]]]", true)
	f.Fuzz(func(t *testing.T, text string, toml bool) {
		name := "wrangler.jsonc"
		if toml {
			name = "wrangler.toml"
		}
		d := Build(t.Context(), Config{}, files(name, text, "src/index.ts", hello, "public/a.txt", "x"))
		if (d.Fault == nil) == (len(d.Workers) == 0) {
			t.Fatalf("%+v", d)
		}
		if d.Fault != nil && d.Fault.Kind == trace.FaultPlatform {
			t.Fatalf("the bundler failed: %s", text)
		}
		if d.Fault != nil && d.Fault.Kind == trace.FaultConfig && (len(d.Fault.Frames) == 0 || d.Fault.Frames[0].Line < 1) {
			t.Errorf("no place: %+v", d.Fault)
		}
	})
}

// FuzzBuild builds any text as TypeScript, JavaScript and JSX. Bounded input
// cannot exhaust the stack whatever the scan thinks of it; what must hold is that there is always
// an answer, with a place inside the file.
func FuzzBuild(f *testing.F) {
	for _, d := range deep {
		f.Add(d.source[:min(len(d.source), 200)], uint8(0))
	}
	f.Add("a = <b c={`${d}`}>it's {e /* } */}</b>; f = /[/\\]]'/.test(g)", uint8(2))
	f.Fuzz(func(t *testing.T, source string, kind uint8) {
		if len(source) > 2000 {
			return
		}
		name := []string{"index.ts", "index.js", "index.tsx", "index.json"}[kind%4]
		p := asProject(name, source)
		d := Build(t.Context(), Config{}, p)
		if (d.Fault == nil) == (len(d.Workers) == 0) {
			t.Fatalf("%+v", d)
		}
		if d.Fault == nil {
			return
		}
		if d.Fault.Message == "" || d.Fault.Kind == trace.FaultPlatform {
			t.Errorf("%+v", d.Fault)
		}
		for _, frame := range d.Fault.Frames {
			if lines := strings.Count(string(p.Files[frame.File]), "\n") + 1; frame.Line < 1 || frame.Line > lines+strings.Count(source, "\r")+strings.Count(source, "\u2028")+strings.Count(source, "\u2029") {
				t.Errorf("%+v is outside the file", frame)
			}
		}
	})
}

func TestConfigAssetRules(t *testing.T) {
	d := build(t, Config{}, files(
		"wrangler.jsonc", `{"compatibility_date":"2026-10-01","main":"w.js","assets":{"directory":"public","binding":"A"}}`, "w.js", hello,
		"public/index.html", "hi", "public/keep.txt", "k", "public/private/a.txt", "x", "public/.well-known/a", "y", "public/.dev.vars", "S=1",
		"public/.assetsignore", "*.txt\n!keep.txt\nprivate/\n",
		"public/_redirects", "# c\n/old /new 301\n/x/* /y/:splat # why\n/bad\n/a b.txt\n/l/* /index.html\n/n /m 418\n/h https://h.example/ 200\n/old /again\n",
		"public/_headers", "X-First: no\n/*\n  X-A: 1\n  X-A: 2\n  ! ETag\n  what\n/empty\nhttps://:sub.example.com/*\n  X-B: :sub\n"))
	if d.Fault != nil {
		t.Fatalf("%+v", d.Fault)
	}
	w := d.Workers[0]
	want := `{"redirects":[{"from":"/old","to":"/new","status":301},{"from":"/x/*","to":"/y/:splat","status":302}],` +
		`"headers":[{"path":"/*","set":[["x-a","1, 2"]],"unset":["ETag"]},{"path":"https://:sub.example.com/*","set":[["x-b",":sub"]]}]}`
	if got := w.Bindings[0].Value; got != want {
		t.Errorf("rules are %s, want %s", got, want)
	}
	if got := strings.Join(keys(w.Assets), " "); got != "/.well-known/a /index.html /keep.txt" {
		t.Errorf("files are %s", got)
	}
	var warned []string
	for _, w := range d.Warnings {
		warned = append(warned, fmt.Sprintf("%s:%d %s", strings.TrimPrefix(w.Frame.File, "public/_"), w.Frame.Line, w.Message))
	}
	for _, want := range []string{
		"redirects:4 A redirect has 2 or 3 words; this one has 1.", `redirects:5 A redirect leads to a path or to an address with https://; "b.txt" is neither.`,
		"redirects:6 This redirect would lead to itself for ever and is ignored.", `redirects:7 "418" is not a status that a redirect can have.`,
		"redirects:8 A redirect with status 200 can only lead to a path.", "redirects:9 There is a redirect for /old already; this one is ignored.",
		"headers:1 A header stands before any path.", `headers:6 "what" is not a header.`, "headers:7 No headers are given for /empty.",
	} {
		if !slices.Contains(warned, want) {
			t.Errorf("no warning %q", want)
		}
	}
	if len(warned) != 9 {
		t.Errorf("warnings: %q", warned)
	}
}

// What the real runtime would not start with is said before it does not.
func TestConfigForLater(t *testing.T) {
	d := build(t, Config{}, files(
		"wrangler.jsonc", "{\"main\":\"w.js\",\"compatibility_date\":\"9999-01-01\",\n\"compatibility_flags\":[\"nodejs_compat\",\"nodejs_compt\"],\n\"durable_objects\":{\"bindings\":[{\"name\":\"A\",\"class_name\":\"A\"}]}}",
		"w.js", "export class A {}\n"+hello))
	var warned []string
	for _, w := range d.Warnings {
		warned = append(warned, fmt.Sprintf("%d %s %s", w.Frame.Line, w.Message, w.Hint))
	}
	want := []string{
		`1 The compatibility date 9999-01-01 has not come yet. The real runtime does not start with it: write "compatibility_date": "2026-11-01".`,
		`2 There is no compatibility flag "nodejs_compt". Did you mean "nodejs_compat"?`,
		`3 No migration names the Durable Object class "A". A deployment needs "migrations": [{ "tag": "v1", "new_sqlite_classes": ["A"] }].`,
	}
	if !slices.Equal(warned, want) {
		t.Errorf("warnings are %q", warned)
	}
}

// wranglerKeys are the keys at the top of wrangler's own schema, of its version 4.164.
const wranglerKeys = `$schema access account_id addresses agent_memory ai ai_search ai_search_namespaces alias analytics analytics_engine_datasets artifacts assets base_dir
	browser build cache cloudchamber compatibility_date compatibility_flags compliance_region connect containers d1_databases data_blobs define
	dependencies_instrumentation dev dispatch_namespaces durable_objects env exports find_additional_modules first_party_worker flagship hyperdrive images
	jsx_factory jsx_fragment k2 keep_names keep_vars kv_namespaces limits logfwdr logpush main media migrations minify mtls_certificates name no_bundle
	observability pages_build_output_dir pipelines placement preserve_file_names preview_urls previews python_modules queues r2_buckets ratelimits route
	routes rules secrets secrets_store_secrets send_email send_metrics services site stream streaming_tail_consumers tail_consumers text_blobs triggers
	tsconfig unsafe unsafe_hello_world upload_source_maps vars vectorize version_metadata vpc_networks vpc_services wasm_modules worker_loaders
	workers_dev workflows`

// What the real tool reads is read here, has no effect, or is not available
// here: none of its keys is called unknown.
func TestWranglerKeys(t *testing.T) {
	for _, key := range strings.Fields(wranglerKeys) {
		if !slices.Contains(topKeys, key) {
			t.Errorf("%q would be called an unknown key", key)
		}
	}
}
