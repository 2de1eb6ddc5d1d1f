package webapi

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
)

// The size of a call's stack is read out of wazero, where its name may change.
func TestStackOfIsKnown(t *testing.T) {
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	defer rt.Close(ctx)
	// (func (export "f") (param i32) (if (local.get 0) (then (call 0 (i32.sub (local.get 0) (i32.const 1))))))
	mod, err := rt.Instantiate(ctx, []byte("\x00asm\x01\x00\x00\x00\x01\x05\x01\x60\x01\x7f\x00\x03\x02\x01\x00\x07\x05\x01\x01f\x00\x00\x0a\x10\x01\x0e\x00\x20\x00\x04\x40\x20\x00\x41\x01\x6b\x10\x00\x0b\x0b"))
	if err != nil {
		t.Fatal(err)
	}
	f := mod.ExportedFunction("f")
	if n := stackOf(f); n < 1<<10 {
		t.Fatalf("a call's stack has %d bytes", n)
	}
	if _, err := f.Call(ctx, 100_000); err != nil {
		t.Fatal(err)
	}
	if n := stackOf(f); n < 1<<20 {
		t.Errorf("after 100,000 calls inside one another its stack has %d bytes", n)
	}
}
