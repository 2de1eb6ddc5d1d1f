package webapi

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// What is decompressed in pieces is what was compressed, and each piece is given once.
func TestInflatesInPieces(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	plain := make([]byte, 60_000)
	for i := range plain {
		plain[i] = byte('a' + random.IntN(16))
	}
	for _, format := range []string{"gzip", "deflate", "deflate-raw", "brotli"} {
		d := newDeflater(format, 5, nil)
		packed, _ := d.put(plain)
		rest, _ := d.end()
		packed = append(packed, rest...)
		in := newInflater(format, nil, 1<<20)
		var got []byte
		for len(packed) > 0 {
			n := min(1000, len(packed))
			piece, err := in.put(packed[:n])
			if err != nil {
				t.Fatal(format, err)
			}
			got, packed = append(got, piece...), packed[n:]
		}
		last, err := in.end()
		if got = append(got, last...); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: %d bytes, want %d: %v", format, len(got), len(plain), err)
		}
	}
}
