package bundle

import (
	"bytes"
	"io/fs"
	"os"
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

const honoApp = `import { Hono } from "hono";
import { logger } from "hono/logger";
import { cors } from "hono/cors";
const app = new Hono<{ Bindings: { NAME: string } }>();
app.use(logger(), cors());
app.get("/", (c) => c.text("hi " + c.env.NAME));
export default app;
`

func TestShelfImports(t *testing.T) {
	cfg := shelfForTest(t)
	for name, source := range map[string]string{
		"hono":           honoApp,
		"hono validator": "import { validator } from 'hono/validator'; import { jwt } from 'hono/jwt'; import { html } from 'hono/html'; export default { fetch: () => Response.json([typeof validator, typeof jwt, typeof html]) }",
		"itty-router":    "import { AutoRouter } from 'itty-router'; const r = AutoRouter(); r.get('/', () => 'x'); export default r",
		"itty part":      "import { error } from 'itty-router/error'; export default { fetch: () => error(404) }",
		"express":        "import express from 'express'; const app = express(); app.get('/', (req, res) => res.send('x')); export default { fetch: () => new Response(typeof app) }",
		"zod":            "import { z } from 'zod'; const s = z.object({ a: z.string() }); export default { fetch: () => Response.json(s.parse({ a: 'b' })) }",
		"zod default":    "import z from 'zod'; export default { fetch: () => Response.json(z.string().parse('b')) }",
		"zod mini":       "import * as z from 'zod/mini'; export default { fetch: () => Response.json(z.string().parse('b')) }",
		"nanoid":         "import { nanoid } from 'nanoid'; export default { fetch: () => new Response(nanoid()) }",
		"jsx":            "export default { fetch: () => new Response(String(<p>hi</p>)) }",
		"required":       "const { Hono } = require('hono'); export default new Hono()",
	} {
		t.Run(name, func(t *testing.T) {
			w := mustBuild(t, cfg, files("src/index.tsx", source))
			if n := strings.Count(w.Code, "No such module"); n > 0 {
				t.Errorf("%d modules are missing", n)
			}
			t.Logf("%d kB of code, %d kB of map", len(w.Code)>>10, len(w.SourceMap)>>10)
		})
	}
}

func TestPackShelf(t *testing.T) {
	shelfForTest(t)
	var one, two bytes.Buffer
	for _, w := range []*bytes.Buffer{&one, &two} {
		if err := PackShelf("../../web/node_modules", w); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("packing twice gives different bytes")
	}
	if one.Len() > 2<<20 {
		t.Errorf("the archive is %d kB", one.Len()>>10)
	}
	s, err := OpenShelf(one.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range Packages(s) {
		if p.Version == "" || p.License == "" {
			t.Errorf("package %+v", p)
		}
	}
	if n := len(Packages(s)); n != len(shelfPackages) {
		t.Errorf("%d packages on the shelf", n)
	}
	for _, name := range []string{"hono/dist/types/index.d.ts", "zod/LICENSE", "nanoid/index.d.ts"} {
		if _, err := fs.Stat(s, name); err != nil {
			t.Error(err)
		}
	}
	cfg := Config{Shelf: s}
	want := mustBuild(t, Config{Shelf: os.DirFS("../../web/node_modules")}, files("src/index.ts", honoApp))
	if got := mustBuild(t, cfg, files("src/index.ts", honoApp)); got.Version != want.Version {
		t.Error("the packed shelf gives other code than the folder")
	}
	for _, source := range []string{"import e from 'express'; export default e", "import {z} from 'zod'; export default z", "import {nanoid} from 'nanoid'; export default nanoid", "import {Router} from 'itty-router'; export default Router()"} {
		mustBuild(t, cfg, files("index.js", source))
	}
	t.Logf("archive: %d kB", one.Len()>>10)
}

func TestOpenShelfBroken(t *testing.T) {
	if _, err := OpenShelf([]byte("not a zip")); err == nil {
		t.Error("no error")
	}
}

func BenchmarkBuild(b *testing.B) {
	cfg := shelfForTest(b)
	cfg.Shelf = asShelf(cfg.Shelf)
	three := files(
		"src/index.ts", "import { page } from './page'; import { sum } from './lib/sum'; export default { fetch(r: Request): Response { return new Response(page(sum(1, 2))) } }",
		"src/page.ts", "export const page = (n: number): string => `<p>${n}</p>`",
		"src/lib/sum.ts", "export function sum(a: number, b: number): number { return a + b }")
	for _, test := range []struct {
		name   string
		source func() trace.Project
	}{
		{"one file", func() trace.Project {
			return files("src/index.ts", "export default { fetch(r: Request): Response { return new Response('hi') } }")
		}},
		{"three files", func() trace.Project { return three }},
		{"hono", func() trace.Project { return files("src/index.ts", honoApp) }},
		{"zod", func() trace.Project { return files("index.ts", "import { z } from 'zod'; export default z.string()") }},
		{"express", func() trace.Project { return files("index.ts", "import e from 'express'; export default e()") }},
	} {
		b.Run(test.name, func(b *testing.B) {
			p := test.source()
			for b.Loop() {
				mustBuild(b, cfg, p)
			}
		})
	}
}
