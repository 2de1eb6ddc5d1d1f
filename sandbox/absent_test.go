package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

// absentKeys is what a wrangler file says of each binding that exists on
// Cloudflare only, and the name its code uses, "" for none.
var absentKeys = map[string][2]string{
	"agent_memory":          {`[{ "binding": "MEMORY", "namespace": "a" }]`, "MEMORY"},
	"ai":                    {`{ "binding": "AI" }`, "AI"},
	"ai_search":             {`[{ "binding": "FIND", "instance_name": "a" }]`, "FIND"},
	"ai_search_namespaces":  {`[{ "binding": "FINDS", "namespace": "a" }]`, "FINDS"},
	"analytics":             {`{ "binding": "FIGURES" }`, "FIGURES"},
	"artifacts":             {`[{ "binding": "ARTIFACTS", "namespace": "a" }]`, "ARTIFACTS"},
	"browser":               {`{ "binding": "BROWSER" }`, "BROWSER"},
	"cloudchamber":          {`{ "vcpu": 1 }`, ""},
	"containers":            {`[{ "class_name": "Box", "image": "./Dockerfile" }]`, ""},
	"data_blobs":            {`{ "DATA": "./data.bin" }`, "DATA"},
	"dispatch_namespaces":   {`[{ "binding": "DISPATCH", "namespace": "a" }]`, "DISPATCH"},
	"flagship":              {`[{ "binding": "FLAGS", "app_id": "a" }]`, "FLAGS"},
	"hyperdrive":            {`[{ "binding": "HYPERDRIVE", "id": "a" }]`, "HYPERDRIVE"},
	"images":                {`{ "binding": "IMAGES" }`, "IMAGES"},
	"k2":                    {`[{ "binding": "K2", "stream": "a" }]`, "K2"},
	"logfwdr":               {`{ "bindings": [{ "name": "LOGS", "destination": "a" }] }`, "LOGS"},
	"media":                 {`{ "binding": "MEDIA" }`, "MEDIA"},
	"mtls_certificates":     {`[{ "binding": "CERT", "certificate_id": "a" }]`, "CERT"},
	"pipelines":             {`[{ "binding": "PIPE", "pipeline": "a" }]`, "PIPE"},
	"secrets_store_secrets": {`[{ "binding": "KEY", "store_id": "a", "secret_name": "b" }]`, "KEY"},
	"send_email":            {`[{ "name": "MAIL" }]`, "MAIL"},
	"stream":                {`{ "binding": "STREAM" }`, "STREAM"},
	"text_blobs":            {`{ "TEXT": "./a.txt" }`, "TEXT"},
	"unsafe":                {`{ "bindings": [{ "name": "UNSAFE", "type": "a" }] }`, "UNSAFE"},
	"unsafe_hello_world":    {`[{ "binding": "HELLO" }]`, "HELLO"},
	"vectorize":             {`[{ "binding": "VECTORS", "index_name": "a" }]`, "VECTORS"},
	"vpc_networks":          {`[{ "binding": "NETWORK", "network_id": "a" }]`, "NETWORK"},
	"vpc_services":          {`[{ "binding": "SERVICE", "service_id": "a" }]`, "SERVICE"},
	"wasm_modules":          {`{ "WASM": "./a.wasm" }`, "WASM"},
	"websearch":             {`{ "binding": "WEB" }`, "WEB"},
	"worker_loaders":        {`[{ "binding": "LOADER" }]`, "LOADER"},
	"workflows":             {`[{ "name": "orders", "binding": "ORDERS", "class_name": "Orders" }]`, "ORDERS"},
}

