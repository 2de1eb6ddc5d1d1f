package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// leeway is how far the provider's clock may be off.
const leeway = time.Minute

// jwk is a public key as a provider publishes it (RFC 7517).
type jwk struct {
	Kty string `json:"kty"`
	Kid string `json:"kid"`
	Use string `json:"use"`
	Alg string `json:"alg"`
	N   string `json:"n"`
	E   string `json:"e"`
	Crv string `json:"crv"`
	X   string `json:"x"`
	Y   string `json:"y"`
}

// public is the key, nil for one that is not for signatures we take.
func (k jwk) public() crypto.PublicKey {
	number := func(text string) *big.Int {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(b) == 0 || len(b) > 1024 {
			return nil
		}
		return new(big.Int).SetBytes(b)
	}
	switch {
	case k.Use != "" && k.Use != "sig":
		return nil
	case k.Kty == "RSA" && (k.Alg == "" || k.Alg == "RS256"):
		n, e := number(k.N), number(k.E)
		if n == nil || e == nil || n.BitLen() < 2048 || !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 {
			return nil
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}
	case k.Kty == "EC" && k.Crv == "P-256" && (k.Alg == "" || k.Alg == "ES256"):
		x, err1 := base64.RawURLEncoding.DecodeString(k.X)
		y, err2 := base64.RawURLEncoding.DecodeString(k.Y)
		if err1 != nil || err2 != nil || len(x) != 32 || len(y) != 32 {
			return nil
		}
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		if err != nil {
			return nil
		}
		return key
	}
	return nil
}

// header is what an ID token says of its signature.
type header struct {
	Alg  string   `json:"alg"`
	Kid  string   `json:"kid"`
	Crit []string `json:"crit"`
}

// Claims are what a provider says of somebody who signed in.
type Claims struct {
	Subject  string // unique and never reused at this provider
	Email    string // "" unless the provider has verified it
	Name     string // as the provider shows it; may be ""
	Provider string // the issuer
}

type claims struct {
	Issuer        string          `json:"iss"`
	Subject       string          `json:"sub"`
	Audience      audience        `json:"aud"`
	Party         string          `json:"azp"`
	Expires       float64         `json:"exp"`
	Issued        float64         `json:"iat"`
	Nonce         string          `json:"nonce"`
	Email         string          `json:"email"`
	EmailVerified json.RawMessage `json:"email_verified"`
	Name          string          `json:"name"`
}

// audience is one client or a list of them.
type audience []string

// UnmarshalJSON takes a text or a list of texts.
func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

// split takes a token apart without believing anything in it.
func split(token string) (h header, signed string, payload, signature []byte, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return h, "", nil, nil, errors.New("oidc: the ID token has not three parts")
	}
	var decoded [3][]byte
	for i, part := range parts {
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return h, "", nil, nil, fmt.Errorf("oidc: the ID token's part %d is not base64url", i+1)
		}
	}
	if err := json.Unmarshal(decoded[0], &h); err != nil {
		return h, "", nil, nil, fmt.Errorf("oidc: the ID token's header: %w", err)
	}
	if len(h.Crit) > 0 {
		return h, "", nil, nil, errors.New("oidc: the ID token demands extensions")
	}
	return h, parts[0] + "." + parts[1], decoded[1], decoded[2], nil
}

// verify reports nil when the signature is the key's. The algorithm is the
// key's own; what the token says must agree.
func verify(h header, key crypto.PublicKey, signed string, signature []byte) error {
	sum := sha256.Sum256([]byte(signed))
	switch key := key.(type) {
	case *rsa.PublicKey:
		if h.Alg == "RS256" {
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
		}
	case *ecdsa.PublicKey:
		if h.Alg == "ES256" && len(signature) == 64 {
			if ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
				return nil
			}
			return errors.New("oidc: the signature is not the key's")
		}
	}
	return fmt.Errorf("oidc: the ID token is signed with %q, which its key is not for", h.Alg)
}

// believe checks what a token with a good signature says.
func (c claims) believe(issuer, client, nonce string, now time.Time) error {
	at := func(seconds float64) time.Time { return time.Unix(int64(min(max(seconds, 0), 1<<40)), 0) }
	switch {
	case c.Issuer != issuer:
		return errors.New("oidc: the ID token is another issuer's")
	case !slices.Contains(c.Audience, client) || len(c.Audience) > 1 && c.Party != client || c.Party != "" && c.Party != client:
		return errors.New("oidc: the ID token is for another client")
	case c.Expires == 0 || now.After(at(c.Expires).Add(leeway)):
		return errors.New("oidc: the ID token has expired")
	case c.Issued == 0 || at(c.Issued).After(now.Add(leeway)):
		return errors.New("oidc: the ID token is from the future")
	case nonce == "" || c.Nonce != nonce:
		return errors.New("oidc: the ID token answers another request")
	case c.Subject == "" || len(c.Subject) > 255:
		return errors.New("oidc: the ID token names nobody")
	}
	return nil
}
