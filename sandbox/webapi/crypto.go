package webapi

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/hex"
	"hash"

	//lint:ignore SA1019 node:crypto names it
	"golang.org/x/crypto/ripemd160"

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
		return uuid(b), nil
	})
	// crypto.digest: hash, bytes
	o.Add("crypto.digest", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		h := newHash(str(args, 0))()
		h.Write(data(args, 1))
		return h.Sum(nil), nil
	})
	secretOps(o)
	maker := newKeymaker()
	pairOps(o, maker)
	nodeCryptoOps(o, maker)
}

// newHash is the constructor of a hash by its Web Crypto name.
func newHash(name string) func() hash.Hash {
	switch name {
	case "MD5":
		return md5.New
	case "SHA-1":
		return sha1.New
	case "SHA-256":
		return sha256.New
	case "SHA-224":
		return sha256.New224
	case "SHA-512/224":
		return sha512.New512_224
	case "SHA-512/256":
		return sha512.New512_256
	case "SHA3-256":
		return func() hash.Hash { return sha3.New256() }
	case "SHA3-384":
		return func() hash.Hash { return sha3.New384() }
	case "SHA3-512":
		return func() hash.Hash { return sha3.New512() }
	case "RIPEMD-160":
		return ripemd160.New
	case "SHA-384":
		return sha512.New384
	}
	return sha512.New
}

// uuid writes 16 bytes as UUIDs are written.
func uuid(b [16]byte) string {
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
