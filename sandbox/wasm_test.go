package sandbox

import "testing"

// A compiled module calls functions that it imports, which may call it again.
func TestWasmCallsBack(t *testing.T) {
	s := open(t)
	// (import "e" "f" (func $f (param i32) (result i32))) (func (export "g") (param i32) (result i32) local.get 0 call $f i32.const 1 i32.add)
	module := "\x00asm\x01\x00\x00\x00" + "\x01\x06\x01\x60\x01\x7f\x01\x7f" + "\x02\x07\x01\x01e\x01f\x00\x00" + "\x03\x02\x01\x00" +
		"\x07\x05\x01\x01g\x00\x01" + "\x0a\x0b\x01\x09\x00\x20\x00\x10\x00\x41\x01\x6a\x0b"
	deploy(t, s, key("a"), map[string]string{
		"calls.wasm": module,
		"worker.js": `import module from "./calls.wasm";
		let x;
		x = new WebAssembly.Instance(module, { e: { f: (n) => n > 0 ? x.exports.g(n - 1) : 40 } });
		export default { fetch() { return new Response(String(x.exports.g(2))); } };`,
	})
	if a := get(t, s, key("a"), "/"); a.body != "43" {
		t.Errorf("%q %+v", a.body, a.sum.Fault)
	}
}
