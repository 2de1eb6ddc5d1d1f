package box

import (
	"errors"
	"testing"
	"time"

	"coldstart/static"
)

// Instances of the module count for themselves, say how their start divides,
// and give their memory back.
func TestWasmModules(t *testing.T) {
	if err := static.Missing(); err != nil {
		t.Skip(err)
	}
	k, err := NewWasm(t.Context(), Config{Most: 30})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	var all []Box
	for range 30 {
		b, err := k.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
		var at time.Duration
		for _, p := range b.Phases() {
			if p.From != at || p.To < p.From {
				t.Errorf("phases %+v have gaps", b.Phases())
			}
			at = p.To
		}
		if at != b.FirstByte() {
			t.Errorf("phases %+v end before %v", b.Phases(), b.FirstByte())
		}
	}
	if _, err := k.Start(t.Context()); !errors.Is(err, ErrFull) {
		t.Errorf("one too many: %v", err)
	}
	_, _, answer, err := k.link.request(t.Context(), "/ask/1")
	if err != nil || string(answer) != "visit 2" {
		t.Errorf("the first instance answers %q, %v", answer, err)
	}
	full, err := k.Memory()
	if err != nil || full < 30*64<<10 {
		t.Errorf("thirty hold %d bytes, %v", full, err)
	}
	for _, b := range all {
		for range 2 {
			if err := b.Stop(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := all[0].Request(t.Context()); err == nil {
		t.Error("a stopped instance answers")
	}
	t.Log(all[29].FirstByte(), all[29].Phases(), full/30)
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}
