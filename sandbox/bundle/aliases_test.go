package bundle

import (
	"strings"
	"testing"
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
