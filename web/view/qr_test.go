package view

import (
	"fmt"
	"strings"
	"testing"

	"rsc.io/qr"
)

// TestQRCode paints the path again and compares it with the code, module by module.
func TestQRCode(t *testing.T) {
	const link = "https://learn.example.org/j/KWTH-RP42"
	want, err := qr.Encode(link, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	side, path := qrCode(link)
	if side != want.Size+2*quiet {
		t.Fatalf("side %d, want %d", side, want.Size+2*quiet)
	}
	dark := map[[2]int]bool{}
	for _, piece := range strings.SplitAfter(path, "z") {
		var x, y, w, back int
		if piece == "" {
			continue
		}
		if _, err := fmt.Sscanf(piece, "M%d %dh%dv1h-%dz", &x, &y, &w, &back); err != nil || back != w {
			t.Fatalf("piece %q: %v", piece, err)
		}
		for i := range w {
			dark[[2]int{x + i, y}] = true
		}
	}
	for y := range side {
		for x := range side {
			if got, want := dark[[2]int{x, y}], want.Black(x-quiet, y-quiet); got != want {
				t.Fatalf("module %d,%d is dark: %v, want %v", x, y, got, want)
			}
		}
	}
	if side, _ := qrCode(strings.Repeat("x", 4000)); side != 0 {
		t.Error("a text that is too long gives a code")
	}
}
