package gojajs

import (
	"errors"
	"testing"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/isolate/enginetest"
)

func TestSuite(t *testing.T) {
	e, err := New(enginetest.Bootstrap())
	if err != nil {
		t.Fatal(err)
	}
	enginetest.Run(t, e, enginetest.Traits{Deep: true, Loose: true})
}

func TestBadBootstraps(t *testing.T) {
	if _, err := New(isolate.Bootstrap{Script: "("}); err == nil {
		t.Error("a syntax error passed")
	}
	for _, script := range []string{"1", "(function () { throw new Error('no') })", `(function (host) { host.op("missing") })`} {
		e, err := New(isolate.Bootstrap{Script: script})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.New(t.Context(), isolate.Spec{Host: &isolate.Loop{}}); err == nil {
			t.Errorf("%s: no error", script)
		}
	}
}

func TestModulesAreUnsupported(t *testing.T) {
	e, err := New(enginetest.Bootstrap())
	if err != nil {
		t.Fatal(err)
	}
	pool := isolate.NewPool(1)
	defer pool.Close()
	l, err := isolate.NewLoop(t.Context(), isolate.LoopConfig{Pool: pool, Engine: e, Ops: enginetest.Ops()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	if err := l.Post(&isolate.Account{}, func(iso isolate.Isolate) error {
		done <- iso.Load("index.js", "export default {}", false)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, isolate.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

// Goja has no DOMException, which web APIs throw.
func TestDOMException(t *testing.T) {
	for _, wrong := range []string{
		`!(e instanceof Error)`, `e.name !== "AbortError"`, `e.message !== "m"`, `e.code !== 20`, `String(e) !== "AbortError: m"`, `Object.keys(e).length !== 0`,
		`Object.prototype.toString.call(e) !== "[object DOMException]"`, `DOMException.INUSE_ATTRIBUTE_ERR !== 10`, `e.DATA_CLONE_ERR !== 25`,
		`new DOMException().name !== "Error"`, `new DOMException("", "Other").code !== 0`, `!(new (class X extends DOMException {})("x") instanceof DOMException)`,
	} {
		boot := enginetest.Bootstrap()
		boot.Script = `(function () { var e = new DOMException("m", "AbortError"); if (` + wrong + `) throw new Error("wrong"); return (` + boot.Script + `).apply(this, arguments); })`
		e, err := New(boot)
		if err != nil {
			t.Fatal(err)
		}
		iso, err := e.New(t.Context(), isolate.Spec{Host: &isolate.Loop{}})
		if err != nil {
			t.Errorf("%s: %v", wrong, err)
			continue
		}
		iso.Close()
	}
}
