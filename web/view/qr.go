package view

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quiet is the margin around a QR code, in modules (ISO/IEC 18004, 5.3.8).
const quiet = 4

// qrCode draws text as a QR code of error correction level M: the side of its
// square in modules, margin included, and an SVG path of the dark ones. A text
// that no code can hold gives 0.
func qrCode(text string) (side int, path string) {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return 0, ""
	}
	var b strings.Builder
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			run := 0
			for x+run < c.Size && c.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
				x += run
			}
		}
	}
	return c.Size + 2*quiet, b.String()
}

func viewBox(side int) string { return fmt.Sprintf("0 0 %d %d", side, side) }
