package js

import (
	"regexp"

	"github.com/evanw/esbuild/pkg/api"
)

// Goja is the bootstrap's script in the syntax that goja has, as a function of
// the host that gives the entries. Modules are left out: goja has none, so code
// imports with the global function __coldstart_require, which knows what the
// bootstrap offers by name.
func (b *Bundle) Goja() (string, error) {
	// Of a lowered async generator nobody can ask the prototype.
	source := asyncIteratorPrototype.ReplaceAllString(b.Script, "__asyncIteratorPrototype")
	r := api.Transform("var __bootstrap_host = "+source, api.TransformOptions{
		Platform: api.PlatformNeutral, Target: api.ES2022, LogLevel: api.LogLevelSilent,
		Supported: map[string]bool{
			"async-generator": false, "for-await": false, "dynamic-import": false, "using": false,
			"regexp-unicode-property-escapes": false, "regexp-set-notation": false,
		},
	})
	if err := failed(r.Errors); err != nil {
		return "", err
	}
	return "(function (__host) {\n" + gojaMissing + string(r.Code) + gojaRequire + "})\n", nil
}

var asyncIteratorPrototype = regexp.MustCompile(`Object\.getPrototypeOf\(Object\.getPrototypeOf\(async function\*\s*\(\)\s*\{\s*\}\)\.prototype\)`)

// gojaMissing stands in for what the bootstrap needs and goja lacks. A WeakRef
// that holds on to its object is allowed: nothing says when one is collected.
const gojaMissing = `
if (!Symbol.asyncIterator) Object.defineProperty(Symbol, "asyncIterator", { value: Symbol("Symbol.asyncIterator") });
var __asyncIteratorPrototype = { [Symbol.asyncIterator]() { return this; } };
if (!globalThis.WeakRef) globalThis.WeakRef = class WeakRef { #v; constructor(v) { this.#v = v; } deref() { return this.#v; } };
if (!globalThis.FinalizationRegistry) globalThis.FinalizationRegistry = class FinalizationRegistry { register() {} unregister() {} };
`

const gojaRequire = `
var __entries = __bootstrap_host(__host), __offered = globalThis.__coldstart;
Object.defineProperty(globalThis, "__coldstart_require", { value: function (name) {
	if (!Object.hasOwn(__offered, name)) throw new Error("No such module \"" + name + "\".");
	return Object.defineProperty({ ...__offered[name] }, "__esModule", { value: true });
} });
return __entries;
`
