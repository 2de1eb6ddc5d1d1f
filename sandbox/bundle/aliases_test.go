package bundle

import (
	"fmt"
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

func TestAliases(t *testing.T) {
	source := `import { a } from "@/a"; import { b } from "@lib/b"; import { c } from "exact"; import d from "@lib/data.json"; import { e } from "src/e"; import { f } from "@/deep/f.js";
export default { fetch: () => Response.json([a, b, c, d, e, f]) };`
	p := files(
		"tsconfig.json", `{ "compilerOptions": { "baseUrl": ".", /* as wizards write it */ "paths": { "@/*": ["./src/*"], "@lib/*": ["./none/*", "lib/*"], "exact": ["lib/one"], }, } }`,
		"src/index.ts", source,
		"src/a.ts", `export const a = "from a";`,
		"lib/b/index.ts", `export const b = "from b";`,
		"lib/one.ts", `export const c = "from c";`,
		"lib/data.json", `{"d":"from d"}`,
		"src/e.ts", `export const e = "from e";`,
		"src/deep/f.ts", `export const f = "from f";`,
	)
	w := mustBuild(t, Config{}, p)
	for _, want := range []string{"from a", "from b", "from c", "from d", "from e", "from f"} {
		if !strings.Contains(string(w.Code), want) {
			t.Errorf("%q is not in the code", want)
		}
	}
	// The nearest beginning decides, outside the project is nothing, and what is
	// not there is a fault at its import.
	p = files(
		"tsconfig.json", `{ "compilerOptions": { "paths": { "*": ["../../*"], "@/*": "wrong", "hono": ["gone"], "hono/*": ["gone/*"], "@/x/*": ["gone/*"] } } }`,
		"index.ts", "import y from \"@/x/y\";\nexport default { fetch: () => new Response(y) };",
	)
	d := build(t, Config{}, p)
	if d.Fault == nil || !strings.Contains(d.Fault.Message, "gone/y") || len(d.Fault.Frames) == 0 || d.Fault.Frames[0].Line != 1 {
		t.Errorf("%+v", d.Fault)
	}
}

// TestTsconfigExtends: options of the files that a tsconfig.json extends count,
// paths from the folder of the file that names them.
func TestTsconfigExtends(t *testing.T) {
	w := mustBuild(t, Config{}, files(
		"tsconfig.json", `{ "extends": ["./config/base", "./config/jsx.json"], "compilerOptions": { "jsxFactory": "mine" } }`,
		"config/base.json", `{ "extends": "./deep.json", "compilerOptions": { "jsxFactory": "theirs" } }`,
		"config/deep.json", `{ "compilerOptions": { "paths": { "@/*": ["../src/*"] } } }`,
		"config/jsx.json", `{ "compilerOptions": { "jsx": "react" } }`,
		"src/index.tsx", `import { mine } from "@/mine"; const theirs = null; export default { fetch: () => new Response(<a/>) };`,
		"src/mine.ts", `export const mine = () => "made by mine";`,
	))
	if code := string(w.Code); !strings.Contains(code, "made by mine") || !strings.Contains(code, "mine(\"a\"") {
		t.Errorf("%s", code)
	}
	var circle []string
	for i := range 40 {
		circle = append(circle, fmt.Sprintf("c%d.json", i), fmt.Sprintf(`{ "extends": ["./c%d.json", "./c%d.json"] }`, i+1, i+1))
	}
	for want, p := range map[string]trace.Project{
		"extends itself":        files("tsconfig.json", `{ "extends": "./b.json" }`, "b.json", `{ "extends": "./tsconfig" }`, "index.ts", hello),
		"more than 32 files":    files(append(circle, "tsconfig.json", `{ "extends": "./c0.json" }`, "c40.json", `{}`, "index.ts", hello)...),
		"must hold an object":   files("tsconfig.json", `{ "extends": "./b.json" }`, "b.json", `[]`, "index.ts", hello),
		"b.json is not valid J": files("tsconfig.json", `{ "extends": "./b.json" }`, "b.json", `{`, "index.ts", hello),
	} {
		if d := build(t, Config{}, p); d.Fault == nil || !strings.Contains(d.Fault.Message, want) || len(d.Fault.Frames) != 1 {
			t.Errorf("%s: %+v", want, d.Fault)
		}
	}
	d := build(t, Config{}, files("tsconfig.json", "{\n  \"extends\": \"@tsconfig/strictest\"\n}", "a/wrangler.jsonc", `{"name":"a","compatibility_date":"2026-01-01"}`, "a/index.ts", hello, "b/wrangler.jsonc", `{"name":"b","compatibility_date":"2026-01-01"}`, "b/index.ts", hello))
	if d.Fault != nil || len(d.Warnings) != 1 || d.Warnings[0].Frame.Line != 2 || !strings.Contains(d.Warnings[0].Message, "@tsconfig/strictest") {
		t.Errorf("%+v %+v", d.Fault, d.Warnings)
	}
}