// Each binding that is not available here is said so twice, with what to do:
// when the project is built, at its line of the wrangler file, and when code
// uses it, at the line that does.
func TestAbsentBindings(t *testing.T) {
	s := open(t)
	k := key("a")
	config := "{\n\"main\": \"worker.js\", \"compatibility_date\": \"2026-11-01\""
	line := map[string]int{}
	var order []string
	for key := range trace.AbsentBindings {
		order = append(order, key)
	}
	slices.Sort(order)
	for i, key := range order {
		if absentKeys[key][0] == "" {
			t.Fatalf("nothing is known of %q", key)
		}
		line[key] = i + 3
		config += fmt.Sprintf(",\n%q: %s", key, absentKeys[key][0])
	}
	d := deploy(t, s, k, map[string]string{"wrangler.jsonc": config + "\n}\n", "worker.js": `export default {
	async fetch(request, env) {
		if (request.url.endsWith("/env")) return new Response(JSON.stringify(env) + Object.keys(await Promise.all(Object.values(env))).length);
		return env[new URL(request.url).pathname.slice(1)].run("x");
	},
};
`})
	if len(d.Warnings) != len(order) {
		t.Errorf("warnings: %+v", d.Warnings)
	}
	bound := 0
	for _, w := range d.Warnings {
		_, rest, _ := strings.Cut(w.Message, `"`)
		key, _, _ := strings.Cut(rest, `"`)
		name := absentKeys[key][1]
		if !strings.Contains(w.Message, "not available here") || !strings.Contains(w.Message, "env."+name) && name != "" || w.Hint == "" || w.Frame.File != "wrangler.jsonc" || w.Frame.Line != line[key] {
			t.Errorf("%s is said so: %+v", key, w)
		}
		if name == "" {
			continue
		}
		bound++
		f := get(t, s, k, "/"+name).sum.Fault
		if f == nil || !strings.HasPrefix(f.Message, "env."+name+": ") || !strings.Contains(f.Message, "not available here") || f.Hint != trace.AbsentBindings[key] || len(f.Frames) == 0 || f.Frames[0].Line != 4 {
			t.Errorf("using %s: %+v", name, f)
		}
	}
	// Who only looks at env or hands it on is not disturbed.
	if a := get(t, s, k, "/env"); !strings.HasSuffix(a.body, fmt.Sprint("}", bound)) || !json.Valid([]byte(strings.TrimSuffix(a.body, fmt.Sprint(bound)))) {
		t.Errorf("%d %q %+v", a.status, a.body, a.sum.Fault)
	}
}

// Each import that finds nothing is refused at its line, with what to do.
func TestAbsentModules(t *testing.T) {
	s := open(t)
	for spec, want := range map[string]string{
		"cloudflare:sockets":   `The module "cloudflare:sockets" is not available here.`,
		"cloudflare:email":     `The module "cloudflare:email" is not available here.`,
		"cloudflare:workflows": `The module "cloudflare:workflows" is not available here.`,
		"cloudflare:worker":    `There is no module "cloudflare:worker".`,
		"workerd:unsafe":       `There is no module "workerd:unsafe".`,
		"node:nothing":         `Node has no module "node:nothing".`,
		"no-such-package":      `The package "no-such-package" is not available.`,
		"_stream_readable":     `The module "_stream_readable" is not available here.`,
		"./absent":             "There is no file absent to import.",
		"./Words.js":           "There is no file Words.js to import.",
		"bun:sqlite":           `There is no module "bun:sqlite".`,
	} {
		d, err := s.Build(t.Context(), key("a"), trace.Project{Files: map[string][]byte{
			"worker.js": fmt.Appendf(nil, "// imports\nimport * as m from %q;\nexport default { fetch() { return new Response(typeof m); } };\n", spec),
			"words.js":  []byte("export const a = 1;\n"),
		}})
		if err != nil {
			t.Fatal(err)
		}
		f := d.Fault
		if f == nil || f.Message != want || f.Hint == "" || len(f.Frames) == 0 || f.Frames[0].File != "worker.js" || f.Frames[0].Line != 2 {
			t.Errorf("%s: %+v", spec, f)
		} else if spec == "./Words.js" && f.Hint != `Did you mean "./words.js"?` {
			t.Errorf("%s: %s", spec, f.Hint)
		}
	}
}
