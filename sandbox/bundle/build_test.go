package bundle

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

// shelfForTest is the shelf from web/node_modules, where npm ci was run.
func shelfForTest(t testing.TB) Config {
	t.Helper()
	dir := "../../web/node_modules"
	if _, err := os.Stat(dir + "/hono/package.json"); err != nil {
		t.Skip("web/node_modules is missing: run npm ci in web")
	}
	return Config{Shelf: newShelf(os.DirFS(dir))}
}

// files makes a project of pairs of name and text.
func files(pairs ...string) trace.Project {
	p := trace.Project{Files: map[string][]byte{}}
	for i := 0; i < len(pairs); i += 2 {
		p.Files[pairs[i]] = []byte(pairs[i+1])
	}
	return p
}

func build(t testing.TB, cfg Config, p trace.Project) *trace.Deployment {
	t.Helper()
	d := Build(t.Context(), cfg, p)
	if (d.Fault == nil) == (len(d.Workers) == 0) {
		t.Fatalf("want either Workers or a Fault, got %d and %v", len(d.Workers), d.Fault)
	}
	return d
}

func mustBuild(t testing.TB, cfg Config, p trace.Project) trace.Worker {
	t.Helper()
	d := build(t, cfg, p)
	if d.Fault != nil {
		t.Fatalf("%s: %s %s %v\n%s", d.Fault.Kind, d.Fault.Message, d.Fault.Hint, d.Fault.Frames, d.Fault.Code)
	}
	return d.Workers[0]
}

const hello = "export default { fetch() { return new Response('hi'); } };"

