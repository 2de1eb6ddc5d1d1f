package check

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"coldstart/lessons"
)

// wrong are answers that a learner might well give: a lesson's solution with
// one thing done differently, the check that meets it, and words of the
// sentence that has to help.
var wrong = []struct{ lesson, file, from, to, check, says string }{
	{"process-on-a-port", "src/server.js", "app.get(\"/health\", (req, res) => {\n  res.send(\"ok\");\n});\n\napp.use((req, res) => {\n  res.status(404).send(\"nothing here\");\n});", "app.use((req, res) => {\n  res.status(404).send(\"nothing here\");\n});\n\napp.get(\"/health\", (req, res) => {\n  res.send(\"ok\");\n});", "1: alive", `is the route above the one that takes everything?`},
	{"process-on-a-port", "src/server.js", "app.get(\"/\", (req, res) => {\n  visits++;", "app.use((req, res, next) => { visits++; next(); });\napp.get(\"/\", (req, res) => {", "1: watching is not visiting", `they should not be counted`},
	{"process-on-a-port", "src/server.js", "Number(process.env.PORT)", "3001", "2: the number stands in the settings", `process.env.PORT and name no number`},
	{"process-on-a-port", "src/server.js", "httpServerHandler({ port })", "httpServerHandler({ port: 3000 })", "2: at home on 3001", `name the same port?`},
	{"keep-servers-alive", "pool.json", `"target": 0.6`, `"target": 1`, "1: the rush", `begin to add them earlier`},
	{"keep-servers-alive", "pool.json", `"min": 2`, `"min": 6`, "3: the night", `lower min`},
	{"keep-servers-alive", "pool.json", `"max": 8,`, `"max": 8`, "1: the rush", `no comma stands before a closing bracket`},
	{"keep-servers-alive", "pool.json", `"unhealthy_after": 2`, `"unhealthy_after": 5`, "2: a server dies", `see unhealthy_after`},
	{"price-of-idle", "src/cost.js", "const over = (amount, included) => Math.max(0, amount - included);", "const over = (amount, included) => amount - included;", "1: the Worker", `nothing goes below the allowance`},
	{"price-of-idle", "src/cost.js", "(use.mb / 1024)", "(use.mb / 1000)", "2: the function", `1.1 million GB-s`},
	{"price-of-idle", "src/cost.js", "use.requests * use.cpu_ms, workers", "use.requests * use.ms, workers", "1: the Worker", `million ms of cpu_ms`},
	{"price-of-idle", "src/cost.js", "  let low = 0;", "  for (let n = 0; ; n++) if (monthly(plan, { ...shape, requests: n }) > target) return n;\n  let low = 0;", "3: the crossings", `should come to an end within its limits`},
	{"just-the-function", "src/index.js", "send(\"Wrong user or password\");\n    return;", "send(\"Wrong user or password\");", "1: the wrong password", `must not read that anybody was logged in`},
	{"just-the-function", "src/index.js", "!Object.hasOwn(people, user) || people[user] !== pass", "people[user] !== pass", "1: the wrong password", `a missing password equals a missing one`},
	{"just-the-function", "src/index.js", "!Object.hasOwn(people, user) || people[user] !== pass", "!Object.hasOwn(people, user)", "1: the wrong password", `is that her password`},
	{"wake-on-events", "src/index.js", "`upload/${object.key}`", "crypto.randomUUID()", "1: an upload is recorded once", `name the record after its key`},
	{"wake-on-events", "src/index.js", "controller.scheduledTime - record.at", "Date.now() - record.at", "3: the clock sweeps", `compare it with controller.scheduledTime`},
	{"wake-on-events", "src/index.js", "key: object.key, at: message.timestamp.getTime()", "key: object.key, at: message.timestamp", "3: the clock sweeps", `hold its time in milliseconds`},
	{"wake-on-events", "src/index.js", "/${row.version}", "", "2: rows and uploads in one batch", `let the version be a part`},
	{"zero-to-many", "src/index.js", "await nap(50);", "nap(50);", "1: everybody still naps", `do not leave them out`},
	{"zero-to-many", "src/trace.js", "start < other.end", "start <= other.end", "2: a trace drawn by hand", `gone when another begins at 60`},
	{"first-request", "src/index.js", "(table ??= build())", "build()", "2: the table is built with the first lookup, once", `keep it in a variable outside of fetch`},
	{"first-request", "src/index.js", "let table;", "let table = build();", "1: a cold /health takes a fifth of the time, or less", `still built before anybody needs it?`},
	{"five-dialects", "shared/login.js", "!Object.hasOwn(people, user) || people[user] !== pass", "people[user] !== pass", "1: the login itself", `no name and no password`},
	{"five-dialects", "lambda/src/index.js", "event.body ? JSON.parse(event.body) : {}", "event.body", "2: lambda answers like the login", `event.body is a text`},
	{"five-dialects", "lambda/src/index.js", "{ statusCode: status, body }", "{ status, body }", "2: lambda answers like the login", `the answer is { statusCode, body }`},
	{"five-dialects", "lambda/src/index.js", "event.requestContext.http.method", "event.httpMethod", "2: lambda answers like the login", `the method is in event.requestContext.http.method`},
	{"fine-print", "src/index.js", "const chunk = 2;", "const chunk = 20;", "1: each run is a small piece", `do fewer steps a run`},
	{"fine-print", "src/index.js", "      if (end < steps) await env.JOBS.send({ at: end });\n", "", "1: forty steps get done", `send a message for the next one`},
	{"fine-print", "src/index.js", "if ((await env.STATE.get(\"step/\" + n)) !== null) continue;", "", "2: a message that comes twice", `look into env.STATE before you compute`},
	{"defend-the-launch", "src/index.js", "ctx.waitUntil(welcome(env, email));", "await welcome(env, email);", "2: nobody waits for the mailer", `ctx.waitUntil`},
	{"defend-the-launch", "src/index.js", "ctx.waitUntil(welcome(env, email));", "welcome(env, email);", "2: everybody is greeted and counted", `hand it to ctx.waitUntil`},
	{"hello-worker", "src/index.js", `|| "stranger"`, `?? "stranger"`, "1: greets a stranger", `An empty name is no name`},
	{"hello-worker", "src/index.js", "return new Response(`Hello, ${name}`);", "return new Response(`Hello, ${name}`, { headers: { \"content-type\": \"text/html\" } });", "1: a name is text, not HTML", `Answer plain text`},
	{"hello-worker", "src/index.js", `url.searchParams.get("name")`, `url.pathname.slice(1)`, "1: greets by name", `behind the question mark`},
	{"read-the-request", "src/index.ts", "await request.text()", "request.body", "1: logs the body's text", `its text comes from await request.text()`},
	{"read-the-request", "src/index.ts", "console.log(await request.text());", "console.log(await request.json());", "1: an empty body is no accident", `A GET has no body`},
	{"read-the-request", "src/index.ts", "`${name}=${value}`", "name, value", "2: logs one line per header", `name=value`},
	{"read-the-request", "src/index.ts", ` || request.method === "HEAD"`, "", "3: HEAD counts as a get", `HEAD is a GET without a body`},
	{"not-node-not-browser", "src/index.js", ".padStart(2, \"0\")", "", "2: SHA-256 in hex", `pad every byte to two`},
	{"not-node-not-browser", "src/index.js", "const bytes = new TextEncoder().encode(text);\n  return btoa(String.fromCharCode(...bytes));", "return btoa(text);", "2: Base64 of UTF-8", `TextEncoder before btoa`},
	{"not-node-not-browser", "src/index.js", "const digest = await crypto.subtle.digest(\"SHA-256\", new TextEncoder().encode(text));\n  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, \"0\")).join(\"\");", "return require(\"crypto\").createHash(\"sha256\").update(text).digest(\"hex\");", "2: the web's standards, nobody else's", `a Workers runtime may lack`},
	{"not-node-not-browser", "src/index.js", "crypto: typeof crypto,", `crypto: "undefined",`, "1: the kinds of eight globals", `do not guess`},
	{"mini-backend", "notes/src/index.js", "await env.NOTES.put(note.id, JSON.stringify(note));", "(globalThis.notes ??= {})[note.id] = note;", "1: a note survives its isolate", `keep it in env.NOTES`},
	{"mini-backend", "weather/wrangler.jsonc", `"id": "observations"`, `"id": "notes"`, "1: two Workers, two stores", `now name one store`},
	{"mini-backend", "notes/src/index.js", "const body = await request.json().catch(() => null);", "const body = await request.json();", "1: a note needs a text", `not an exception`},
	{"mini-backend", "notes/src/index.js", "if (!answer.ok) return json({ error: \"the weather service failed\" }, 502);", "", "2: the service fails", `look at the answer's ok`},
	{"near-the-user", "src/plan.js", "(2 * km * detour)", "(km * detour)", "1: a round trip", `there and back`},
	{"near-the-user", "src/plan.js", "calls * (1 - cached)", "calls * cached", "2: waits at the edge", `Four calls cross to the database`},
	{"tiny-links", "src/index.js", "status: 302", "status: 200", "1: a link is made and followed", `status 302`},
	{"tiny-links", "src/index.js", "if (link.expires <= controller.scheduledTime) await", "await", "3: links end", `After six days`},
	{"where-did-express-go", "worker/src/index.js", "const { pathname } = new URL(request.url);", "const pathname = request.url.slice(request.url.indexOf(\"/\", 8));", "1: a query changes nothing", `compare the pathname`},
	{"where-did-express-go", "worker/src/index.js", "request.method === \"GET\" && ", "", "1: everything else is a 404", `no handler in Express either`},
	{"one-worker-many-pages", "src/index.js", "bare + url.search", "bare", "1: the query survives the redirect", `Append url.search`},
	{"one-worker-many-pages", "src/index.js", "status: 301", "status: 302", "1: one slash too many is redirected", `with status 301`},
	{"build-a-router", "src/router.js", "    this.routes.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));\n", "", "2: a word beats a parameter, in any order", `words before those with parameters`},
	{"build-a-router", "src/router.js", "decodeURIComponent(path[i])", "path[i]", "1: one parameter", `decode each parameter`},
	{"build-a-router", "src/router.js", "new URL(request.url).pathname.split(\"/\")", "decodeURIComponent(new URL(request.url).pathname).split(\"/\")", "1: a slash inside a parameter stays inside", `cut the path first, decode afterwards`},
	{"frameworks-on-workers", "src/index.js", "app.get(\"/users/me\", (c) => c.text(\"it is you\"));\napp.get(\"/users/:id\", (c) => c.text(c.req.param(\"id\")));", "app.get(\"/users/:id\", (c) => c.text(c.req.param(\"id\")));\napp.get(\"/users/me\", (c) => c.text(\"it is you\"));", "1: parameters and words", `add it before /users/:id`},
	{"frameworks-on-workers", "src/index.js", "  await next();\n  console.log(`${c.req.method} ${c.req.path} ${c.res.status}`);", "  console.log(`${c.req.method} ${c.req.path} ${c.res.status}`);\n  await next();", "2: one line per request", `log after await next()`},
	{"many-workers-one-domain", "api/wrangler.jsonc", `"example.com/api/*", "example.com/api"`, `"example.com/api*"`, "1: nobody takes what is not theirs", `would also catch /apiary`},
	{"many-workers-one-domain", "img/wrangler.jsonc", `example.com/img/logo.png`, `example.com/img/logo.png*`, "2: the logo skips all Workers", `do not end the pattern with a star`},
	{"many-workers-one-domain", "img/wrangler.jsonc", `"example.com/img/*"`, `"example.com/img/*.jpg"`, "1: pictures reach their Worker", `it may only be its last character`},
	{"shopkeepers", "site/src/index.js", "known.headers.get(\"x-person\")", "request.headers.get(\"x-person\")", "1: known people are greeted by name", `x-person of its answer`},
	{"shopkeepers", "site/src/index.js", "const picture = await env.IMG.fetch(request);\n        if (picture.ok) return picture;", "return env.IMG.fetch(request);", "2: a broken neighbour", `await the call inside of try`},
	{"open-the-mall", "street/wrangler.jsonc", `{ "binding": "GADGETS", "service": "clothes" }`, `{ "binding": "GADGETS", "service": "gadgets" }`, "3: one keeper for two shops", `point the binding GADGETS`},
	{"open-the-mall", "street/src/index.js", "pathname.startsWith(shop.path + \"/\")", "pathname.startsWith(shop.path)", "1: the missing slash and the unknown", `begin with its name and a slash`},
	{"same-code-five-boxes", "src/verdict.js", ".sort((a, b) => a - b);\n  return", ".sort();\n  return", "1: the middle", `sort() without a function compares texts`},
	{"same-code-five-boxes", "src/verdict.js", "return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];", "return sorted.reduce((a, b) => a + b) / sorted.length;", "1: the middle", `not the average`},
	{"grid-for-real", "src/fit.js", "(last.mb - first.mb) / (last.copies - first.copies)", "last.mb / last.copies", "1: the line through dots that were drawn by hand", `which is 7 MB a copy`},
	{"grid-for-real", "src/fit.js", "Math.max(0, Math.floor((mb - fixed) / each))", "Math.round((mb - fixed) / each)", "2: whole copies, never over the budget", `count whole copies`},
	{"grid-for-real", "src/index.js", "const data = new Uint8Array(1 << 20).fill(1);", "const data = new Uint8Array(1 << 10).fill(1);", "3: the tenant holds a megabyte more", `make the array outside of fetch`},
	{"inside-a-container", "src/inside.js", "inside.boot !== outside.boot", "inside.kernel !== outside.kernel", "2: another kernel", `A version is no proof`},
	{"inside-a-container", "box.json", `"door": "socket"`, `"door": "port"`, "3: no way out, and a way in", `in the box's own network`},
	{"inside-a-container", "box.json", `"mnt": true`, `"mnt": false`, "3: the first of its processes, and alone", `/proc still lists 117`},
	{"inside-a-container", "box.json", `"memory_mb": 96`, `"memory_mb": 4096`, "3: an end to memory", `was never met`},
	{"inside-a-container", "box.json", `"ipc": true`, `"ipc": "true"`, "3: nothing shared but the kernel", `without quotation marks`},
	{"good-fences", "shop/src/index.js", "export default {\n  async fetch(request) {\n    const user =", "let user;\n\nexport default {\n  async fetch(request) {\n    user =", "2: two people at the same time", `who else writes that variable`},
	{"good-fences", "probes.js", "globalThis.secret ?? null", "secret ?? null", "1: the neighbour finds nothing", `threw, before it answered`},
	{"good-fences", "probes.js", "prototype: [].stolen ?? null,", `prototype: "tea",`, "1: the neighbour finds nothing", `all four places are empty`},
	{"runaway-code", "loud/src/index.js", "await new Promise((resolve) => setTimeout(resolve, ms));", "const end = Date.now() + ms; while (Date.now() < end);", "1: it waits, and does not work", `give the time back while you wait`},
	{"runaway-code", "loud/src/index.js", "let sum = 0;\n  for await (const piece of stream) sum += piece.length;\n  return sum;", "return (await new Response(stream).arrayBuffer()).byteLength;", "2: fifty megabytes, counted", `let the piece go`},
	{"pick-the-box", "src/choose.js", "  if (w.ownKernel)", "  if (w.stateful) return { box: \"container\", reason: \"it must remember\" };\n  if (w.ownKernel)", "2: small and quick", `State is no reason for a container`},
	{"noisy-neighbour", "host/src/index.js", "    if (tenant.running >= atOnce) return refuse(429, \"busy\");\n", "", "2: two at a time", `six are told 429`},
	{"noisy-neighbour", "host/src/index.js", "tenant.failed = answer ? 0 : tenant.failed + 1;", "if (!answer) tenant.failed++;", "3: in a row means in a row", `that is not three in a row`},
	{"pack-it", "wrangler.jsonc", `"name": "small-quotes"`, `"name": "Small Quotes"`, "1: a name that fits into an address", `beginning and ending with a letter or digit`},
	{"pack-it", "wrangler.jsonc", `"quotes.example/*"`, `"*quotes.example/*"`, "1: a route", `a star in front of the host?`},
	{"ship-it", "src/index.js", `sha256(nonce + ":" + env.PROJECT)`, `sha256(nonce + env.PROJECT)`, "1: a proof", `of the text abc:proof`},
	{"ship-it", "src/index.js", `if (!nonce) return Response.json({ error: "a nonce, please" }, { status: 400 });`, "", "1: no nonce, no proof", `a mistake of the caller`},
	{"process-on-a-port", "src/server.js", "Number(process.env.PORT)", "process.env.PORT", "2: at home on 3001", `settings are texts`},
	{"keep-servers-alive", "pool.json", `"target": 0.6`, `"target": 0.05`, "3: the night", `raise target`},
	{"price-of-idle", "src/cost.js", "return workers.base + requests + cpu;", "return (workers.base + requests + cpu).toFixed(2);", "1: the Worker", `a number of dollars`},
	{"just-the-function", "src/index.js", "res.send(\"User logged in\");", "return \"User logged in\";", "1: the right password", `through res`},
	{"wake-on-events", "src/index.js", "(await env.RECORDS.get(name)) === null", "!env.RECORDS.get(name)", "1: an upload is recorded once", `do you await`},
	{"zero-to-many", "src/index.js", "await nap(50);", "for (const end = Date.now() + 50; Date.now() < end;);", "1: thirty at once", `wait with a timer`},
	{"mini-backend", "notes/src/index.js", "id ? await env.NOTES.get(id, \"json\")", "id ? env.NOTES.get(id, \"json\")", "1: a note survives its isolate", `await env.NOTES.get`},
	{"shopkeepers", "site/src/index.js", "known.status !== 204", "known.status === 401", "1: strangers stay outside", `only on a 204`},
	{"shopkeepers", "site/src/index.js", "if (picture.ok) return picture;", "return picture;", "2: a neighbour that says no", `look at picture.ok`},
	{"same-code-five-boxes", "src/verdict.js", `["start", "load", "handle"].reduce(`, `["start", "load"].reduce(`, "3: where the time goes, drawn by hand", `name the phase with the largest`},
	{"good-fences", "shop/src/index.js", "await open(user)", "baskets[user] ?? \"nothing\"", "2: people wait side by side", `ask open() for each`},
	{"pick-the-box", "src/choose.js", "w.memoryMB > 128", "w.memoryMB > 64", "2: small and quick", `whose heap ends at 128`},
	// What knows the check's own figures, and nothing else.
	{"price-of-idle", "src/cost.js", "return workers.base + requests + cpu;", "return use.requests > 50e6 ? 45.4 : use.requests ? 8 : 5;", "2: other months", `for any month`},
	{"zero-to-many", "src/trace.js", "    together,\n", "    together: Math.min(3, runs.length),\n", "2: traces that nobody drew", `keep the largest count`},
	{"five-dialects", "shared/login.js", "!Object.hasOwn(people, user) || people[user] !== pass", "user !== \"ada\" || pass !== \"tea\"", "1: the login itself", `With another person`},
	{"fine-print", "src/index.js", "String(step(n))", "\"done\"", "1: forty steps get done", `the report needs every figure`},
	{"not-node-not-browser", "src/index.js", "crypto: typeof crypto,", `crypto: "object",`, "1: asked, not remembered", `ask with typeof`},
	{"not-node-not-browser", "src/index.js", "const digest = await", "if (text === \"abc\") return \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\";\n  if (text.length > 5) return \"\";\n  const digest = await", "2: SHA-256 of other texts", `from whatever text comes`},
	{"mini-backend", "notes/src/index.js", "async function weatherApi(env, city) {\n", "async function weatherApi(env, city) {\n  if (city === \"atlantis\") return json({ error: \"bad weather\" }, 502);\n", "2: the service fails", `only the service knows`},
	{"near-the-user", "src/plan.js", "if (place === \"central\") return roundTrip(data);", "if (place === \"central\") return 249.6;", "2: other cities, other loads", `the visitor's own trip`},
	{"near-the-user", "src/plan.js", "return wait(\"edge\", distances, load) <= wait(\"central\", distances, load) ? \"edge\" : \"central\";", "return load.calls * (1 - load.cached) >= 1 ? \"central\" : \"edge\";", "3: a chatty page beside the database, a quiet one beside the visitor", `Compare the two waits`},
	{"build-a-router", "src/router.js", "decodeURIComponent(path[i])", "({ 42: \"42\", \"a%20b\": \"a b\" })[path[i]]", "1: one parameter", `with params.id`},
	{"frameworks-on-workers", "answer.json", `"times": 16`, `"times": 0`, "3: how many times as long", `measure both`},
	{"grid-for-real", "src/index.js", "const data = new Uint8Array(1 << 20).fill(1); // one megabyte of this tenant's own\nlet visits = 0;\n\nexport default {\n  async fetch() {\n", "let visits = 0;\n\nexport default {\n  async fetch() {\n    const data = new Uint8Array(1 << 20).fill(1);\n", "3: the tenant holds a megabyte more", `Make it above`},
	{"shopkeepers", "site/src/index.js", "{ headers: request.headers });", "{ headers: request.headers }).catch(() => new Response(null, { status: 204, headers: { \"x-person\": \"Ada\" } }));", "1: nobody at the door", `only auth may judge a token`},
	{"good-fences", "probes.js", "prototype: [].stolen ?? null,", "prototype: note,", "1: the probes find what their own Worker left", `never looks there`},
	{"runaway-code", "loud/src/index.js", "let sum = 0;\n  for await (const piece of stream) sum += piece.length;\n  return sum;", "return 52428800;", "2: fifty megabytes, counted", `fits one download only`},
}

