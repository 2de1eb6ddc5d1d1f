package trace

import (
	"regexp"
	"strings"
)

// Hint says in one sentence what to do about an exception, "" when there is
// nothing better to say than its message. name is the error's class. code is
// Fault.Code or a line of source: where the place of the error shows more than its message does,
// that is used. Messages are read as QuickJS and V8 write them.
func Hint(name, message, code string) string {
	if len(message) > 2000 {
		message = message[:2000]
	}
	if m := absentBinding.FindStringSubmatch(message); m != nil {
		if said := AbsentBindings[strings.TrimSuffix(m[1], "_sql")]; said != "" {
			return said
		}
	}
	line := marked(code)
	if m := propertyOf.FindStringSubmatch(message); m != nil && !strings.Contains(line, "."+m[1]) {
		line = "" // it happened elsewhere: the line is where another isolate was called
	}
	for _, h := range hints {
		if h.name != "" && h.name != name {
			continue
		}
		in, out := h.message.FindStringSubmatchIndex(message), message
		if in == nil {
			continue
		}
		if h.line != nil {
			if in, out = h.line.FindStringSubmatchIndex(line), line; in == nil {
				continue
			}
			return string(h.line.ExpandString(nil, h.hint, out, in))
		}
		return string(h.message.ExpandString(nil, h.hint, out, in))
	}
	return ""
}

// propertyOf finds what was read or set of nothing, as V8 says it.
var propertyOf = regexp.MustCompile(`\((?:reading|setting) '([^']*)'\)$`)

// marked is the line of a code frame that has the marker, or all of a plain line.
func marked(code string) string {
	for line := range strings.Lines(code) {
		if rest, ok := strings.CutPrefix(line, "> "); ok {
			_, text, _ := strings.Cut(rest, "| ")
			return strings.TrimSpace(text)
		}
	}
	line, _, _ := strings.Cut(code, "\n")
	return strings.TrimSpace(line)
}

// hint is one rule. $1 stands for a group of line, or else of message.
type hint struct {
	name    string         // class of the error, "" for any
	message *regexp.Regexp // in its message
	line    *regexp.Regexp // in the line it happened on, nil for any
	hint    string
}

func rule(name, message, line, text string) hint {
	h := hint{name: name, message: regexp.MustCompile(message), hint: text}
	if line != "" {
		h.line = regexp.MustCompile(line)
	}
	return h
}

const (
	ofUndefined = `(?i)cannot (?:read|set) propert.*(?:undefined|null)|undefined is not an object|(?:undefined|null) has no properties`
	notFunction = `(?i)not a function`
)

