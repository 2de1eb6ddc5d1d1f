package webapi

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"math"

	"golang.org/x/crypto/scrypt"

	"coldstart/sandbox/isolate"
)

func operationError(message string) error { return domError("OperationError", message) }

// secretOps are the operations on secret keys.
func secretOps(o *isolate.Ops) {
	o.Add("crypto.equal", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return subtle.ConstantTimeCompare(data(args, 0), data(args, 1)) == 1, nil
	})
	// crypto.hmac: hash, key, bytes
	o.Add("crypto.hmac", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		m := hmac.New(newHash(str(args, 0)), data(args, 1))
		m.Write(data(args, 2))
		return m.Sum(nil), nil
	})
	// crypto.aes: mode, encrypt, key, iv, bytes, length, additional data
	o.Add("crypto.aes", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		block, err := aes.NewCipher(data(args, 2))
		if err != nil {
			return nil, operationError(err.Error())
		}
		encrypt, iv, b := flag(args, 1), data(args, 3), data(args, 4)
		switch str(args, 0) {
		case "CBC":
			return aesCBC(block, encrypt, iv, b)
		case "CTR":
			return aesCTR(block, iv, b, integer(args, 5))
		case "GCM":
			return aesGCM(block, encrypt, iv, b, integer(args, 5)/8, data(args, 6))
		}
		if encrypt {
			return aesWrap(block, b), nil
		}
		return aesUnwrap(block, b)
	})
	// crypto.scrypt: password, salt, N, r, p, length
	o.Add("crypto.scrypt", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		length, err := keyLength(args, 5)
		if err != nil {
			return nil, err
		}
		if length == 0 {
			return []byte{}, nil
		}
		n, r, p := num(args, 2), num(args, 3), num(args, 4)
		if !(n > 1 && r >= 1 && p >= 1) {
			return nil, &isolate.Throw{Name: "RangeError", Message: "Invalid scrypt params"}
		}
		if !(128*n*r <= scryptMost && 128*n*r*p <= 2*scryptMost && 128*r*p <= scryptMost) {
			return nil, &isolate.Throw{Name: "RangeError", Message: "Invalid scrypt params: memory limit exceeded"}
		}
		out, err := scrypt.Key(data(args, 0), data(args, 1), int(n), int(r), int(p), length)
		if err != nil {
			return nil, &isolate.Throw{Name: "RangeError", Message: "Invalid scrypt parameters: " + err.Error()}
		}
		return out, nil
	})
	// crypto.kdf: name, hash, key, salt, iterations or info, length
	o.Add("crypto.kdf", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		h, key, salt := newHash(str(args, 1)), data(args, 2), data(args, 3)
		n, err := keyLength(args, 5)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return []byte{}, nil
		}
		var out []byte
		if str(args, 0) == "PBKDF2" {
			rounds := num(args, 4)
			if most := 100_000; !(rounds <= float64(most)) { // as on Workers
				return nil, domError("NotSupportedError", fmt.Sprintf("Pbkdf2 failed: iteration counts above %d are not supported (requested %.0f).", most, rounds))
			}
			if parts := float64(n/h().Size() + 1); rounds*parts > kdfRounds {
				return nil, domError("NotSupportedError", fmt.Sprintf("Pbkdf2 failed: %.0f iterations for %d bytes are more than one call may do here; derive fewer bytes, or expand them with HKDF.", rounds, n))
			}
			out, err = pbkdf2.Key(h, string(key), salt, integer(args, 4), n)
		} else {
			out, err = hkdf.Key(h, key, salt, string(data(args, 4)), n)
		}
		if err != nil {
			return nil, operationError(err.Error())
		}
		return out, nil
	})
}

// What one derivation of a key may take: nothing can stop it once it has begun.
const (
	scryptMost = 64 << 20  // bytes that scrypt holds; it may go over twice as many
	kdfRounds  = 1_000_000 // times that PBKDF2 uses its hash
	keyMost    = 1 << 20   // bytes that come out
)

// keyLength is an argument that says how many bytes to derive.
func keyLength(args []isolate.Value, i int) (int, error) {
	n := num(args, i)
	if !(n >= 0 && n <= keyMost && n == math.Trunc(n)) {
		return 0, &isolate.Throw{Name: "RangeError", Message: fmt.Sprintf("The length of a derived key must be an integer from 0 to %d.", keyMost)}
	}
	return int(n), nil
}

func undecrypted(in, out int, algorithm string) error {
	return operationError(fmt.Sprintf("Decryption failed. This could be due to a ciphertext authentication failure, bad padding, incorrect CryptoKey, or another algorithm-specific reason. Input length was %d, output length expected to be %d for %s", in, out, algorithm))
}

