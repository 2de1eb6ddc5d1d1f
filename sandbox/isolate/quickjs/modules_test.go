package quickjs

import (
	"errors"
	"strings"
	"testing"

	"coldstart/sandbox/isolate"
)

// tiny is a bootstrap that keeps what is loaded and reads its default export.
func tiny(modules ...isolate.Module) isolate.Bootstrap {
	return isolate.Bootstrap{
		Script: `(function (host) {
			globalThis.__coldstart = { version: 7 };
			let ns, failure;
			return {
				loaded(n) { ns = n; }, failed(e) { failure = String(e); },
				get(k) { return ns === undefined ? "not loaded" : ns[k]; }, failure() { return failure; },
				run(...a) { return ns.default(...a); }, release() { globalThis.release(); }, keys() { return Object.keys(ns); },
			};
		})`,
		Modules: modules,
	}
}

func newIsolate(tb testing.TB, e *Engine, spec isolate.Spec) *vm {
	tb.Helper()
	if spec.Host == nil {
		spec.Host = &benchHost{}
	}
	iso, err := e.New(tb.Context(), spec)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := iso.Close(); err != nil {
			tb.Error(err)
		}
	})
	return iso.(*vm)
}

func TestModules(t *testing.T) {
	e := newEngine(t, tiny(
		isolate.Module{Name: "node:a", Source: `import { b } from "node:b"; const { version } = __coldstart; export const a = () => "a" + b + version; export default 5;`},
		isolate.Module{Name: "node:b", Source: `export const b = "b" + __coldstart.version; globalThis.count = (globalThis.count ?? 0) + 1;`},
		isolate.Module{Name: "node:c", Source: `import five, * as a from "node:a"; export const c = five + Object.keys(a).length;`},
	))
	v := newIsolate(t, e, isolate.Spec{})
	if err := v.Load("index.js", `import { a } from "node:a"; import { c } from "node:c";
		export const again = await import("node:b").then((m) => m.b);
		export const url = import.meta.url;
		export default () => [a(), c, count, typeof __coldstart, again, typeof this];`, false); err != nil {
		t.Fatal(err)
	}
	got, err := v.Call("run")
	want := []isolate.Value{"ab77", 7.0, 1.0, "undefined", "b7", "undefined"}
	if err != nil || !equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	got, err = v.Call("keys")
	if want := []isolate.Value{"again", "default", "url"}; err != nil || !equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestModuleErrors(t *testing.T) {
	e := newEngine(t, tiny(isolate.Module{Name: "m", Source: `export const x = 1;`}))
	for source, want := range map[string]string{
		`import "zork";`:                     `Error: No such module "zork", imported from "index.js".`,
		`import { y } from "m";`:             `SyntaxError: Could not find export 'y' in module 'm'`,
		"let a = 1;\nlet a = 2;":             `SyntaxError: invalid redefinition of global identifier`,
		"export default 1;\n\nnull.x":        `TypeError: cannot read property 'x' of null`,
		`await Promise.reject(new Error(3))`: `Error: 3`,
		`throw 5`:                            `5`,
	} {
		v := newIsolate(t, e, isolate.Spec{})
		err := v.Load("index.js", source, false)
		var exc *isolate.Exception
		if !errors.As(err, &exc) || exc.Error() != want {
			t.Errorf("%s: got %v, want %s", source, err, want)
			continue
		}
		t.Logf("%s\n%s", err, exc.Stack)
		if strings.HasPrefix(want, "SyntaxError: invalid") && !strings.Contains(exc.Stack, "index.js:2:") {
			t.Errorf("%s: stack %s", source, exc.Stack)
		}
	}
	v := newIsolate(t, e, isolate.Spec{})
	if err := v.Load("index.js", `export default () => "x"; export const no = await import("./other.js").catch((e) => e.message);`, false); err != nil {
		t.Fatal(err)
	}
	got, err := v.Call("get", "no")
	if want := `No such module "./other.js", imported from "index.js".`; err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestTopLevelAwait(t *testing.T) {
	e := newEngine(t, tiny())
	v := newIsolate(t, e, isolate.Spec{})
	if err := v.Load("index.js", `await new Promise((ok) => { globalThis.release = ok; }); export const x = 1;`, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []any{"not loaded", 1.0} {
		if got, err := v.Call("get", "x"); err != nil || got != want {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
		if _, err := v.Call("release"); err != nil {
			t.Error(err)
		}
	}
	v = newIsolate(t, e, isolate.Spec{})
	if err := v.Load("index.js", `await new Promise((ok) => { globalThis.release = ok; }); null.x`, false); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Call("release"); err != nil {
		t.Error(err)
	}
	if got, err := v.Call("failure"); err != nil || got != "TypeError: cannot read property 'x' of null" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestBadBootstraps(t *testing.T) {
	for _, test := range []struct {
		b    isolate.Bootstrap
		want string
	}{
		{isolate.Bootstrap{Script: `(`}, "SyntaxError"},
		{isolate.Bootstrap{Script: `(function () { throw new Error("no"); })`}, "Error: no"},
		{isolate.Bootstrap{Script: `(function (host) { host.op("missing"); })`}, "host operation missing does not exist"},
		{tiny(isolate.Module{Name: "m", Source: `null.x`}), `module "m": TypeError`},
		{tiny(isolate.Module{Name: "m", Source: `await new Promise(() => {})`}), `module "m": its top level awaits`},
		{tiny(isolate.Module{Name: "m"}, isolate.Module{Name: "m"}), `module "m" is there twice`},
		{tiny(isolate.Module{Name: "m", Source: `import "n"`}), `No such module "n", imported from "m"`},
	} {
		e, err := New(t.Context(), Config{Wasm: wasm(t), Bootstrap: test.b, Cache: cacheDir()})
		if err == nil {
			e.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
	if _, err := New(t.Context(), Config{Wasm: []byte("x")}); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("got %v", err)
	}
}
