package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

// workersTypes are the types that Workers' own editors use: the list of all
// that a Worker can name.
const workersTypes = "../web/node_modules/@cloudflare/workers-types/index.d.ts"

// A declared is a class, interface, variable or module of workersTypes.
type declared struct {
	kinds   []string // class, interface, namespace, module, var, const, function
	extends string
	members []declaredMember
}

type declaredMember struct {
	name     string // as in source: an identifier, "[Symbol.iterator]" or "constructor"
	static   bool
	optional bool
	method   bool
	global   bool // is a class that the global scope has: NAME: typeof NAME
}

var (
	declLine   = regexp.MustCompile(`^(?:declare )?(?:abstract )?(class|interface|namespace|module|var|const|function) ("[^"]+"|[\w$]+)(?:<.*?>)?(?: extends ([\w$]+))?`)
	memberLine = regexp.MustCompile(`^  ((?:(?:export|abstract|public|static|readonly|get|set|function|class|const|declare) )*)(\[?[\w$.]+\]?|"[^"]+")(\??)([(<:]| extends| implements| \{)`)
	typeLine   = regexp.MustCompile(`^  (?:export )?(?:type|interface) `)
)

// readTypes takes apart a file of declarations as prettier lays it out: what
// stands at the line's begin, and its members two spaces to the right.
func readTypes(t *testing.T) map[string]*declared {
	t.Helper()
	text, err := os.ReadFile(workersTypes)
	if err != nil {
		t.Skip("web/node_modules is missing: run npm ci in web")
	}
	all := map[string]*declared{}
	var now *declared
	value := false // inside a variable's type, which lists what the constructor has
	lines := strings.Split(string(text), "\n")
	for i, l := range lines {
		if m := declLine.FindStringSubmatch(l); m != nil {
			name := strings.Trim(m[2], `"`)
			if all[name] == nil {
				all[name] = &declared{}
			}
			now, value = all[name], m[1] == "var" || m[1] == "const"
			now.kinds = append(now.kinds, m[1])
			now.extends += m[3]
			if m[3] == "" && strings.HasSuffix(l, "<") { // its parameters take lines of their own
				for _, l := range lines[i+1:] {
					if _, base, ok := strings.Cut(l, "> extends "); ok {
						now.extends = regexp.MustCompile(`^\w+`).FindString(base)
					}
					if strings.HasPrefix(l, ">") || l != "" && !strings.HasPrefix(l, " ") {
						break
					}
				}
			}
			continue
		}
		if l != "" && !strings.HasPrefix(l, " ") && !strings.HasPrefix(l, ")") && !strings.HasPrefix(l, ">") && !strings.HasPrefix(l, "}") && !strings.HasPrefix(l, "/") {
			now = nil
		}
		m := memberLine.FindStringSubmatch(l)
		if now == nil || m == nil || typeLine.MatchString(l) || m[4] == " extends" && !strings.Contains(m[1], "class") {
			continue
		}
		now.members = append(now.members, declaredMember{
			name: m[2], static: strings.Contains(m[1], "static ") || value, optional: m[3] != "", method: m[4] == "(" || m[4] == "<",
			global: strings.HasSuffix(l, ": typeof "+m[2]+";"),
		})
	}
	return all
}

