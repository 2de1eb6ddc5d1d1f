package webapi

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"

	"coldstart/sandbox/isolate"
)

func dataError(message string) error { return domError("DataError", message) }

// jwk holds the fields of a JSON Web Key (RFC 7517, 7518, 8037) for key pairs.
type jwk struct {
	Kty string `json:"kty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	D   string `json:"d,omitempty"`
	P   string `json:"p,omitempty"`
	Q   string `json:"q,omitempty"`
	DP  string `json:"dp,omitempty"`
	DQ  string `json:"dq,omitempty"`
	QI  string `json:"qi,omitempty"`
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// unb64 is a field of a JSON Web Key; wrong is what is said where it is missing or not base64url.
func unb64(s, wrong string) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || s == "" {
		return nil, dataError(wrong)
	}
	return b, nil
}

func curveNamed(name string) (elliptic.Curve, ecdh.Curve) {
	switch name {
	case "P-256":
		return elliptic.P256(), ecdh.P256()
	case "P-384":
		return elliptic.P384(), ecdh.P384()
	}
	return elliptic.P521(), ecdh.P521()
}

// pairOps are the operations on public and private keys. Material is SPKI for
// public keys and PKCS #8 for private ones.
func pairOps(o *isolate.Ops, maker keymaker) {
	// crypto.import: family, format, curve, bytes or JWK text → [material, modulus length, public exponent]
	o.Add("crypto.import", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		k, err := importPair(str(args, 0), str(args, 1), str(args, 2), arg(args, 3))
		if err != nil {
			return nil, err
		}
		m, err := material(k)
		if err != nil {
			return nil, dataError(err.Error())
		}
		bits, exponent := 0, []byte{}
		switch k := k.(type) {
		case *rsa.PublicKey:
			bits, exponent = k.N.BitLen(), big.NewInt(int64(k.E)).Bytes()
		case *rsa.PrivateKey:
			bits, exponent = k.N.BitLen(), big.NewInt(int64(k.E)).Bytes()
		}
		return []any{m, bits, exponent}, nil
	})
	// crypto.export: family, type, format, material → bytes or JWK text
	o.Add("crypto.export", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		k, err := parseMaterial(str(args, 1) == "private", data(args, 3))
		if err != nil {
			return nil, operationError(err.Error())
		}
		if str(args, 2) == "raw" {
			return rawPublic(k)
		}
		j, err := exportJWK(k)
		if err != nil {
			return nil, operationError(err.Error())
		}
		text, err := json.Marshal(j)
		return string(text), err
	})
	// crypto.generate: run, id, kind, bits, exponent → [public material, private material]
	o.Add("crypto.generate", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		finish, kind, bits := async(h, integer(args, 1)), str(args, 2), integer(args, 3)
		make := maker.pair(h, kind, bits)
		go func() { finish(make(h.Context())) }()
		return nil, nil
	})
	// crypto.sign: name, hash, salt length, material, bytes
	o.Add("crypto.sign", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return signPair(str(args, 1), integer(args, 2), str(args, 0), data(args, 3), data(args, 4))
	})
	// crypto.verify: name, hash, salt length, material, bytes, signature
	o.Add("crypto.verify", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return verifyPair(str(args, 1), integer(args, 2), str(args, 0), data(args, 3), data(args, 4), data(args, 5))
	})
	// crypto.agree: private material, public material
	o.Add("crypto.agree", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return agree(data(args, 0), data(args, 1))
	})
	// crypto.rsa: encrypt, hash, material, bytes, label: RSA-OAEP
	o.Add("crypto.rsa", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		h := newHash(str(args, 1))()
		k, err := parseMaterial(!flag(args, 0), data(args, 2))
		if err != nil {
			return nil, operationError(err.Error())
		}
		var out []byte
		switch k := k.(type) {
		case *rsa.PublicKey:
			out, err = rsa.EncryptOAEP(h, rand.Reader, k, data(args, 3), data(args, 4))
		case *rsa.PrivateKey:
			out, err = rsa.DecryptOAEP(h, nil, k, data(args, 3), data(args, 4))
		}
		if err != nil {
			return nil, operationError("RSA-OAEP failed encrypt/decrypt.")
		}
		if out == nil {
			out = []byte{}
		}
		return out, nil
	})
}

// material is the form in which scripts keep a key.
func material(k any) ([]byte, error) {
	switch k.(type) {
	case *ecdsa.PrivateKey, *rsa.PrivateKey, ed25519.PrivateKey, *ecdh.PrivateKey:
		return x509.MarshalPKCS8PrivateKey(k)
	}
	return x509.MarshalPKIXPublicKey(k)
}

func parseMaterial(private bool, b []byte) (any, error) {
	if private {
		return x509.ParsePKCS8PrivateKey(b)
	}
	return x509.ParsePKIXPublicKey(b)
}

// Bounds of keys that are imported, which are those of Workers' own library for
// RSA. What is done with a key is one step that nothing can stop, and its cost
// grows with the third power of the key's size.
const (
	rsaBits = 16384
	derMost = 16 << 10 // bytes; a private key of that size has 9 KiB
)

func rsaFits(numbers ...*big.Int) error {
	for _, n := range numbers {
		if n.BitLen() > rsaBits {
			return dataError(fmt.Sprintf("RSA keys of up to %d bits can be imported.", rsaBits))
		}
	}
	return nil
}

func importPair(family, format, curve string, in any) (any, error) {
	var k any
	var err error
	if b, ok := in.([]byte); ok && len(b) > derMost {
		return nil, dataError(fmt.Sprintf("The key's data has %d bytes; %d are the most.", len(b), derMost))
	}
	switch format {
	case "jwk":
		text, _ := in.(string)
		var j jwk
		if json.Unmarshal([]byte(text), &j) != nil {
			return nil, dataError("The JSON Web Key has fields of a wrong type.")
		}
		k, err = importJWK(family, curve, j)
	case "raw":
		b, _ := in.([]byte)
		k, err = importRaw(family, curve, b)
	case "spki":
		b, _ := in.([]byte)
		if k, err = x509.ParsePKIXPublicKey(b); err != nil {
			err = dataError("Invalid SPKI input.")
		}
	default:
		b, _ := in.([]byte)
		if k, err = x509.ParsePKCS8PrivateKey(b); err != nil {
			err = dataError("Invalid PKCS8 input.")
		}
	}
	if err != nil {
		return nil, err
	}
	if pub, ok := k.(*rsa.PublicKey); ok {
		if err := rsaFits(pub.N); err != nil {
			return nil, err
		}
	}
	if !fits(family, curve, k) {
		return nil, dataError("The key is of another algorithm or curve than the one asked for.")
	}
	return k, nil
}

func fits(family, curve string, k any) bool {
	switch k := k.(type) {
	case *rsa.PublicKey, *rsa.PrivateKey:
		return family == "rsa"
	case *ecdsa.PublicKey:
		return family == "ec" && k.Params().Name == curve
	case *ecdsa.PrivateKey:
		return family == "ec" && k.Params().Name == curve
	case ed25519.PublicKey, ed25519.PrivateKey:
		return family == "okp" && curve == "Ed25519"
	case *ecdh.PublicKey, *ecdh.PrivateKey:
		return family == "okp" && curve == "X25519"
	}
	return false
}

func importRaw(family, curve string, b []byte) (any, error) {
	switch {
	case family == "ec":
		c, _ := curveNamed(curve)
		k, err := ecdsa.ParseUncompressedPublicKey(c, b)
		if err != nil {
			return nil, dataError("Failed to import raw EC key data: Invalid point encoding..")
		}
		return k, nil
	case curve == "Ed25519":
		if len(b) != ed25519.PublicKeySize {
			return nil, rawLength(curve, b)
		}
		return ed25519.PublicKey(b), nil
	}
	k, err := ecdh.X25519().NewPublicKey(b)
	if err != nil {
		return nil, rawLength(curve, b)
	}
	return k, nil
}

func rawLength(curve string, b []byte) error {
	return dataError(fmt.Sprintf("%s raw keys must be exactly 32-bytes (provided %d).", curve, len(b)))
}

func importJWK(family, curve string, j jwk) (any, error) {
	want := map[string]string{"ec": "EC", "okp": "OKP", "rsa": "RSA"}[family]
	if j.Kty != want {
		return nil, dataError("The JSON Web Key must have kty \"" + want + "\" (encountered \"" + j.Kty + "\").")
	}
	if family == "rsa" {
		return importRSA(j)
	}
	if family == "okp" {
		if j.Crv != curve {
			return nil, domError("NotSupportedError", fmt.Sprintf("Only %s is supported but %q was requested.", curve, j.Crv))
		}
		x, err := unb64(j.X, "Invalid "+curve+" key in JSON WebKey; missing or invalid public key component (\"x\").")
		if err != nil {
			return nil, err
		}
		if j.D == "" {
			return importRaw(family, curve, x)
		}
		d, err := unb64(j.D, "Invalid "+curve+" key in JSON Web Key; missing or invalid private key component (\"d\").")
		if err != nil {
			return nil, err
		}
		if curve == "Ed25519" {
			if len(d) != ed25519.SeedSize {
				return nil, dataError("An Ed25519 private key has 32 bytes.")
			}
			return ed25519.NewKeyFromSeed(d), nil
		}
		k, err := ecdh.X25519().NewPrivateKey(d)
		if err != nil {
			return nil, dataError("An X25519 private key has 32 bytes.")
		}
		return k, nil
	}
	c, _ := curveNamed(curve)
	x, err := unb64(j.X, "Invalid EC key in JSON Web Key; missing \"x\".")
	if err != nil {
		return nil, err
	}
	y, err := unb64(j.Y, "Invalid EC key in JSON Web Key; missing \"y\".")
	if err != nil {
		return nil, err
	}
	const apart = "Invalid EC key; public key coordinates \"x\" and \"y\" are invalid: Point is not on curve.."
	size := (c.Params().BitSize + 7) / 8
	if len(x) != size || len(y) != size {
		return nil, operationError(apart)
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(c, append(append([]byte{4}, x...), y...))
	if err != nil {
		return nil, operationError(apart)
	}
	if j.D == "" {
		return pub, nil
	}
	d, err := unb64(j.D, "Invalid EC key in JSON Web Key; invalid \"d\".")
	if err != nil {
		return nil, err
	}
	k, err := ecdsa.ParseRawPrivateKey(c, d)
	if err != nil || !k.PublicKey.Equal(pub) {
		return nil, operationError("Invalid EC key; private key component \"d\" is invalid.")
	}
	return k, nil
}

func importRSA(j jwk) (any, error) {
	num := func(s, wrong string) (*big.Int, error) {
		b, err := unb64(s, wrong)
		return new(big.Int).SetBytes(b), err
	}
	n, err := num(j.N, "Invalid RSA key in JSON Web Key; missing or invalid Modulus parameter (\"n\").")
	if err != nil {
		return nil, err
	}
	e, err := num(j.E, "Invalid RSA key in JSON Web Key; missing or invalid Exponent parameter (\"e\").")
	if err != nil {
		return nil, err
	}
	if !e.IsInt64() || e.Int64() > 1<<31-1 {
		return nil, dataError("The JSON Web Key's public exponent is too large.")
	}
	if err := rsaFits(n); err != nil {
		return nil, err
	}
	pub := rsa.PublicKey{N: n, E: int(e.Int64())}
	if j.D == "" {
		return &pub, nil
	}
	k := &rsa.PrivateKey{PublicKey: pub}
	if k.D, err = num(j.D, "Invalid RSA key in JSON Web Key; missing or invalid Private Exponent parameter (\"d\")."); err != nil {
		return nil, err
	}
	for _, s := range []string{j.P, j.Q} {
		p, err := num(s, "Invalid RSA private key in JSON Web Key; if one Prime Factor or CRT Exponent/Coefficient parameter is present, then they must all be present (\"p\", \"q\", \"dp\", \"dq\", \"qi\").")
		if err != nil {
			return nil, err
		}
		k.Primes = append(k.Primes, p)
	}
	if err := rsaFits(append(k.Primes, k.D)...); err != nil {
		return nil, err
	}
	k.Precompute()
	if err := k.Validate(); err != nil {
		return nil, dataError("The JSON Web Key is not a valid RSA key: " + err.Error())
	}
	return k, nil
}

func rawPublic(k any) (isolate.Value, error) {
	switch k := k.(type) {
	case *ecdsa.PublicKey:
		b, err := k.Bytes()
		if err != nil {
			return nil, operationError(err.Error())
		}
		return b, nil
	case ed25519.PublicKey:
		return []byte(k), nil
	case *ecdh.PublicKey:
		return k.Bytes(), nil
	}
	return nil, operationError("This key has no raw form.")
}

func exportJWK(k any) (jwk, error) {
	switch k := k.(type) {
	case *ecdsa.PublicKey:
		b, err := k.Bytes()
		if err != nil {
			return jwk{}, err
		}
		n := (len(b) - 1) / 2
		return jwk{Kty: "EC", Crv: k.Params().Name, X: b64(b[1 : 1+n]), Y: b64(b[1+n:])}, nil
	case *ecdsa.PrivateKey:
		j, err := exportJWK(&k.PublicKey)
		if err != nil {
			return jwk{}, err
		}
		d, err := k.Bytes()
		j.D = b64(d)
		return j, err
	case ed25519.PublicKey:
		return jwk{Kty: "OKP", Crv: "Ed25519", X: b64(k)}, nil
	case ed25519.PrivateKey:
		return jwk{Kty: "OKP", Crv: "Ed25519", X: b64(k.Public().(ed25519.PublicKey)), D: b64(k.Seed())}, nil
	case *ecdh.PublicKey:
		return jwk{Kty: "OKP", Crv: "X25519", X: b64(k.Bytes())}, nil
	case *ecdh.PrivateKey:
		return jwk{Kty: "OKP", Crv: "X25519", X: b64(k.PublicKey().Bytes()), D: b64(k.Bytes())}, nil
	case *rsa.PublicKey:
		return jwk{Kty: "RSA", N: b64(k.N.Bytes()), E: b64(big.NewInt(int64(k.E)).Bytes())}, nil
	case *rsa.PrivateKey:
		j, err := exportJWK(&k.PublicKey)
		j.D, j.P, j.Q = b64(k.D.Bytes()), b64(k.Primes[0].Bytes()), b64(k.Primes[1].Bytes())
		j.DP, j.DQ, j.QI = b64(k.Precomputed.Dp.Bytes()), b64(k.Precomputed.Dq.Bytes()), b64(k.Precomputed.Qinv.Bytes())
		return j, err
	}
	return jwk{}, operationError("This key has no JSON form.")
}

func generatePair(kind string, bits int) (isolate.Value, error) {
	var private any
	var public any
	var err error
	switch kind {
	case "P-256", "P-384", "P-521":
		c, _ := curveNamed(kind)
		k, e := ecdsa.GenerateKey(c, rand.Reader)
		if err = e; err == nil {
			private, public = k, &k.PublicKey
		}
	case "Ed25519":
		public, private, err = ed25519.GenerateKey(rand.Reader)
	case "X25519":
		k, e := ecdh.X25519().GenerateKey(rand.Reader)
		if err = e; err == nil {
			private, public = k, k.PublicKey()
		}
	default:
		k, e := rsa.GenerateKey(rand.Reader, bits)
		if err = e; err == nil {
			private, public = k, &k.PublicKey
		}
	}
	if err != nil {
		return nil, operationError(err.Error())
	}
	pub, err := material(public)
	if err != nil {
		return nil, operationError(err.Error())
	}
	priv, err := material(private)
	if err != nil {
		return nil, operationError(err.Error())
	}
	return []any{pub, priv}, nil
}

func cryptoHash(name string) crypto.Hash {
	switch name {
	case "MD5":
		return crypto.MD5
	case "SHA-1":
		return crypto.SHA1
	case "SHA-256":
		return crypto.SHA256
	case "SHA-224":
		return crypto.SHA224
	case "SHA-384":
		return crypto.SHA384
	case "SHA-512/224":
		return crypto.SHA512_224
	case "SHA-512/256":
		return crypto.SHA512_256
	case "SHA3-256":
		return crypto.SHA3_256
	case "SHA3-384":
		return crypto.SHA3_384
	case "SHA3-512":
		return crypto.SHA3_512
	case "RIPEMD-160":
		return crypto.RIPEMD160
	}
	return crypto.SHA512
}

func sum(hash string, b []byte) []byte {
	h := newHash(hash)()
	h.Write(b)
	return h.Sum(nil)
}

func signPair(hash string, salt int, name string, m, b []byte) (isolate.Value, error) {
	k, err := parseMaterial(true, m)
	if err != nil {
		return nil, operationError(err.Error())
	}
	var out []byte
	switch k := k.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(k, b), nil
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, sum(hash, b))
		if err != nil {
			return nil, operationError(err.Error())
		}
		n := (k.Params().BitSize + 7) / 8
		out = make([]byte, 2*n)
		r.FillBytes(out[:n])
		s.FillBytes(out[n:])
		return out, nil
	case *rsa.PrivateKey:
		h := cryptoHash(hash)
		if name == "RSA-PSS" {
			out, err = rsa.SignPSS(rand.Reader, k, h, sum(hash, b), &rsa.PSSOptions{SaltLength: pssSalt(salt)})
		} else {
			out, err = rsa.SignPKCS1v15(nil, k, h, sum(hash, b))
		}
		if err != nil {
			return nil, operationError(err.Error())
		}
		return out, nil
	}
	return nil, operationError("This key cannot sign.")
}

// pssSalt is the library's way to say a length of zero, which it takes for "automatic".
func pssSalt(n int) int {
	if n == 0 {
		return -2
	}
	return n
}

func verifyPair(hash string, salt int, name string, m, b, sig []byte) (isolate.Value, error) {
	k, err := parseMaterial(false, m)
	if err != nil {
		return nil, operationError(err.Error())
	}
	switch k := k.(type) {
	case ed25519.PublicKey:
		if len(sig) != ed25519.SignatureSize {
			return nil, operationError(fmt.Sprintf("Invalid Ed25519 signature length %d", len(sig)))
		}
		return ed25519.Verify(k, b, sig), nil
	case *ecdsa.PublicKey:
		n := (k.Params().BitSize + 7) / 8
		if len(sig) != 2*n {
			return false, nil
		}
		return ecdsa.Verify(k, sum(hash, b), new(big.Int).SetBytes(sig[:n]), new(big.Int).SetBytes(sig[n:])), nil
	case *rsa.PublicKey:
		h := cryptoHash(hash)
		if name == "RSA-PSS" {
			return rsa.VerifyPSS(k, h, sum(hash, b), sig, &rsa.PSSOptions{SaltLength: pssSalt(salt)}) == nil, nil
		}
		return rsa.VerifyPKCS1v15(k, h, sum(hash, b), sig) == nil, nil
	}
	return nil, operationError("This key cannot verify.")
}

func agree(private, public []byte) (isolate.Value, error) {
	priv, err := parseMaterial(true, private)
	if err != nil {
		return nil, operationError(err.Error())
	}
	pub, err := parseMaterial(false, public)
	if err != nil {
		return nil, operationError(err.Error())
	}
	toECDH := func(k any) any {
		switch k := k.(type) {
		case *ecdsa.PrivateKey:
			if e, err := k.ECDH(); err == nil {
				return e
			}
		case *ecdsa.PublicKey:
			if e, err := k.ECDH(); err == nil {
				return e
			}
		}
		return k
	}
	a, ok := toECDH(priv).(*ecdh.PrivateKey)
	b, ok2 := toECDH(pub).(*ecdh.PublicKey)
	if !ok || !ok2 {
		return nil, operationError("These keys cannot agree on a secret.")
	}
	out, err := a.ECDH(b)
	if err != nil {
		return nil, operationError(err.Error())
	}
	return out, nil
}
