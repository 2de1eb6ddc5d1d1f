package web

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"coldstart/web/classroom"
	"coldstart/web/oidc"
)

// OIDC is a provider of identities with which instructors sign in beside
// their passwords.
type OIDC struct {
	Provider *oidc.Provider
	Name     string // on the button: "Sign in with …"
}

// providerCookie keeps a sign-in under way in the browser that began it.
const (
	providerCookie    = "coldstart-signin"
	providerCookieAge = 600 // seconds
)

func (s *Site) providerName() string {
	if s.config.OIDC == nil {
		return ""
	}
	return s.config.OIDC.Name
}

func (s *Site) provider() (*oidc.Provider, error) {
	if s.config.OIDC == nil {
		return nil, fail(http.StatusNotFound, "This server has no other sign-in than names and passwords.")
	}
	return s.config.OIDC.Provider, nil
}

func (s *Site) providerBack(c *call) string { return s.base(c.r) + "/signin/return" }

// providerBegin sends the browser to the provider. Nothing is stored but a
// cookie that expires soon.
func (s *Site) providerBegin(c *call) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	r := oidc.NewRequest()
	to, err := p.Address(c.r.Context(), r, s.providerBack(c))
	if err != nil {
		return &Error{Status: http.StatusBadGateway, Heading: "The sign-in provider does not answer", Message: "Try again in a moment, or use a name and a password.", Err: err}
	}
	text := r.State + "." + r.Nonce + "." + r.Verifier
	s.setProviderCookie(c, text+"."+s.providerMAC(text), providerCookieAge)
	c.w.Header().Set("Location", to)
	c.w.WriteHeader(http.StatusSeeOther)
	return nil
}

func (s *Site) providerMAC(text string) string {
	return base64.RawURLEncoding.EncodeToString(s.sign("sign-in", text)[:16])
}

func (s *Site) setProviderCookie(c *call, value string, age int) {
	http.SetCookie(c.w, &http.Cookie{
		Name: providerCookie, Value: value, Path: "/signin", MaxAge: age, Secure: s.secure(c.r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// providerRequest is the sign-in that this browser began, empty for none.
func (s *Site) providerRequest(r *http.Request) oidc.Request {
	cookies := r.CookiesNamed(providerCookie)
	if len(cookies) != 1 {
		return oidc.Request{}
	}
	i := strings.LastIndexByte(cookies[0].Value, '.')
	if i < 0 || !hmac.Equal([]byte(cookies[0].Value[i+1:]), []byte(s.providerMAC(cookies[0].Value[:i]))) {
		return oidc.Request{}
	}
	parts := strings.Split(cookies[0].Value[:i], ".")
	if len(parts) != 3 {
		return oidc.Request{}
	}
	return oidc.Request{State: parts[0], Nonce: parts[1], Verifier: parts[2]}
}

// providerReturn is where the provider sends the browser back. It is the one
// GET that may change something: the provider leaves no other choice, and the
// state in the browser's own cookie stands for the origin check.
func (s *Site) providerReturn(c *call) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	claims, err := p.Finish(c.r.Context(), s.providerRequest(c.r), s.providerBack(c), c.r.URL.Query())
	if errors.Is(err, oidc.ErrRefused) {
		return &Error{Status: http.StatusForbidden, Heading: "The sign-in was not finished", Message: "It was refused, took longer than ten minutes, or was begun in another browser. Begin again.", Err: err}
	}
	if err != nil {
		return &Error{Status: http.StatusBadGateway, Heading: "The sign-in provider’s answer cannot be believed", Message: "Nothing was changed. Try again; if it stays so, tell the host.", Err: err}
	}
	ctx, store := c.r.Context(), s.config.Store
	a, err := store.AccountByIdentity(ctx, claims.Provider, claims.Subject)
	if errors.Is(err, classroom.ErrNotFound) && claims.Email != "" {
		// The first time: the account that the host made for this address.
		if a, err = store.AccountByName(ctx, strings.ToLower(claims.Email)); err == nil {
			err = store.AddIdentity(ctx, a.ID, claims.Provider, claims.Subject)
		}
	}
	if errors.Is(err, classroom.ErrNotFound) || errors.Is(err, classroom.ErrTaken) {
		return &Error{Status: http.StatusForbidden, Heading: "There is no account for you here", Message: "You are known to the provider, but the host has made no account for your address. Ask the host.", Err: err}
	}
	if err != nil {
		return err
	}
	err = s.signedIn(c, a)
	s.setProviderCookie(c, "", -1)
	return err
}
