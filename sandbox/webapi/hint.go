package webapi

import (
	"regexp"

	"coldstart/sandbox/trace"
)

// hints say what to do about the mistakes learners make most. The first match wins.
var hints = []struct {
	name    string // class of the error, "" for any
	message *regexp.Regexp
	hint    string
}{
	{"", regexp.MustCompile(`no default export`), "Write `export default { fetch(request, env, ctx) { … } }` in the entry file."},
	{"", regexp.MustCompile(`does not export a fetch`), "Add a fetch method to the default export: `export default { fetch(request) { … } }`."},
	{"", regexp.MustCompile(`returned undefined instead of a Response`), "Return the Response: a missing `return`, or a branch without one, is the usual cause."},
	{"", regexp.MustCompile(`must return a Response`), "Wrap the value: `return new Response(value)` or `return Response.json(value)`."},
	{"TypeError", regexp.MustCompile(`Body has already been used`), "Read a body once and keep the result, or call clone() before the first read."},
	{"TypeError", regexp.MustCompile(`immutable headers`), "Make a copy first: `new Response(response.body, response)` or `new Headers(request.headers)`."},
	{"TypeError", regexp.MustCompile(`GET or HEAD method cannot have a body`), "Use method POST or PUT when you send a body."},
	{"TypeError", regexp.MustCompile(`Invalid URL`), "Use an absolute URL, with https:// and a host, or give a base as the second argument."},
	{"TypeError", regexp.MustCompile(`(?:cannot read property|Cannot read propert).*(?:undefined|null)`), "The value before the dot is missing at this point: check for it, or await what gives it."},
	{"TypeError", regexp.MustCompile(`not a function`), "Check the name and that the value before the call is what you expect; a promise must be awaited first."},
	{"TypeError", regexp.MustCompile(`not iterable`), "Only arrays, strings, maps, sets and the like can be spread or looped over with for…of."},
	{"TypeError", regexp.MustCompile(`(?i)circular`), "JSON cannot hold a value that contains itself: pick the fields you need."},
	{"ReferenceError", regexp.MustCompile(`require is not defined`), "Use `import … from …` instead of require()."},
	{"ReferenceError", regexp.MustCompile(`(?:window|document|localStorage) is not defined`), "There is no page here: a Worker runs on the server."},
	{"ReferenceError", regexp.MustCompile(`is not defined`), "Declare the name, import it, or check its spelling. Bindings are on env, not global."},
	{"RangeError", regexp.MustCompile(`(?i)call stack|stack overflow`), "A function calls itself without an end: check the condition that should stop it."},
	{"RangeError", regexp.MustCompile(`status codes? in the range`), "Use a status from 200 to 599; 101 needs a WebSocket in the init."},
	{"TypeError", regexp.MustCompile(`Invalid header name`), "A header's name has letters, digits and hyphens; no spaces and no colon."},
	{"TypeError", regexp.MustCompile(`Invalid header value`), "A header's value has no line breaks: trim or encode the text first."},
	{"SyntaxError", regexp.MustCompile(`(?i)json|unexpected token|unexpected end`), "The text is not JSON: look at it with text() first, and check that the request has a body."},
	{"EvalError", regexp.MustCompile(`.`), "Workers make no code from text here: write the function instead."},
	{"", regexp.MustCompile(`within global scope`), "Do this inside a handler: the top level runs once, before any request."},
	{"", regexp.MustCompile(`different request`), "Use a request's body and streams only in the handler of that request."},
}

func hint(f *trace.Fault) string {
	if h := trace.Hint(f.Name, f.Message, f.Code); h != "" {
		return h
	}
	for _, h := range hints {
		if (h.name == "" || h.name == f.Name) && h.message.MatchString(f.Message) {
			return h.hint
		}
	}
	return ""
}

// hint is what to do about an exception, from the sources around it where they
// show more. noError tells that what was thrown is no Error.
func (s *stacks) hint(f *trace.Fault, noError bool) string {
	for _, find := range []func(*trace.Fault) string{s.inListener, s.missingAwait, s.onlyType, hint} {
		if h := find(f); h != "" {
			return h
		}
	}
	if f.Kind == trace.FaultException && noError {
		return "Throw or reject with an Error: new Error(text) remembers where it was made."
	}
	return ""
}
