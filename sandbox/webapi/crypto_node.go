package webapi

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"

	"coldstart/sandbox/isolate"
)

// Paddings of RSA, as node:crypto numbers them.
const (
	paddingPKCS1 = 1
	paddingNone  = 3
	paddingOAEP  = 4
	paddingPSS   = 6
)

func plain(message string) error { return &isolate.Throw{Name: "Error", Message: message} }

// nodeCryptoOps are what node:crypto needs beyond Web Crypto. Keys cross as there.
func nodeCryptoOps(o *isolate.Ops, maker keymaker) {
	// crypto.blocks: mode, encrypt, key, iv, bytes, offset in the stream → as many bytes, without padding
	o.Add("crypto.blocks", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		block, err := aes.NewCipher(data(args, 2))
		if err != nil {
			return nil, plain("Invalid key length")
		}
		return cipherBlocks(block, str(args, 0), flag(args, 1), data(args, 3), data(args, 4), integer(args, 5)), nil
	})
	// crypto.key: private, text or bytes, format → [material, type, curve, bits, exponent]
	o.Add("crypto.key", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		private := flag(args, 0)
		k := nodeKey(arg(args, 1), str(args, 2), private)
		if k == nil {
			if private {
				return nil, plain("Failed to parse private key")
			}
			return nil, plain("Failed to parse public key")
		}
		return describeKey(k)
	})
	// crypto.keyexport: private, material, type, format → bytes or text
	o.Add("crypto.keyexport", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		k, err := parseMaterial(flag(args, 0), data(args, 1))
		if err != nil {
			return nil, plain(err.Error())
		}
		return exportKey(k, flag(args, 0), data(args, 1), str(args, 2), str(args, 3))
	})
	// crypto.keypair: kind, bits → [public material, private material]
	o.Add("crypto.keypair", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		wait := maker.pair(h, str(args, 0), integer(args, 1))
		ctx, cancel := context.WithTimeout(h.Context(), keyWait)
		defer cancel()
		var pair isolate.Value
		var err error
		made := make(chan struct{})
		go func() { // on a thread whose time is not this turn's
			defer close(made)
			pair, err = wait(ctx)
		}()
		h.Aside(func() { <-made })
		return pair, err
	})
	// crypto.nodesign: hash, material, bytes, padding, salt, p1363
	o.Add("crypto.nodesign", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return nodeSign(str(args, 0), data(args, 1), data(args, 2), integer(args, 3), integer(args, 4), flag(args, 5))
	})
	// crypto.nodeverify: hash, material, bytes, signature, padding, salt, p1363
	o.Add("crypto.nodeverify", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return nodeVerify(str(args, 0), data(args, 1), data(args, 2), data(args, 3), integer(args, 4), integer(args, 5), flag(args, 6))
	})
	// crypto.nodersa: encrypt, private, material, padding, hash, label, bytes
	o.Add("crypto.nodersa", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		out, err := nodeRSA(flag(args, 0), flag(args, 1), data(args, 2), integer(args, 3), str(args, 4), data(args, 5), data(args, 6))
		if err != nil {
			return nil, plain("Failed to cipher/decipher")
		}
		return out, nil
	})
	// crypto.ecdh: curve, private key or nothing → [private key, public point]
	o.Add("crypto.ecdh", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		_, curve := curveNamed(str(args, 0))
		var k *ecdh.PrivateKey
		var err error
		if b := data(args, 1); len(b) > 0 {
			k, err = curve.NewPrivateKey(b)
		} else {
			k, err = curve.GenerateKey(rand.Reader)
		}
		if err != nil {
			return nil, plain("Private key is not valid for specified curve.")
		}
		return []any{k.Bytes(), k.PublicKey().Bytes()}, nil
	})
	// crypto.ecdhsecret: curve, private key, public point
	o.Add("crypto.ecdhsecret", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		c, curve := curveNamed(str(args, 0))
		point := data(args, 2)
		if len(point) > 0 && point[0] != 4 {
			if x, y := elliptic.UnmarshalCompressed(c, point); x != nil {
				n := (c.Params().BitSize + 7) / 8
				point = append(append([]byte{4}, x.FillBytes(make([]byte, n))...), y.FillBytes(make([]byte, n))...)
			}
		}
		k, err := curve.NewPrivateKey(data(args, 1))
		if err != nil {
			return nil, plain("Private key is not valid for specified curve.")
		}
		p, err := curve.NewPublicKey(point)
		if err != nil {
			return nil, plain("Public key is not valid for specified curve")
		}
		return k.ECDH(p)
	})
	// crypto.prime: bits → the bytes of a prime; crypto.isprime: bytes
	o.Add("crypto.prime", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		p, err := rand.Prime(rand.Reader, min(max(integer(args, 0), 2), 2048))
		if err != nil {
			return nil, plain(err.Error())
		}
		return p.Bytes(), nil
	})
	o.Add("crypto.isprime", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		b := data(args, 0)
		if len(b) > 1024 {
			return nil, plain("The candidate is too large.")
		}
		return new(big.Int).SetBytes(b).ProbablyPrime(20), nil
	})
}

