package oidc

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"regexp"

	"github.com/coreos/go-oidc/v3/oidc"
)

// compact is the form of an ID token, which the library reads less strictly.
var compact = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

// believe checks of a token whose signature, issuer, audience and age are good
// what the library leaves to its user (OpenID Connect Core 1.0, 3.1.3.7).
func (p *Provider) believe(token *oidc.IDToken, nonce string) (Claims, error) {
	var c struct {
		Party         string          `json:"azp"`
		Email         string          `json:"email"`
		EmailVerified json.RawMessage `json:"email_verified"`
		Name          string          `json:"name"`
	}
	if err := token.Claims(&c); err != nil {
		return Claims{}, err
	}
	switch {
	case len(token.Audience) > 1 && c.Party == "" || c.Party != "" && c.Party != p.config.Client:
		return Claims{}, errors.New("oidc: the ID token is for another client")
	case token.IssuedAt.Unix() <= 0 || token.IssuedAt.After(p.config.Now().Add(leeway)):
		return Claims{}, errors.New("oidc: the ID token is from the future")
	case nonce == "" || subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:
		return Claims{}, errors.New("oidc: the ID token answers another request")
	case token.Subject == "" || len(token.Subject) > 255:
		return Claims{}, errors.New("oidc: the ID token names nobody")
	}
	out := Claims{Subject: token.Subject, Name: c.Name, Provider: p.config.Issuer}
	if v := string(c.EmailVerified); v == "true" || v == `"true"` { // some providers write it as a text
		out.Email = c.Email
	}
	return out, nil
}