// hints for the mistakes that learners make most, the more special ones first.
var hints = []hint{
	// Handlers and responses.
	rule("", `no default export|does not export a default`, "", "Write export default { async fetch(request, env, ctx) { … } } in the entry file."),
	rule("", `^Handler does not export a fetch`, `\.fetch\(`, "What is called here has no fetch method: add one to it, or call another of its methods."),
	rule("", `^The Durable Object class \S+ has no fetch method`, "", "Add async fetch(request) { … } to the class, or call another of its methods on the stub."),
	rule("", `(?i)does not (?:export|have) a(?:ny)? fetch|no fetch handler|Handler does not export a fetch\(\) function`, "", "Add a fetch method to the default export: export default { async fetch(request) { … } }."),
	rule("", `is a class that does not extend WorkerEntrypoint`, "", "Write import { WorkerEntrypoint } from \"cloudflare:workers\" and let the class extend it, or export an object with a fetch method instead."),
	rule("", `(?i)returned undefined|Promise did not resolve to 'Response'|must return a Response|not a Response`, `\b(\w+)\.map\(`, "map gives an array; wrap it: return Response.json($1.map(…))."),
	rule("", `(?i)returned (?:undefined|nothing)`, "", "Put return before the Response; a branch without return is the usual cause."),
	rule("", `(?i)Promise did not resolve to 'Response'|must return a Response|not a Response`, "", "Return new Response(text) or Response.json(value) from every branch of fetch."),
	rule("", `did not call event\.respondWith`, "", "Call event.respondWith(response) in the listener, before any await; a promise of a Response will do."),
	rule("", `^No event listener for "fetch"`, "", `Write addEventListener("fetch", (event) => event.respondWith(…)).`),
	rule("", `^Too late to call FetchEvent\.respondWith`, "", "Call it at once, with a promise: event.respondWith(handle(event.request))."),
	rule("TypeError", `^This ReadableStream is disturbed`, "", "A body can be read once: call clone() on the request or response before the first read."),
	rule("TypeError", `currently locked to a reader`, `\bclone\(`, "clone() comes before the first read: a body that was read is gone."),
	rule("TypeError", `(?i)body has already been used|body.*(?:disturbed|locked|already (?:been )?(?:read|used))`, "", "A body can be read once: keep the result in a variable, or call clone() before the first read."),
	rule("TypeError", `immutable headers`, `\b((?:[A-Za-z_$][\w$]*\.)*(?:req|request)(?:\.raw)?)\.headers\.(?:set|append|delete)\b`, "A request's headers cannot be changed: copy it first, const copy = new Request($1), then change copy.headers."),
	rule("TypeError", `immutable headers`, `\.headers\.(?:set|append|delete)\b`, "Copy it first: const copy = new Response(response.body, response), then change copy.headers."),
	rule("TypeError", `immutable headers`, "", "Copy them first, const copy = new Headers(headers), and give the copy to a new Request or Response."),
	rule("TypeError", `(?i)GET or HEAD`, "", `Give the request method: "POST" when it has a body.`),
	rule("TypeError", `(?i)null body status`, "", "Use null as the body of a 204 or 304, or another status."),
	rule("RangeError", `not a redirect status code`, "", "Use 302, or 301 when the address has moved for good."),
	rule("RangeError", `(?i)status`, `\b101\b`, "A 101 answer carries a socket: new Response(null, { status: 101, webSocket: client })."),
	rule("RangeError", `(?i)status`, "", "Use a status from 200 to 599."),
	rule("", `(?i)different request`, "", "Streams and bodies belong to one request; keep text or data in globals instead."),
	rule("", `^The execution context which hosted this callback is no longer running`, "", "What a call gave back ends with the isolate that it came from, which also ends when its runner is stopped, and that need not be your code: make the call again, or run again."),
	rule("", `(?i)global scope|top level`, "", "Do this inside a handler: the top level runs once, before any request."),

	// Bindings and promises, seen in the line.
	rule("TypeError", ofUndefined, `\b(?:ctx|context)\.cache\.`, "ctx.cache is not available here: keep answers with caches.default."),
	rule("TypeError", ofUndefined, `\b(?:ctx|context)\.access\.`, "ctx.access is not available here: no Cloudflare Access stands before a Worker."),
	rule("TypeError", `^env\.([A-Za-z_$][\w$]*)\.([A-Za-z_$][\w$]*) is not a function$`, "", "env.$1 is there but has no method $2: check the method's spelling, and the kind of binding."),
	rule("TypeError", ofUndefined+`|`+notFunction, `\benv\.([A-Za-z_$][\w$]*)\s*\.`, "env.$1 may be missing: check its name under the bindings in wrangler.jsonc."),
	rule("TypeError", ofUndefined+`|`+notFunction, `\b(request|req)\.url\.(?:searchParams|pathname|host|hostname|search)\b`, "$1.url is text: take it apart with new URL($1.url)."),
	rule("TypeError", ofUndefined, `\bheaders\.([a-z]\w*)\.`, `Headers are read with get: headers.get("$1").`),
	rule("TypeError", notFunction, `\bres(?:ponse)?\.(?:send|json|status|end|render|redirect)\(`, "A Worker's fetch returns its answer, return new Response(text); its second parameter is env."),
	rule("TypeError", `\bchunk\.\w+ is not a function$`, "", "A body's chunks are bytes: send the body through new TextDecoderStream() first."),
	rule("TypeError", ofUndefined, `\.(?:match|exec)\([^()]*(?:\([^()]*\)[^()]*)*\)[\[.]`, "match and exec give null when nothing is found: check for that first."),
	rule("TypeError", ofUndefined, `\bgetAttribute\(("[^"]*"|'[^']*')\)\.`, "getAttribute gives null where there is no attribute $1: check the name, or look first."),
	rule("TypeError", ofUndefined, `\bthis\.[\w$]+`, "If this is missing: call the method on its object, with the dot, or pass () => object.method()."),
	rule("TypeError", ofUndefined+`|Cannot destructure`, `\b(?:request|req)\.(query|params|cookies)\b`, "A Request has no $1: look at new URL(request.url) and request.headers."),
	rule("TypeError", ofUndefined+`|Cannot destructure`, `\b(request|req)\.body\b`, "$1.body is a stream: read it first, with await $1.json()."),
	rule("TypeError", `does not implement the method "(\w+)"`, "", "Check the name $1: only methods that the class itself declares are called from outside."),
	rule("TypeError", `not of type 'DurableObjectId'`, "", "Use getByName(name), or get(…) with what idFromName(name) gives."),
	rule("TypeError", `not of type 'DurableObjectState'`, "", "Objects are not made with new: call one through its binding, as env.NAME.getByName(name)."),
	rule("TypeError", `KV put\(\) accepts only`, "", `Store text, JSON.stringify(value), and read it with get(key, "json").`),
	rule("TypeError", `must have a known length`, "", "Read it to its end first, or send it through a FixedLengthStream."),
	rule("", `There is no Worker named`, "", `Correct "service" under "services", or add that Worker's folder with a wrangler.jsonc of its own.`),
	rule("TypeError", `Please use the 'new' operator|^Constructor \w+ requires 'new'|^Promise constructor`, "", "Write new before the name."),
	rule("TypeError", `constructor parameter 2 is not of type 'InitializerDict`, `\bResponse\(.*,\s*(\d{3})\s*\)`, "The status stands in an object: new Response(body, { status: $1 })."),
	rule("TypeError", `^Illegal invocation`, "", "Call the method on its object, with the dot: taken out of it, it has lost it."),
	rule("ReferenceError", `^'?([A-Z][A-Z0-9_]*)'? is not defined`, "", "Bindings are properties of env: write env.$1."),
	rule("ReferenceError", `^'?env'? is not defined`, "", "env is the second parameter: async fetch(request, env)."),
	rule("ReferenceError", `^'?ctx'? is not defined`, "", "ctx is the third parameter: async fetch(request, env, ctx)."),
	rule("ReferenceError", `^'?(?:request|req)'? is not defined`, "", "The request is the first parameter: async fetch(request)."),
	rule("TypeError", ofUndefined+`|`+notFunction, `\b(fetch\([^)]*\)|\w+\.(?:json|text|formData|arrayBuffer)\(\))(?:\s+as\s+\w+\))?\s*\.\s*\w+`, "$1 gives a promise: write (await $1) before the dot."),
	rule("TypeError", `(?i)(?:text|json|formData|arrayBuffer|headers|status|ok).*not a function|not a function.*(?:text|json)`, `^(?:(?:const|let|var)\s+)?[^;]*\b(\w+)\.(?:text|json|formData|arrayBuffer)\(`, "If $1 comes from a promise such as fetch(…), put await before that."),

	// JSON.
	rule("SyntaxError", `(?i)unexpected token '?<|'<'|"<!doctype|"<html`, "", "The answer is HTML, not JSON: look at its status and text() first."),
	rule("SyntaxError", `(?i)unexpected (?:end|eof)|end of (?:json|data|input)|empty`, `json|JSON`, "The text is empty or cut off: check that there is a body before you parse it."),
	rule("SyntaxError", `end of JSON input`, "", "The text is empty or cut off: check that there is a body before you parse it."),
	rule("SyntaxError", `^Unexpected token '''`, "", `JSON wants double quotes: write " instead of '.`),
	rule("SyntaxError", `^Expected (?:property name|double-quoted property name)`, "", `In JSON names stand in double quotes, as in {"a": 1}, and no comma before the }.`),
	rule("SyntaxError", `^"\[object Object\]" is not valid JSON`, "", "An object was made into text before: store or send JSON.stringify(value)."),
	rule("", `^KV GET_BULK failed.* non-json value$`, "", `What is stored under one of the keys is not JSON: look at them without "json", and store JSON.stringify(value).`),
	rule("SyntaxError", ` JSON`, `\.get(?:WithMetadata)?\([^()]*["']json["']`, "What is stored is not JSON: look at it with get(key), and store JSON.stringify(value)."),
	rule("SyntaxError", `(?i)json|unexpected token|unexpected end|unexpected character`, "", "The text is not JSON: read it with text() and look at it first."),
	rule("TypeError", `(?i)circular`, "", "JSON cannot hold a value that contains itself: pick the fields you need."),
	rule("TypeError", `(?i)bigint.*(?:json|serializ)|serialize a BigInt`, "", "JSON has no BigInt: use String(value)."),

	// Data.
	rule("", `no such table: (\w+)`, "", `Create the table $1 first: CREATE TABLE IF NOT EXISTS $1 (…).`),
	rule("", `no such column: (\S+)`, "", "Check the name: $1 is no column of the tables in this query; texts stand in single quotes."),

	rule("", `near "([^"]*)": syntax error`, "", "The SQL cannot be read at $1: look for a typing error there or just before."),
	rule("", `no such file or directory`, "", "A Worker has no disk: import the file, or bind static assets."),
	rule("", `digest algorithm`, "", `Write the name with its dash, as "SHA-256".`),
	rule("TypeError", `not an ArrayBuffer or a view on one`, "", "Bytes are needed: new TextEncoder().encode(text)."),
	rule("TypeError", `stream.*locked|locked.*reader`, "", "A stream has one reader at a time: release the first with releaseLock(), or tee() the stream."),
	rule("RangeError", `(?i)invalid time value`, "", "This is no date that Date can read: check it before you format it."),

	rule("", `Wrong number of parameter bindings`, "", "Give bind one value for each ? of the query."),
	rule("", `D1_TYPE_ERROR: Type 'undefined'`, "", "bind takes no undefined: check the name of the value, or give null."),
	rule("", `UNIQUE constraint failed: (\S+?):`, "", "There is a row with this $1 already: update it, or write INSERT OR IGNORE."),
	rule("", `NOT NULL constraint failed: (\S+?):`, "", "Give $1 a value, or a DEFAULT in the table."),
	rule("", `Expiration TTL must be at least`, "", "expirationTtl counts seconds and is 60 or more."),
	rule("SyntaxError", `^Invalid regular expression.*(?:Unterminated|Unmatched)`, "", `A bracket is open or too much; one that stands for itself has a backslash: \(.`),
	rule("SyntaxError", `^Invalid regular expression.*numbers out of order`, "", "The smaller number stands first, as in {1,2}."),
	rule("SyntaxError", `^Invalid regular expression.*Nothing to repeat`, "", `The signs * + ? repeat what stands before them; one that stands for itself has a backslash: \+.`),
	rule("TypeError", `^Parser error`, "", "This is no selector that HTMLRewriter reads: write it as in CSS."),
	rule("", `^The module has no export named`, "", `Correct the binding's "entrypoint" in wrangler.jsonc, or export a class of that name.`),

	// URLs and headers.
	rule("TypeError", `Unable to parse URL`, "", "Use an absolute URL: new URL(path, request.url)."),
	rule("TypeError", `(?i)invalid url`, `new URL\(\s*["'\x60]/`, "A path needs a base: new URL(path, request.url)."),
	rule("TypeError", `(?i)invalid url`, "", "Use an absolute URL, with https:// and a host, or give a base as the second argument."),
	rule("TypeError", `(?i)invalid header`, "", "Header names have no spaces, and values no line breaks."),

	// Names.
	rule("ReferenceError", `^'?require'? is not defined`, "", `Use import: import name from "package".`),
	rule("ReferenceError", `^'?(?:module|exports)'? is not defined`, "", "Use export instead of module.exports."),
	rule("ReferenceError", `^'?(?:window|document|localStorage|sessionStorage|alert|XMLHttpRequest)'? is not defined`, "", "There is no page here: a Worker runs on the server."),
	rule("ReferenceError", `^'?(?:__dirname|__filename)'? is not defined`, "", "A Worker has no folder: import the file's content, or bind static assets."),
	rule("ReferenceError", `^Must call super constructor`, "", "Begin the constructor with super(…), with the arguments that the class above takes: super(ctx, env)."),
	rule("ReferenceError", `(?i)before initialization|is not initialized|uninitialized`, "", "It is used above the line that declares it: move the declaration up."),
	rule("ReferenceError", `is not defined`, "", "Declare it, import it, or check its spelling."),

	// Values.
	rule("TypeError", `(?i)not iterable`, `\.(?:match|exec)\(`, "match and exec give null when nothing is found: check for that first."),
	rule("TypeError", `(?i)not iterable|not an iterator`, "", "Only arrays, strings, maps and sets can be spread or looped over; a promise must be awaited first."),
	rule("TypeError", `(?i)(?:assign|read.?only|constant)`, "", "It cannot be changed: declare it with let, or make a copy."),
	rule("TypeError", `(?i)(?:class constructor|constructor).*(?:without|requires) '?new`, "", "Write new before the name."),
	rule("TypeError", `Cannot destructure`, `(?:\bfunction\b[^=]*|^(?:async\s+)?[\w$]+\s*|=\s*(?:async\s*)?)\(\s*\{|\(\s*\{[^}]*\}[^)]*\)\s*=>`, "The function gets no such object: look at the call, the next line of the stack."),
	rule("TypeError", `^Cannot convert undefined or null to object`, "", "What is taken apart, or given to Object.keys and the like, is missing: check its name, or await it if it comes from a promise."),
	rule("TypeError", `Cannot destructure`, "", "What stands after the equals sign is missing: check its name, or await it if it comes from a promise."),
	rule("TypeError", ofUndefined, "", "What stands before the dot is missing: check its name, await it if it comes from a promise, or use ?. when it may be absent."),
	rule("TypeError", notFunction, "", "Check the spelling, and that what stands before the bracket is the value you expect."),
	rule("RangeError", `(?i)call stack|stack overflow`, "", "A function calls itself without end: check what should stop it."),
	rule("InternalError", `(?i)stack overflow`, "", "A function calls itself without end: check what should stop it."),
	rule("RangeError", `(?i)invalid array length|invalid string length|string too long|array buffer`, "", "The size is negative or too large: check how it is computed."),
	rule("EvalError", `.`, "", "Workers make no code from text here: write the function instead."),
	rule("Error", `^(?:CPU|Memory|Time) limit: |^Your code (?:could not be stopped gently|stopped its runner)`, "", "What is called here reached it: its own fault, before this one, says where and what to do."),
	rule("Error", `^Queue send failed: .*this project's .*queues`, "", "Give the queue a consumer, or wait until those that wait are delivered."),
	rule("RangeError", `^WebAssembly\.(?:Memory|Table|Global)\(\): could not allocate memory`, "", "An isolate has one memory limit for all that it holds, WebAssembly included: ask for less."),
	rule("", `(?i)too many (?:subrequests|calls of|pieces of)`, "", "Do less in one request: batch, or keep results in a variable."),
	rule("", `No such module`, "", "Check the path; an import() finds only files and packages that the bundler sees as text."),
	rule("", `(?i)no server is listening`, "", "Call app.listen(3000) when the file loads, outside any callback."),
	rule("", `^Response \{`, "", "A Response is returned, not thrown: write return."),
	rule("DataCloneError", `.`, "", "Functions and classes cannot be copied: send plain data."),
}