// typedInstances give, for each type that is no class of the global scope, an
// object of it, as an expression of typesWorker.
var typedInstances = map[string]string{
	"Console": "console", "ExecutionContext": "ctx", "Immediate": "setImmediate(() => {})", "Scheduler": "scheduler", "Cloudflare": "Cloudflare",
	"WorkerGlobalScope": "globalThis", "ServiceWorkerGlobalScope": "globalThis",
	"KVNamespace": "env.KV", "R2Bucket": "env.BUCKET", "R2Object": "await env.BUCKET.head('a')", "R2ObjectBody": "await env.BUCKET.get('a')",
	"R2Checksums": "(await env.BUCKET.head('a')).checksums", "D1Database": "env.DB", "D1DatabaseSession": "env.DB.withSession()", "D1PreparedStatement": "env.DB.prepare('SELECT 1')",
	"Queue": "env.QUEUE", "DurableObjectNamespace": "env.OBJECT", "DurableObjectId": "env.OBJECT.idFromName('a')", "AnalyticsEngineDataset": "env.COUNTS", "RateLimit": "env.LIMIT",
	"Fetcher": "env.SELF", "Element": "seen.element", "EndTag": "seen.end", "Comment": "seen.comments", "Text": "seen.text", "Doctype": "seen.doctype", "DocumentEnd": "seen.documentEnd",
	"Message": "seen.batch.messages[0]", "MessageBatch": "seen.batch", "QueueEvent": "seen.batch", "ScheduledController": "seen.controller",
	"Tracing": "ctx.tracing", "Span": "seen.span", "EventCounts": "performance.eventCounts",
	"DurableObjectState": "self.ctx", "DurableObjectStorage": "self.ctx.storage", "SqlStorage": "self.ctx.storage.sql", "SqlStorageCursor": "self.ctx.storage.sql.exec('SELECT 1')",
	"SyncKvStorage": "self.ctx.storage.kv", "DurableObjectTransaction": "await new Promise((r) => self.ctx.storage.transaction(async (x) => r(x)))",
	"CacheStorage": "caches", "PerformanceNodeTiming": "performance.nodeTiming", "DigestStream": "new crypto.DigestStream('SHA-256')",
}

// typedAbsent are types whose objects come from something that is not here,
// which says so itself: a key of the wrangler file, or an expression that throws.
var typedAbsent = map[string]string{
	"CacheContext": "(await import('cloudflare:workers')).cache.purge()", "DurableObjectFacets": "self.ctx.facets.get('a')",
	"R2MultipartUpload": "await env.BUCKET.createMultipartUpload('a')",
	"Socket":            "env.SELF.connect('a:1')", "ExecProcess": "self.ctx.container.exec()", "Container": "self.ctx.container.start()",
	"WorkerStub": "worker_loaders", "WorkerLoader": "worker_loaders", "AgentMemoryProfile": "agent_memory", "AgentMemoryNamespace": "agent_memory", "Ai": "ai",
	"AnalyticsSQLBinding": "analytics", "ArtifactsRepo": "artifacts", "Artifacts": "artifacts", "AutoRAG": "ai", "BrowserRun": "browser",
	"ForwardableEmailMessage": "send_email", "SendEmail": "send_email", "EmailEvent": "send_email", "Flagship": "flagship", "HelloWorldBinding": "unsafe_hello_world",
	"Hyperdrive": "hyperdrive", "HyperdriveDynamic": "hyperdrive", "HyperdriveDynamicApi": "hyperdrive", "ImageHandle": "images", "HostedImagesBinding": "images", "ImagesBinding": "images",
	"ImageTransformer": "images", "ImageTransformationResult": "images", "MediaBinding": "media", "MediaTransformer": "media", "MediaTransformationGenerator": "media",
	"MediaTransformationResult": "media", "SecretsStoreSecret": "secrets_store_secrets", "ToMarkdownService": "ai", "WebSearch": "websearch", "DispatchNamespace": "dispatch_namespaces",
	"VectorizeIndex": "vectorize", "Vectorize": "vectorize", "Workflow": "workflows", "WorkflowInstance": "workflows", "WorkflowInstanceSubscription": "workflows",
}