func cipherBlocks(block cipher.Block, mode string, encrypt bool, iv, b []byte, offset int) []byte {
	const size = aes.BlockSize
	out := make([]byte, len(b))
	switch mode {
	case "CBC":
		if encrypt {
			cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, b)
		} else {
			cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, b)
		}
	case "CTR":
		c := bytes.Clone(iv)
		n := new(big.Int).SetBytes(c)
		n.Add(n, big.NewInt(int64(offset/size)))
		n.SetBit(n, 8*size, 0)
		n.FillBytes(c)
		s := cipher.NewCTR(block, c)
		skip := make([]byte, offset%size)
		s.XORKeyStream(skip, skip)
		s.XORKeyStream(out, b)
	default: // ECB
		for i := 0; i+size <= len(b); i += size {
			if encrypt {
				block.Encrypt(out[i:], b[i:])
			} else {
				block.Decrypt(out[i:], b[i:])
			}
		}
	}
	return out
}

// nodeKey reads a key of any form that node:crypto takes, nil when it is none.
// A public key may be given as the private one it belongs to, or in a certificate.
func nodeKey(in any, format string, private bool) any {
	var k any
	switch v := in.(type) {
	case string:
		if format == "jwk" {
			k = jwkKey(v)
		} else if b, _ := pem.Decode([]byte(v)); b != nil {
			k = derKey(b.Bytes)
		}
	case []byte:
		if b, _ := pem.Decode(v); b != nil && format != "der" {
			k = derKey(b.Bytes)
		} else if format == "der" {
			k = derKey(v)
		}
	}
	switch k := k.(type) {
	case *rsa.PrivateKey:
		if !private {
			return &k.PublicKey
		}
	case *ecdsa.PrivateKey:
		if !private {
			return &k.PublicKey
		}
	case ed25519.PrivateKey:
		if !private {
			return k.Public()
		}
	case *ecdh.PrivateKey:
		if !private {
			return k.PublicKey()
		}
	default:
		if private {
			return nil
		}
	}
	return k
}

func derKey(b []byte) any {
	if len(b) > derMost {
		return nil
	}
	if k := parseDER(b); k != nil {
		if pub, ok := k.(*rsa.PublicKey); ok && rsaFits(pub.N) != nil {
			return nil
		}
		return k
	}
	return nil
}

func parseDER(b []byte) any {
	if k, err := x509.ParsePKCS8PrivateKey(b); err == nil {
		return k
	}
	if k, err := x509.ParsePKIXPublicKey(b); err == nil {
		return k
	}
	if k, err := x509.ParsePKCS1PrivateKey(b); err == nil {
		return k
	}
	if k, err := x509.ParseECPrivateKey(b); err == nil {
		return k
	}
	if k, err := x509.ParsePKCS1PublicKey(b); err == nil {
		return k
	}
	if c, err := x509.ParseCertificate(b); err == nil {
		return c.PublicKey
	}
	return nil
}

func jwkKey(text string) any {
	var j jwk
	if json.Unmarshal([]byte(text), &j) != nil {
		return nil
	}
	family := map[string]string{"EC": "ec", "OKP": "okp", "RSA": "rsa"}[j.Kty]
	switch j.Crv {
	case "", "P-256", "P-384", "P-521", "Ed25519", "X25519":
	default:
		return nil
	}
	if family == "" {
		return nil
	}
	k, err := importJWK(family, j.Crv, j)
	if err != nil {
		return nil
	}
	return k
}

// describeKey is a key's material and what node:crypto tells of it.
func describeKey(k any) (isolate.Value, error) {
	m, err := material(k)
	if err != nil {
		return nil, plain(err.Error())
	}
	kind, curve, bits, exponent := "", "", 0, 0
	switch k := k.(type) {
	case *rsa.PublicKey:
		kind, bits, exponent = "rsa", k.N.BitLen(), k.E
	case *rsa.PrivateKey:
		kind, bits, exponent = "rsa", k.N.BitLen(), k.E
	case *ecdsa.PublicKey:
		kind, curve = "ec", k.Params().Name
	case *ecdsa.PrivateKey:
		kind, curve = "ec", k.Params().Name
	case ed25519.PublicKey, ed25519.PrivateKey:
		kind = "ed25519"
	case *ecdh.PublicKey, *ecdh.PrivateKey:
		kind = "x25519"
	}
	return []any{m, kind, curve, bits, exponent}, nil
}

func exportKey(k any, private bool, m []byte, kind, format string) (isolate.Value, error) {
	if format == "jwk" {
		j, err := exportJWK(k)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(j)
		return string(text), err
	}
	out, label, err := m, "PUBLIC KEY", error(nil)
	if private {
		label = "PRIVATE KEY"
	}
	switch kind {
	case "pkcs1":
		switch k := k.(type) {
		case *rsa.PrivateKey:
			out, label = x509.MarshalPKCS1PrivateKey(k), "RSA PRIVATE KEY"
		case *rsa.PublicKey:
			out, label = x509.MarshalPKCS1PublicKey(k), "RSA PUBLIC KEY"
		default:
			return nil, plain("Only RSA keys have the form pkcs1.")
		}
	case "sec1":
		e, ok := k.(*ecdsa.PrivateKey)
		if !ok {
			return nil, plain("Only private EC keys have the form sec1.")
		}
		label = "EC PRIVATE KEY"
		if out, err = x509.MarshalECPrivateKey(e); err != nil {
			return nil, plain(err.Error())
		}
	}
	if format == "der" {
		return out, nil
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: out})), nil
}

