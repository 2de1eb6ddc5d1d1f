package bundle

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestDialects(t *testing.T) {
	for _, test := range []struct{ name, file, source, dialect, want string }{
		{"seed", "index.js", "exports.login = (req, res) => {\n   // logic for authentication\n   res.send(\"User logged in\");\n};\n", "", "FunctionRequest"},
		{"module.exports function", "index.js", "module.exports = (req, res) => res.send('x')", "", "FunctionRequest"},
		{"framework", "index.js", "const functions = require('@google-cloud/functions-framework'); functions.http('login', (req, res) => res.send('x'));", "", "registered.set("},
		{"firebase", "index.js", "const { onRequest } = require('firebase-functions/v2/https'); exports.login = onRequest((req, res) => res.send('x'));", "", "FunctionRequest"},
		{"firebase v1", "index.ts", "import * as functions from 'firebase-functions'; export const login = functions.https.onRequest((req, res) => res.send('x'));", "", "FunctionRequest"},
		{"lambda", "index.mjs", "export const handler = async (event) => ({ statusCode: 200, body: event.rawPath });", "", "rawQueryString"},
		{"lambda commonjs", "index.js", "exports.handler = async (event) => ({ statusCode: 200, body: 'x' });", "", "rawQueryString"},
		{"azure", "src/index.js", "const { app } = require('@azure/functions'); app.http('login', { methods: ['GET'], handler: async () => ({ body: 'x' }) });", "", "matchRoute"},
		{"azure esm", "src/index.ts", "import { app, HttpRequest } from '@azure/functions'; app.get('login', async (r: HttpRequest) => ({ body: 'x' }));", "", "matchRoute"},
		{"node http", "index.js", "import http from 'node:http'; http.createServer((q, s) => s.end('x')).listen(3000);", "", "httpServerHandler"},
		{"named", "index.js", "export const hello = (req, res) => res.send('x');", "gcf", "FunctionRequest"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := files(test.file, test.source)
			if test.dialect != "" {
				p.Files["wrangler.jsonc"] = []byte(`{"compatibility_date": "2026-11-01", "dialect": "` + test.dialect + `"}`)
			}
			w := mustBuild(t, Config{}, p)
			if !strings.Contains(w.Code, test.want) || !strings.Contains(w.Code, "as default") {
				t.Errorf("code lacks %q:\n%s", test.want, w.Code)
			}
			if w.Main != test.file {
				t.Errorf("main is %q", w.Main)
			}
		})
	}
}

func TestExpressDialect(t *testing.T) {
	w := mustBuild(t, shelfForTest(t), files("index.js", "import express from \"express\"\nconst app = express();\n\napp.get(\"/route\", (req, res) => {\n  res.send('x')\n});\napp.listen(3000)\n"))
	listen, entry := strings.Index(w.Code, "prototype.listen = function"), strings.Index(w.Code, `app.get("/route"`)
	if listen < 0 || entry < listen {
		t.Errorf("listen is watched at %d, the program runs at %d", listen, entry)
	}
}

func TestNotDialects(t *testing.T) {
	for name, source := range map[string]string{
		"worker":               hello,
		"worker with handler":  "export const handler = 1; export default { fetch() {} }",
		"commonjs worker":      "module.exports = { fetch() { return new Response('x') } }",
		"handler in a comment": "// exports.handler = 1\nexport default { fetch() {} }",
	} {
		t.Run(name, func(t *testing.T) {
			if w := mustBuild(t, Config{}, files("index.js", source)); strings.Contains(w.Code, "rawPath") || strings.Contains(w.Code, "FunctionRequest") {
				t.Errorf("an adapter was used:\n%s", w.Code)
			}
		})
	}
}

func TestAdapterSource(t *testing.T) {
	for _, d := range dialectNames {
		if (AdapterSource(d) == "") != (d == "worker") {
			t.Errorf("dialect %s has %d bytes of source", d, len(AdapterSource(d)))
		}
	}
}

