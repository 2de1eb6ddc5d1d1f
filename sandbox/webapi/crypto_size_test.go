package webapi

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

// What is done with a key cannot be stopped, so one that is too large is none.
func TestImportRefusesGiantRSA(t *testing.T) {
	modulus := func(bits int) []byte {
		b := bytes.Repeat([]byte{0xff}, bits/8)
		b[0] = 0xc1
		return b
	}
	spki := func(bits int) []byte {
		der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(modulus(bits)), E: 65537})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for bits, fits := range map[int]bool{2048: true, rsaBits: true, rsaBits + 8: false, 1_000_000: false} {
		n := b64(modulus(bits))
		for form, f := range map[string]func() error{
			"jwk": func() error {
				_, err := importPair("rsa", "jwk", "", `{"kty":"RSA","e":"AQAB","n":"`+n+`"}`)
				return err
			},
			"spki": func() error { _, err := importPair("rsa", "spki", "", spki(bits)); return err },
			"node": func() error {
				if nodeKey(spki(bits), "der", false) == nil {
					return fmt.Errorf("no key")
				}
				return nil
			},
		} {
			if err := f(); (err == nil) != fits {
				t.Errorf("%s of %d bits: %v", form, bits, err)
			}
		}
	}
	n := b64(modulus(1_000_000))
	begin := time.Now()
	_, err := importPair("rsa", "jwk", "", `{"kty":"RSA","e":"AQAB","n":"`+b64(modulus(2048))+`","d":"`+n+`","p":"`+n+`","q":"`+n+`"}`)
	if err == nil || !strings.Contains(err.Error(), "16384") || time.Since(begin) > 5*time.Second {
		t.Errorf("a private key of a million bits: %v after %v", err, time.Since(begin))
	}
}