func nodeSign(hash string, m, b []byte, padding, salt int, p1363 bool) (isolate.Value, error) {
	k, err := parseMaterial(true, m)
	if err != nil {
		return nil, plain(err.Error())
	}
	fail := plain("Failed to initialize signing context")
	if e, ok := k.(ed25519.PrivateKey); ok {
		if hash != "" {
			return nil, fail
		}
		return ed25519.Sign(e, b), nil
	}
	if hash == "" {
		return nil, fail
	}
	switch k := k.(type) {
	case *ecdsa.PrivateKey:
		if p1363 {
			return signPair(hash, 0, "", m, b)
		}
		return ecdsa.SignASN1(rand.Reader, k, sum(hash, b))
	case *rsa.PrivateKey:
		h := cryptoHash(hash)
		if padding == paddingPSS {
			return rsa.SignPSS(rand.Reader, k, h, sum(hash, b), &rsa.PSSOptions{SaltLength: nodeSalt(salt, h, true)})
		}
		return rsa.SignPKCS1v15(nil, k, h, sum(hash, b))
	}
	return nil, fail
}

// nodeSalt is a salt length of node:crypto, where -1 is the hash's and -2 the longest or any.
func nodeSalt(n int, h crypto.Hash, sign bool) int {
	switch {
	case n == -1:
		return h.Size()
	case n < 0 || !sign && n == 0:
		return rsa.PSSSaltLengthAuto
	}
	return pssSalt(n)
}

func nodeVerify(hash string, m, b, sig []byte, padding, salt int, p1363 bool) (isolate.Value, error) {
	k, err := parseMaterial(false, m)
	if err != nil {
		return nil, plain(err.Error())
	}
	switch k := k.(type) {
	case ed25519.PublicKey:
		return len(sig) == ed25519.SignatureSize && ed25519.Verify(k, b, sig), nil
	case *ecdsa.PublicKey:
		if p1363 {
			return verifyPair(hash, 0, "", m, b, sig)
		}
		return ecdsa.VerifyASN1(k, sum(hash, b), sig), nil
	case *rsa.PublicKey:
		h := cryptoHash(hash)
		if padding == paddingPSS {
			return rsa.VerifyPSS(k, h, sum(hash, b), sig, &rsa.PSSOptions{SaltLength: nodeSalt(salt, h, false)}) == nil, nil
		}
		return rsa.VerifyPKCS1v15(k, h, sum(hash, b), sig) == nil, nil
	}
	return false, nil
}

func nodeRSA(encrypt, private bool, m []byte, padding int, hash string, label, b []byte) ([]byte, error) {
	k, err := parseMaterial(private, m)
	if err != nil {
		return nil, err
	}
	switch k := k.(type) {
	case *rsa.PublicKey:
		switch {
		case !encrypt:
			return rsaRecover(k, b)
		case padding == paddingOAEP:
			return rsa.EncryptOAEP(newHash(hash)(), rand.Reader, k, b, label)
		case padding == paddingPKCS1:
			//lint:ignore SA1019 node:crypto names it
			return rsa.EncryptPKCS1v15(rand.Reader, k, b)
		case padding == paddingNone && len(b) == k.Size():
			return new(big.Int).Exp(new(big.Int).SetBytes(b), big.NewInt(int64(k.E)), k.N).FillBytes(make([]byte, k.Size())), nil
		}
	case *rsa.PrivateKey:
		switch {
		case encrypt:
			return rsa.SignPKCS1v15(nil, k, crypto.Hash(0), b)
		case padding == paddingOAEP:
			return rsa.DecryptOAEP(newHash(hash)(), nil, k, b, label)
		case padding == paddingPKCS1:
			//lint:ignore SA1019 node:crypto names it
			return rsa.DecryptPKCS1v15(nil, k, b)
		}
	}
	return nil, rsa.ErrDecryption
}

// rsaRecover is what privateEncrypt encrypted: RFC 8017, block type 1.
func rsaRecover(k *rsa.PublicKey, b []byte) ([]byte, error) {
	if len(b) != k.Size() {
		return nil, rsa.ErrDecryption
	}
	em := new(big.Int).Exp(new(big.Int).SetBytes(b), big.NewInt(int64(k.E)), k.N).FillBytes(make([]byte, k.Size()))
	at := bytes.IndexByte(em[2:], 0)
	if em[0] != 0 || em[1] != 1 || at < 8 || len(bytes.Trim(em[2:2+at], "\xff")) > 0 {
		return nil, rsa.ErrDecryption
	}
	return em[3+at:], nil
}