// TestDialectsAnswer runs adapted files under Node, whose Request and Response
// are standard, and compares status, headers and body.
func TestDialectsAnswer(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	for _, test := range []struct{ name, source, request, want string }{
		{
			"seed", "exports.login = (req, res) => { res.send(\"User logged in\"); };",
			`"http://x.example/login"`, "200 text/html; charset=utf-8 | User logged in",
		},
		{
			"gcf json", "exports.a = (req, res) => res.status(201).json({ q: req.query, p: req.path, b: req.body, m: req.method }); exports.b = (req, res) => res.redirect('/z');",
			`"http://x.example/a/deep?n=1&n=2", { method: "POST", body: "{\"k\":1}", headers: { "content-type": "application/json" } }`,
			`201 application/json; charset=utf-8 | {"q":{"n":["1","2"]},"p":"/deep","b":{"k":1},"m":"POST"}`,
		},
		{"gcf unknown", "exports.a = (req, res) => res.send('a'); exports.b = (req, res) => res.send('b');", `"http://x.example/c"`, "404 text/plain;charset=UTF-8 | Not Found"},
		{"gcf throws", "exports.a = async () => { throw new Error('no') };", `"http://x.example/"`, "500 text/plain;charset=UTF-8 | Internal Server Error"},
		{"framework", "const f = require('@google-cloud/functions-framework'); f.http('hi', (req, res) => res.set('content-type', 'text/plain').send(req.get('X-Name')))", `"http://x.example/hi", { headers: { "x-name": "Ada" } }`, "200 text/plain | Ada"},
		{"firebase callable", "const { onCall } = require('firebase-functions/https'); exports.sum = onCall((r) => r.data.a + 1)", `"http://x.example/sum", { method: "POST", body: "{\"data\":{\"a\":1}}", headers: { "content-type": "application/json" } }`, `200 application/json; charset=utf-8 | {"result":2}`},
		{
			"lambda", "export const handler = async (e, c) => ({ statusCode: 201, headers: { 'x-a': 'b' }, body: JSON.stringify([e.version, e.rawPath, e.rawQueryString, e.queryStringParameters, e.cookies, e.body, e.requestContext.http.method, typeof c.getRemainingTimeInMillis()]) })",
			`"http://x.example/a%20b?x=1&x=2", { method: "POST", body: "hi", headers: { cookie: "a=1; b=2" } }`,
			`201 text/plain;charset=UTF-8 | ["2.0","/a b","x=1&x=2",{"x":"1,2"},["a=1","b=2"],"hi","POST","number"]`,
		},
		{"lambda plain value", "exports.handler = async () => ({ ok: true })", `"http://x.example/"`, `200 application/json | {"ok":true}`},
		{"lambda callback", "exports.handler = (event, context, callback) => { setTimeout(() => callback(null, { statusCode: 204 }), 1) }", `"http://x.example/"`, `204 text/plain;charset=UTF-8 | `},
		{"lambda throws", "exports.handler = async () => { throw new Error('no') }", `"http://x.example/"`, `500 application/json | {"message":"Internal Server Error"}`},
		{"azure", "const { app } = require('@azure/functions'); app.http('user', { route: 'users/{id:int}', handler: async (r, c) => ({ jsonBody: { id: r.params.id, q: r.query.get('q'), f: c.functionName } }) })", `"http://x.example/api/users/7?q=z"`, `200 application/json | {"id":"7","q":"z","f":"user"}`},
		{"azure method", "const { app } = require('@azure/functions'); app.get('a', async () => ({ body: 'x' }))", `"http://x.example/api/a", { method: "POST" }`, `404  | `},
		{"azure nothing", "const { app } = require('@azure/functions'); app.get('a', async () => {})", `"http://x.example/api/a"`, `204  | `},
		{"azure optional", "const { app } = require('@azure/functions'); app.get('a', { route: 'a/{b?}', handler: async (r) => ({ body: 'b=' + r.params.b, status: 202 }) })", `"http://x.example/api/a"`, `202 text/plain;charset=UTF-8 | b=undefined`},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := "index.js"
			w := mustBuild(t, Config{}, files(file, test.source))
			path := filepath.Join(t.TempDir(), "worker.mjs")
			driver := w.Code + "\nconsole.error = () => {}; const it = await gcfOr().fetch(new Request(" + test.request + "), {}); process.stdout.write(it.status + ' ' + (it.headers.get('content-type') ?? '') + ' | ' + await it.text());\n" +
				"function gcfOr() { return typeof gcf_default !== 'undefined' ? gcf_default : typeof lambda_default !== 'undefined' ? lambda_default : azure_default; }\n"
			if err := os.WriteFile(path, []byte(driver), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), node, path).CombinedOutput()
			if err != nil || string(out) != test.want {
				t.Errorf("got  %s\nwant %s\n%v", out, test.want, err)
			}
		})
	}
}
