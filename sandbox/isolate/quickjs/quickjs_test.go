package quickjs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/isolate/enginetest"
)

// wasm reads the engine binary from where npm puts it.
func wasm(tb testing.TB) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "web", "node_modules", "quickjs-wasi", "quickjs.wasm"))
	if err != nil {
		tb.Skip("quickjs.wasm is not there, run npm ci in web: ", err)
	}
	return b
}

// cacheDir keeps compiled code between tests: compiling takes seconds under
// the race detector.
func cacheDir() string { return filepath.Join(os.TempDir(), "coldstart-test-wasm") }

func newEngine(tb testing.TB, b isolate.Bootstrap) *Engine {
	tb.Helper()
	e, err := New(tb.Context(), Config{Wasm: wasm(tb), Bootstrap: b, Cache: cacheDir()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

func TestSuite(t *testing.T) {
	enginetest.Run(t, newEngine(t, enginetest.Bootstrap()), enginetest.Traits{})
}

// An engine that is not the pinned one does not start, were it one bit.
func TestEngineIsPinned(t *testing.T) {
	changed := bytes.Clone(wasm(t))
	changed[len(changed)/2] ^= 1
	if e, err := New(t.Context(), Config{Wasm: changed, Bootstrap: enginetest.Bootstrap(), Cache: cacheDir()}); err == nil || !strings.Contains(err.Error(), WasmSHA256) {
		if err == nil {
			_ = e.Close()
		}
		t.Errorf("a changed engine gives %v", err)
	}
}