func aesCBC(block cipher.Block, encrypt bool, iv, b []byte) (isolate.Value, error) {
	const size = aes.BlockSize
	if encrypt {
		pad := size - len(b)%size
		out := make([]byte, len(b)+pad)
		copy(out, b)
		for i := len(b); i < len(out); i++ {
			out[i] = byte(pad)
		}
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
		return out, nil
	}
	if len(b) == 0 || len(b)%size != 0 {
		return nil, undecrypted(len(b), 0, "AES-CBC")
	}
	out := make([]byte, len(b))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, b)
	pad := int(out[len(out)-1])
	bad := pad == 0 || pad > size
	if !bad {
		for _, c := range out[len(out)-pad:] {
			bad = bad || int(c) != pad
		}
	}
	if bad {
		return nil, undecrypted(len(b), len(b)-size, "AES-CBC")
	}
	return out[:len(out)-pad], nil
}

// aesCTR counts in the last length bits of the counter block only, as Web
// Crypto has it; cipher.NewCTR would carry into the rest.
func aesCTR(block cipher.Block, counter, b []byte, length int) (isolate.Value, error) {
	const size = aes.BlockSize
	blocks := (len(b) + size - 1) / size
	if length < 63 && blocks > 1<<length {
		return nil, operationError("Counter block values will repeat.")
	}
	out := make([]byte, len(b))
	c := append([]byte{}, counter...)
	var stream [size]byte
	for i := 0; i < len(b); i += size {
		block.Encrypt(stream[:], c)
		for j := i; j < min(i+size, len(b)); j++ {
			out[j] = b[j] ^ stream[j-i]
		}
		increment(c, length)
	}
	return out, nil
}

// increment adds one to the last bits of c, modulo 2^bits.
func increment(c []byte, bits int) {
	for i := len(c) - 1; i >= 0 && bits > 0; i-- {
		n := min(bits, 8)
		mask := byte(1<<n - 1)
		v := (c[i] + 1) & mask
		c[i] = c[i]&^mask | v
		if v != 0 {
			return
		}
		bits -= n
	}
}

// aesGCM allows any IV and the tag lengths of Web Crypto, of which the
// library's modes know only the long ones: shorter tags are cut and compared here.
func aesGCM(block cipher.Block, encrypt bool, iv, b []byte, tag int, aad []byte) (isolate.Value, error) {
	gcm, err := cipher.NewGCMWithNonceSize(block, len(iv))
	if err != nil {
		return nil, operationError(err.Error())
	}
	if encrypt {
		out := gcm.Seal(nil, iv, b, aad)
		return out[:len(b)+tag], nil
	}
	size := max(0, len(b)-tag)
	failed := undecrypted(size, size, "AES-GCM")
	if len(b) < tag {
		return nil, failed
	}
	if tag == gcm.Overhead() {
		out, err := gcm.Open(nil, iv, b, aad)
		if err != nil {
			return nil, failed
		}
		if out == nil {
			out = []byte{}
		}
		return out, nil
	}
	// GCM encrypts by XOR: sealing the ciphertext gives the text, and sealing
	// the text the full tag to compare with.
	n := len(b) - tag
	text := gcm.Seal(nil, iv, b[:n], aad)[:n]
	want := gcm.Seal(nil, iv, text, aad)[n : n+tag]
	if subtle.ConstantTimeCompare(want, b[n:]) != 1 {
		return nil, failed
	}
	return text, nil
}

var wrapIV = []byte{0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6}

// aesWrap is RFC 3394.
func aesWrap(block cipher.Block, key []byte) []byte {
	n := len(key) / 8
	out := append(append([]byte{}, wrapIV...), key...)
	var b [16]byte
	for j := range 6 {
		for i := 1; i <= n; i++ {
			copy(b[:8], out[:8])
			copy(b[8:], out[8*i:])
			block.Encrypt(b[:], b[:])
			binary.BigEndian.PutUint64(out, binary.BigEndian.Uint64(b[:8])^uint64(n*j+i))
			copy(out[8*i:8*i+8], b[8:])
		}
	}
	return out
}

func aesUnwrap(block cipher.Block, wrapped []byte) (isolate.Value, error) {
	if len(wrapped)%8 != 0 {
		return nil, operationError(fmt.Sprintf("Provided a wrapped key to unwrap that is %d bits which isn't a multiple of 64 bits.", 8*len(wrapped)))
	}
	if len(wrapped) < 24 {
		return nil, operationError("AES-KW key unwrapping failed.")
	}
	n := len(wrapped)/8 - 1
	out := append([]byte{}, wrapped...)
	var b [16]byte
	for j := 5; j >= 0; j-- {
		for i := n; i >= 1; i-- {
			binary.BigEndian.PutUint64(b[:8], binary.BigEndian.Uint64(out[:8])^uint64(n*j+i))
			copy(b[8:], out[8*i:8*i+8])
			block.Decrypt(b[:], b[:])
			copy(out[:8], b[:8])
			copy(out[8*i:], b[8:])
		}
	}
	if subtle.ConstantTimeCompare(out[:8], wrapIV) != 1 {
		return nil, operationError("AES-KW key unwrapping failed.")
	}
	return out[8:], nil
}