// TestWrongAnswersHelp runs them in real isolates; with -short one of each lesson.
func TestWrongAnswersHelp(t *testing.T) {
	if instrumented {
		t.Skip("one check after the other, and bounds on CPU time; make test plays it without the race detector")
	}
	door := realDoor(t)
	catalog, _ := lessons.Load(lessons.Shipped())
	tried := map[string]bool{}
	for _, c := range wrong {
		if testing.Short() && tried[c.lesson] {
			continue // one of each lesson; all take half a minute
		}
		tried[c.lesson] = true
		t.Run(c.lesson+"/"+c.check, func(t *testing.T) {
			l := catalog.ByID(c.lesson)
			text := string(l.Solution[c.file])
			if strings.Count(text, c.from) != 1 {
				t.Fatalf("%s holds %q %d times", c.file, c.from, strings.Count(text, c.from))
			}
			files := maps.Clone(l.Solution)
			files[c.file] = []byte(strings.Replace(text, c.from, c.to, 1))
			r, err := Run(t.Context(), Config{Door: door, Learner: "wrong", Answers: RightAnswers(l), Only: []int{index(t, l, c.check)}}, l, files, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range r.Tests {
				if x.Name != c.check {
					continue
				}
				if x.State != Failed {
					t.Fatal("nobody notices")
				}
				if f := x.Failure; !strings.Contains(f.Message+" "+f.Got, c.says) {
					t.Errorf("says %q, expected %s, got %s", f.Message, f.Expected, f.Got)
				}
				return
			}
			t.Fatal("there is no such check")
		})
	}
}

// What Express weighs is judged by the learner's own ×20 runs where there are
// both: a fifth off is right, a third is not, and the sentence has their figures.
// The memory of the isolates tells which is which.
func TestOwnRunsJudgeALoadTime(t *testing.T) {
	if instrumented {
		t.Skip("one check after the other, and bounds on CPU time; make test plays it without the race detector")
	}
	cat, _ := lessons.Load(lessons.Shipped())
	l := cat.ByID("frameworks-on-workers")
	own := func(load float64, memory int, n int, temperature string) map[string]any {
		return map[string]any{"n": n, "temperature": temperature, "memory": memory, "phases": map[string]float64{"load": load}}
	}
	samples := []any{own(1, 7<<20, 20, "warm"), own(4, 6<<20, 1, "cold"), own(300, 6<<20, 20, "cold"), own(3, 1<<20, 20, "cold")}
	door := realDoor(t)
	for times, says := range map[string]string{"100": "", "81": "", "119": "", "66": "load is 300.0 ms with Express and 3.0 ms with Hono"} {
		files := maps.Clone(l.Solution)
		files["answer.json"] = []byte(`{ "times": ` + times + ` }`)
		r, err := Run(t.Context(), Config{
			Door: door, Learner: "own", Only: []int{index(t, l, "3: how many times as long")},
			Lab: func(_ context.Context, id string) (any, error) {
				if id != "repeats" {
					t.Errorf("asked for the lab %q", id)
				}
				return samples, nil
			},
		}, l, files, nil)
		if err != nil || len(r.Tests) != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		if x := r.Tests[0]; x.State == Passed != (says == "") || x.Failure != nil && !strings.Contains(x.Failure.Message, says) {
			t.Errorf("%s: %s %+v", times, x.State, x.Failure)
		}
	}
}

// index is the place of a check among those of a lesson; names that a loop
// makes are searched for by what the script declares.
func index(t *testing.T, l *lessons.Lesson, name string) int {
	t.Helper()
	for i, d := range l.Declared {
		if d.Name == name {
			return i
		}
	}
	if l.ID == "five-dialects" { // five checks of one loop, behind two others
		return 2 + slices.IndexFunc([]string{"express", "lambda", "gcf", "azure", "worker"}, func(w string) bool { return strings.Contains(name, w) })
	}
	t.Fatalf("%s has no check %q", l.ID, name)
	return 0
}
