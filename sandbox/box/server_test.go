package box

import (
	"errors"
	"testing"
)

// A server counts in its memory; killed, nobody has its port, and the next one
// is another process that counts from the beginning.
func TestServerLivesAndDies(t *testing.T) {
	p := processes(t, 2)
	first, err := p.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for want := 1; want <= 2; want++ {
		if n, took, err := first.Visit(t.Context()); n != want || took <= 0 || err != nil {
			t.Fatalf("visit %d: %d after %v, %v", want, n, took, err)
		}
	}
	if size, err := first.Memory(); err != nil || size < 1<<20 {
		t.Errorf("it holds %d bytes, %v", size, err)
	}
	for range 2 {
		if err := first.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := first.Visit(t.Context()); !errors.Is(err, ErrRefused) {
		t.Errorf("a visit to a killed server: %v", err)
	}
	second, err := p.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n, _, err := second.Visit(t.Context()); n != 1 || err != nil || second.PID == first.PID || second.Took <= 0 {
		t.Errorf("the next process %d after %d counts %d, %v", second.PID, first.PID, n, err)
	}
	if _, err := p.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Listen(t.Context()); !errors.Is(err, ErrFull) {
		t.Errorf("one server too many: %v", err)
	}
}