// typesWorker fills seen with what handlers get, and asks the questions in
// its list: [type, an object, the names it should have].
const typesWorker = `import { WorkerEntrypoint, DurableObject } from "cloudflare:workers";
const symbols = { "[Symbol.iterator]": Symbol.iterator, "[Symbol.asyncIterator]": Symbol.asyncIterator };
const seen = {};
const lacks = (o, names) => o === null || o === undefined ? ["(none)"] : names.filter((k) => !((Object.hasOwn(symbols, k) ? symbols[k] : k) in Object(o)));
const silent = async (f) => {
	try { await f(); } catch (e) { return / (?:is|are) not available here/.test(e.message) ? [] : ["says " + e]; }
	return ["says nothing"];
};
const walk = async (list, f) => {
	const out = {};
	for (const [type, o, names] of list) {
		let l;
		try { l = names === null ? await silent(o) : lacks(await o(), names); } catch (e) { l = ["throws " + e]; }
		if (l.length > 0) out[type] = l;
	}
	return out;
};
export class Thing extends DurableObject {
	check() { const self = this, { ctx, env } = self; return walk([/*object*/]); }
}
export default {
	async fetch(request, env, ctx) {
		await env.BUCKET.put("a", "x");
		const html = new HTMLRewriter().on("*", { element(e) { seen.element = e; e.onEndTag?.((x) => { seen.end = x; }); }, comments(c) { seen.comments = c; }, text(t) { seen.text = t; } })
			.onDocument({ doctype(d) { seen.doctype = d; }, end(e) { seen.documentEnd = e; } });
		await html.transform(new Response("<!doctype html><p>a<!--b--></p>")).text();
		await ctx.tracing.enterSpan("a", (span) => { seen.span = span; });
		const own = await env.OBJECT.getByName("a").check();
		const all = await walk([/*worker*/]);
		await env.QUEUE.send("a");
		return Response.json({ ...own, ...all });
	},
	async queue(batch, env, ctx) { console.log("queue " + JSON.stringify(await walk([/*queue*/]))); },
	async scheduled(controller, env, ctx) { console.log("scheduled " + JSON.stringify(await walk([/*scheduled*/]))); },
};
`

// typedElsewhere are types whose objects no Worker here is given, with the
// reason, and those that Workers make themselves.
var typedElsewhere = map[string]string{
	"EventListenerObject": "given", "HTMLRewriterElementContentHandlers": "given", "HTMLRewriterDocumentContentHandlers": "given", "DurableObject": "given",
	"ColoLocalActorNamespace": "bound by no wrangler file", "UnsafeTraceMetrics": "the real runtime's own tests", "TraceItemFetchEventInfoRequest": "tail Workers: warned of in the wrangler file",
	"CloudflareAccessContext": "ctx.access is undefined where no Access protects a Worker",
}

