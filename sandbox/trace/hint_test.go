package trace

import "testing"

func TestHint(t *testing.T) {
	for _, test := range []struct{ name, message, code, want string }{
		{"TypeError", "cannot read property 'get' of undefined", "  2 | a\n> 3 |     const v = await env.NOTES.get(\"a\");\n    |               ^", "env.NOTES may be missing: check its name under the bindings in wrangler.jsonc."},
		{"TypeError", "Cannot read properties of undefined (reading 'name')", "> 3 | return new Response(user.name)", "What stands before the dot is missing: check its name, await it if it comes from a promise, or use ?. when it may be absent."},
		{"TypeError", "Cannot read properties of null (reading 'y')", "> 4 | return new Response(await env.C.getByName(name).inc())", "What stands before the dot is missing: check its name, await it if it comes from a promise, or use ?. when it may be absent."},
		{"TypeError", "Cannot read properties of undefined (reading 'name')", "> 3 | return new Response(request.query.name)", "A Request has no query: look at new URL(request.url) and request.headers."},
		{"TypeError", "not a function", "> 1 | const x = fetch(url).json().name", "fetch(url) gives a promise: write (await fetch(url)) before the dot."},
		{"TypeError", "not a function", "> 1 | go()", "Check the spelling, and that what stands before the bracket is the value you expect."},
		{"TypeError", "Body has already been used. It can only be used once.", "", "A body can be read once: keep the result in a variable, or call clone() before the first read."},
		{"ReferenceError", "NOTES is not defined", "", "Bindings are properties of env: write env.NOTES."},
		{"ReferenceError", "env is not defined", "", "env is the second parameter: async fetch(request, env)."},
		{"ReferenceError", "require is not defined", "", `Use import: import name from "package".`},
		{"ReferenceError", "nope is not defined", "", "Declare it, import it, or check its spelling."},
		{"SyntaxError", "Unexpected token '<', \"<!doctype \"... is not valid JSON", "", "The answer is HTML, not JSON: look at its status and text() first."},
		{"SyntaxError", "Unexpected end of JSON input", "> 1 | await request.json()", "The text is empty or cut off: check that there is a body before you parse it."},
		{"SyntaxError", "unexpected token: 'h'", "", "The text is not JSON: read it with text() and look at it first."},
		{"TypeError", "Invalid URL string.", "> 1 | new URL(\"/a\")", "A path needs a base: new URL(path, request.url)."},
		{"TypeError", "Can't modify immutable headers.", "", "Copy them first, const copy = new Headers(headers), and give the copy to a new Request or Response."},
		{"TypeError", "Can't modify immutable headers.", `answer.headers.set("a", request.headers.get("a"));`, "Copy it first: const copy = new Response(response.body, response), then change copy.headers."},
		{"TypeError", "Can't modify immutable headers.", `c.req.raw.headers.delete("a");`, "A request's headers cannot be changed: copy it first, const copy = new Request(c.req.raw), then change copy.headers."},
		{"SyntaxError", `Unexpected token ''', "'a'" is not valid JSON`, "", `JSON wants double quotes: write " instead of '.`},
		{"SyntaxError", `"[object Object]" is not valid JSON`, "", "An object was made into text before: store or send JSON.stringify(value)."},
		{"TypeError", "env.KV.fetch is not a function", "> 1 | env.KV.fetch(x)", "env.KV is there but has no method fetch: check the method's spelling, and the kind of binding."},
		{"TypeError", "Cannot read properties of undefined (reading 'purge')", "await ctx.cache.purge({ tags: [] })", "ctx.cache is not available here: keep answers with caches.default."},
		{"Error", `env.DB.x: bindings of type "hyperdrive" are not available here.`, "", "Use a database of d1_databases here."},
		{"Error", "The execution context which hosted this callback is no longer running.", "", "What a call gave back ends with the isolate that it came from, which also ends when its runner is stopped, and that need not be your code: make the call again, or run again."},
		{"Error", "CPU limit: stopped after 50 ms.", "> 6 | return env.O.getByName('a').m()", "What is called here reached it: its own fault, before this one, says where and what to do."},
		{"Error", "Your code could not be stopped gently; its runner was replaced.", "", "What is called here reached it: its own fault, before this one, says where and what to do."},
		{"Error", "Queue send failed: 2 messages wait in this project's queues, the most that may.", "", "Give the queue a consumer, or wait until those that wait are delivered."},
		{"Error", "Queue send failed: this project's 64 MiB of queues are full.", "", "Give the queue a consumer, or wait until those that wait are delivered."},
		{"Error", "Too many calls of stubs: one request may make 1000, counted over all Workers that it passes through.", "", "Do less in one request: batch, or keep results in a variable."},
		{"RangeError", "WebAssembly.Memory(): could not allocate memory", "", "An isolate has one memory limit for all that it holds, WebAssembly included: ask for less."},
		{"RangeError", "string too long", "", "The size is negative or too large: check how it is computed."},
		{"InternalError", "stack overflow", "", "A function calls itself without end: check what should stop it."},
		{"Error", "something of the learner's own", "", ""},
		{"", "", "", ""},
	} {
		if got := Hint(test.name, test.message, test.code); got != test.want {
			t.Errorf("%s: %s\ngot  %s\nwant %s", test.name, test.message, got, test.want)
		}
	}
}
