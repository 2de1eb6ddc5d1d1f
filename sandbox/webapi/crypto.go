package webapi

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"

	"coldstart/sandbox/isolate"
)

func cryptoOps(o *isolate.Ops) {
	o.Add("random", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		n := integer(args, 0)
		if n < 0 || n > 65536 {
			return nil, typeError("too many random bytes")
		}
		b := make([]byte, n)
		_, _ = rand.Read(b) // never fails
		return b, nil
	})
	o.Add("random.uuid", func(*isolate.Loop, []isolate.Value) (isolate.Value, error) {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails
		b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
		s := hex.EncodeToString(b[:])
		return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:], nil
	})
	o.Add("crypto.digest", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return digest(str(args, 0), data(args, 1)), nil
	})
}

func digest(name string, b []byte) []byte {
	switch name {
	case "MD5":
		s := md5.Sum(b)
		return s[:]
	case "SHA-1":
		s := sha1.Sum(b)
		return s[:]
	case "SHA-256":
		s := sha256.Sum256(b)
		return s[:]
	case "SHA-384":
		s := sha512.Sum384(b)
		return s[:]
	}
	s := sha512.Sum512(b)
	return s[:]
}