func TestBuildKinds(t *testing.T) {
	for _, test := range []struct {
		name    string
		project trace.Project
		main    string
		has     []string
	}{
		{"javascript", files("index.js", hello), "index.js", []string{"export {\n  ", " as default"}},
		{"typescript", files("src/index.ts", "interface A { b: string }\nexport default { fetch(r: Request): Response { return new Response('x') } }"), "src/index.ts", []string{"fetch(r) {"}},
		{"main from wrangler", files("wrangler.jsonc", `{"main":"a/b.js", "compatibility_date": "2026-01-01",}`, "a/b.js", hello, "index.js", "nope("), "a/b.js", []string{"Response"}},
		{"only script", files("anything.js", hello), "anything.js", []string{"Response"}},
		{"several files, no suffix", files("src/index.ts", "import {a} from './lib'; export default {fetch: () => new Response(a)}", "src/lib.ts", "export const a: string = 'from lib'"), "src/index.ts", []string{"from lib"}},
		{"js names a ts file", files("src/index.ts", "import {a} from './lib.js'; export default {fetch: () => new Response(a)}", "src/lib.ts", "export const a: string = 'from lib'"), "src/index.ts", []string{"from lib"}},
		{"json", files("index.js", "import d from './d.json'; export default {fetch: () => Response.json(d)}", "d.json", `{"title":"menu"}`), "index.js", []string{`title: "menu"`}},
		{"text and html", files("index.js", "import a from './a.txt'; import b from './b.html'; export default {fetch: () => new Response(a+b)}", "a.txt", "héllo\n", "b.html", "<p>"), "index.js", []string{`"héllo\n"`, `"<p>"`}},
		{"bin", files("index.js", "import a from './a.bin'; export default {fetch: () => new Response(a)}", "a.bin", "\x00\xff"), "index.js", []string{"AP8=", ".buffer.slice"}},
		{"wasm", files("index.js", "import a from './lib/a.wasm'; export default {fetch: () => new Response(a)}", "lib/a.wasm", "\x00asm"), "index.js", []string{`from "coldstart:wasm/lib/a.wasm"`}},
		{"dynamic import", files("index.js", "export default {async fetch() { return new Response((await import('./p.js')).default) }}", "p.js", "export default 'plug'"), "index.js", []string{"plug", "Promise.resolve().then"}},
		{"missing dynamic import", files("index.js", "export default {async fetch() { return new Response(await import('./nope.js')) }}"), "index.js", []string{`No such module "nope.js".`}},
		{"cloudflare and node stay", files("index.js", "import {env} from 'cloudflare:workers'; import {Buffer} from 'node:buffer'; import p from 'path'; export default {fetch: () => new Response(p.join(Buffer.from(env.A)+''))}"), "index.js", []string{`from "cloudflare:workers"`, `from "node:buffer"`, `from "node:path"`}},
		{"using is lowered", files("index.ts", "export default {fetch() { using a = {[Symbol.dispose]() {}}; return new Response('x') }}"), "index.ts", []string{"__using"}},
		{"commonjs helper", files("index.js", "import {a} from './lib.cjs'; export default {fetch: () => new Response(a)}", "lib.cjs", "const p = require('node:path'); exports.a = p.sep"), "index.js", []string{`from "node:path"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := mustBuild(t, Config{}, test.project)
			if w.Main != test.main {
				t.Errorf("main is %q, want %q", w.Main, test.main)
			}
			for _, part := range test.has {
				if !strings.Contains(w.Code, part) {
					t.Errorf("code lacks %q:\n%s", part, w.Code)
				}
			}
			if strings.Contains(w.Code, "sourceMappingURL") || w.Classic {
				t.Errorf("want a module without a map comment:\n%s", w.Code)
			}
			if w.Version == "" || w.Date == "" {
				t.Errorf("version %q, date %q", w.Version, w.Date)
			}
		})
	}
}

func TestBuildServiceWorker(t *testing.T) {
	const source = "// comment\nvar count = 0;\nfunction hit() { return ++count }\naddEventListener('fetch', (e) => e.respondWith(new Response('n' + hit())));\n"
	w := mustBuild(t, Config{}, files("worker.js", source))
	if !w.Classic || !strings.Contains(w.Code, "function hit()") || strings.Contains(w.Code, "(() =>") {
		t.Errorf("want a classic script with its globals, got classic %v:\n%s", w.Classic, w.Code)
	}
	w = mustBuild(t, Config{}, files("worker.js", "import {a} from './a.js';\n"+source, "a.js", "export const a = 1; console.log(a)"))
	if !w.Classic || !strings.Contains(w.Code, "(() =>") {
		t.Errorf("want a bundled classic script, got classic %v:\n%s", w.Classic, w.Code)
	}
}

func TestBuildSourceMap(t *testing.T) {
	w := mustBuild(t, Config{}, files("src/index.ts", "import {a} from './lib/a';\nexport default {fetch: () => new Response(a)}", "src/lib/a.ts", "export const a: string = 'π'"))
	var m sourceMapV3
	if err := json.Unmarshal(w.SourceMap, &m); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(m.Sources, " "); got != "src/lib/a.ts src/index.ts" {
		t.Errorf("sources are %q", got)
	}
	if len(m.Contents) != 2 || *m.Contents[0] != "export const a: string = 'π'" {
		t.Errorf("contents are %v", m.Contents)
	}
	if len(w.Sources) != 2 {
		t.Errorf("Sources has %d files", len(w.Sources))
	}
}

func TestBuildIsStable(t *testing.T) {
	p := files("a.js", hello, "wrangler.toml", "main = 'a.js'\ncompatibility_date = '2026-01-01'\n[vars]\nA = 1\nB = 'x'\n")
	one, two := mustBuild(t, Config{}, p), mustBuild(t, Config{}, p)
	if one.Version != two.Version || one.Code != two.Code {
		t.Errorf("versions %s and %s", one.Version, two.Version)
	}
	p.Files["wrangler.toml"] = append(p.Files["wrangler.toml"], "C = 2\n"...)
	if three := mustBuild(t, Config{}, p); three.Version == one.Version {
		t.Error("a new variable keeps the version")
	}
}

// TestNodeGlobals checks who gets process and Buffer: whoever asks for them in
// a wrangler file or by an import. A plain Worker does not.
func TestNodeGlobals(t *testing.T) {
	for _, test := range []struct {
		project trace.Project
		off     bool
	}{
		{files("index.js", hello), true},
		{files("index.js", "import { DurableObject } from 'cloudflare:workers'; export class A extends DurableObject {}; "+hello), true},
		{files("worker.js", "addEventListener('fetch', (e) => e.respondWith(new Response('')));"), true},
		{files("index.js", "import { join } from 'node:path'; export default {fetch: () => new Response(join('a', 'b'))}"), false},
		{files("index.js", "import { join } from 'path'; export default {fetch: () => new Response(join('a', 'b'))}"), false},
		{files("index.js", "exports.handler = async () => ({ statusCode: 200, body: process.env.A });"), false},
		{files("index.js", hello, "wrangler.jsonc", `{"main": "index.js", "compatibility_date": "2026-11-01"}`), false},
	} {
		w := mustBuild(t, Config{}, test.project)
		if off := slices.Contains(w.Flags, "no_nodejs_compat"); off != test.off {
			t.Errorf("%s: flags %v, want Node's globals off: %v", test.project.Files[w.Main], w.Flags, test.off)
		}
	}
}

func TestBuildLimits(t *testing.T) {
	many := trace.Project{Files: map[string][]byte{}}
	for i := range 65 {
		many.Files[strings.Repeat("a", i+1)+".js"] = nil
	}
	large := files("index.js", hello, "data.txt", strings.Repeat("x", 1<<20))
	small := files("index.js", hello)
	small.Limits.Source = 10
	bundle := files("index.js", hello+"console.log('"+strings.Repeat("x", 2000)+"')")
	bundle.Limits.Bundle = 1000
	for _, test := range []struct {
		name    string
		project trace.Project
		kind    trace.FaultKind
		want    string
	}{
		{"nothing", trace.Project{}, trace.FaultBuild, "The project has no files."},
		{"many", many, trace.FaultLimit, "The project has 65 files; the limit is 64."},
		{"large", large, trace.FaultLimit, "The project's files are 1.1 MiB together; the limit is 1 MiB."},
		{"small limit", small, trace.FaultLimit, "The project's files are 58 bytes together; the limit is 10 bytes."},
		{"bundle", bundle, trace.FaultLimit, "The bundled Worker is 2.1 KiB; the limit is 1000 bytes."},
		{"name", files("../x.js", hello), trace.FaultBuild, `File name "../x.js" has a ".." part; name files relative to the project, without it.`},
		{"no entry", files("a.js", hello, "b.js", hello), trace.FaultBuild, "The project has no entry file."},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := build(t, Config{}, test.project)
			if d.Fault == nil || d.Fault.Message != test.want || d.Fault.Kind != test.kind {
				t.Errorf("got %+v, want %s %q", d.Fault, test.kind, test.want)
			}
		})
	}
}
