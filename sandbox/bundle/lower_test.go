package bundle

import (
	"strings"
	"testing"

	"github.com/dop251/goja"
)

func TestLowerRunsOnGoja(t *testing.T) {
	const source = `
export const greeting = "hi";
async function* count() { yield 1; yield 2; }
export default async function () {
  let sum = 0;
  for await (const n of count()) sum += n;
  const f = globalThis.late ?? (() => sum);
  return f();
}
`
	code, sourceMap, fault := Lower(t.Context(), "checks.js", source)
	if fault != nil {
		t.Fatal(fault.Message)
	}
	if !strings.Contains(string(sourceMap), `"checks.js"`) {
		t.Errorf("map: %s", sourceMap)
	}
	vm := goja.New()
	v, err := vm.RunScript("checks.js", code)
	if err != nil {
		t.Fatalf("%v\n%s", err, code)
	}
	ns := v.ToObject(vm)
	if got := ns.Get("greeting").String(); got != "hi" {
		t.Errorf("greeting is %q", got)
	}
	call, _ := goja.AssertFunction(ns.Get("default"))
	p, err := call(goja.Undefined())
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Export().(*goja.Promise).Result().ToInteger(); got != 3 {
		t.Errorf("sum is %d", got)
	}
}

func TestLowerFault(t *testing.T) {
	_, _, fault := Lower(t.Context(), "checks.js", "test('a', () => {\n  expect(1;\n})")
	if fault == nil || fault.Message != `")" is expected here, not ";".` || fault.Frames[0].Line != 2 || fault.Frames[0].File != "checks.js" {
		t.Errorf("got %+v", fault)
	}
	_, _, fault = Lower(t.Context(), "checks.js", strings.Repeat("[", 1000))
	if fault == nil || fault.Message != "Brackets are nested more than 200 deep here." {
		t.Errorf("got %+v", fault)
	}
}