// Everything that the types of Workers name is here and works, or is
// here and says "not available here" when it is used: no name gives
// "undefined is not a function".
func TestWorkersTypes(t *testing.T) {
	all := readTypes(t)
	if len(all) < 500 || len(all["Console"].members) < 19 || len(all["ServiceWorkerGlobalScope"].members) < 90 {
		t.Fatalf("%d declarations are read", len(all))
	}
	// Every member, those of the classes above too.
	var members func(name string, static bool) []string
	members = func(name string, static bool) []string {
		d := all[name]
		if d == nil {
			return []string{}
		}
		list := []string{}
		for _, m := range d.members {
			if m.optional && !m.method || m.name == "supportedEntryTypes" { // undefined there too, where nothing fills it; the latter is static in truth
				continue
			}
			if m.static == static && !slices.Contains([]string{"constructor", "prototype", "new"}, m.name) && !strings.HasPrefix(m.name, `"`) && !slices.Contains(list, m.name) {
				list = append(list, m.name)
			}
		}
		return append(list, members(d.extends, static)...)
	}
	question := func(label, expr string, names []string) string {
		list, _ := json.Marshal(names) // nil for what must speak
		return fmt.Sprintf("[%q, async () => %s, %s],\n", label, expr, list)
	}
	s, k := open(t), key("a")
	ask := map[string]string{}
	classes, methods := 0, 0
	globals := map[string]bool{}
	for _, m := range append(all["ServiceWorkerGlobalScope"].members, all["WorkerGlobalScope"].members...) {
		globals[m.name] = globals[m.name] || m.global
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d := all[name]
		methods += len(d.members)
		expr, made := typedInstances[name]
		absent, lacks := typedAbsent[name]
		switch {
		case slices.Contains(d.kinds, "module"):
			if b, err := s.Build(t.Context(), key("m"), trace.Project{Files: map[string][]byte{"worker.js": []byte("import * as m from \"" + name + "\"; export default { fetch() { return new Response(Object.keys(m)) } };")}}); err != nil {
				t.Fatal(err)
			} else if b.Fault != nil && (b.Fault.Message != fmt.Sprintf("The module %q is not available here.", name) || b.Fault.Hint == "") {
				t.Errorf("%s: %+v", name, b.Fault)
			} else if b.Fault == nil {
				from := all[name]
				if name == "cloudflare:workers" {
					from = all["CloudflareWorkersModule"]
				}
				var names []string
				for _, m := range from.members {
					if m.name != "WorkflowStep" { // a type only
						names = append(names, m.name)
					}
				}
				ask["worker"] += question(name, fmt.Sprintf("import(%q)", name), names)
			}
		case made:
			place := "worker"
			switch {
			case strings.HasPrefix(expr, "self.") || strings.Contains(expr, "self.ctx"):
				place = "object"
			case strings.HasPrefix(expr, "seen.batch"):
				place = "queue"
			case expr == "seen.controller":
				place = "scheduled"
			}
			ask[place] += question(name, expr, members(name, false))
		case globals[name] || slices.ContainsFunc(d.kinds, func(k string) bool { return k == "function" || k == "namespace" }) && name == "WebAssembly":
			classes++
			ask["worker"] += question(name, name, members(name, true))
			if name != "WebAssembly" {
				ask["worker"] += question(name+".prototype", name+".prototype", members(name, false))
			}
		case slices.ContainsFunc(d.kinds, func(k string) bool { return k == "var" || k == "const" || k == "function" || k == "namespace" }):
			if name != "Rpc" && name != "CloudflareWorkersModule" && name != "TailStream" && name != "onmessage" {
				ask["worker"] += question("globalThis."+name, "globalThis", []string{name})
			}
		case lacks && strings.Contains(absent, "("):
			place := "worker"
			if strings.HasPrefix(absent, "self.") {
				place = "object"
			}
			ask[place] += question(name, absent, nil)
		case lacks:
			if trace.AbsentBindings[absent] == "" {
				t.Errorf("%s comes from %q, of which a wrangler file says nothing", name, absent)
			}
		case typedElsewhere[name] != "", strings.HasPrefix(name, "BaseAi"), strings.HasPrefix(name, "Base_Ai"), strings.HasPrefix(name, "AiSearch"), name == "AiGateway", strings.HasPrefix(name, "Stream") && !strings.HasSuffix(name, "Event"):
		default:
			if slices.ContainsFunc(d.members, func(m declaredMember) bool { return m.method && !m.optional }) {
				t.Errorf("where do objects of %s come from? %v", name, d.members)
			}
		}
	}
	code := typesWorker
	for place, list := range ask {
		code = strings.Replace(code, "/*"+place+"*/", list, 1)
	}
	deploy(t, s, k, map[string]string{"worker.js": code, "wrangler.jsonc": `{ "main": "worker.js", "compatibility_date": "2026-11-01", "compatibility_flags": ["nodejs_compat"],
		"kv_namespaces": [{ "binding": "KV" }], "r2_buckets": [{ "binding": "BUCKET", "bucket_name": "b" }], "d1_databases": [{ "binding": "DB", "database_name": "d" }],
		"queues": { "producers": [{ "binding": "QUEUE", "queue": "q" }], "consumers": [{ "queue": "q", "max_batch_timeout": 0 }] },
		"durable_objects": { "bindings": [{ "name": "OBJECT", "class_name": "Thing" }] }, "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Thing"] }],
		"services": [{ "binding": "SELF", "service": "worker" }], "analytics_engine_datasets": [{ "binding": "COUNTS" }],
		"ratelimits": [{ "name": "LIMIT", "namespace_id": "1", "simple": { "limit": 10, "period": 60 } }] }`})
	a := get(t, s, k, "/")
	if a.status != 200 || a.body != "{}" || classes < 60 || methods < 2500 {
		t.Errorf("of %d classes and %d members these are missing and say nothing: %d %s %+v", classes, methods, a.status, a.body, a.sum.Fault)
	}
}
