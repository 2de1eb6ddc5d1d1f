package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Config names a provider and what this site is to it.
type Config struct {
	Issuer string // https://id.example.org, exactly as its tokens say; http only on loopback
	Client string // the id it gave this site
	Secret string
	Now    func() time.Time // default time.Now
}

// Provider is one provider of identities. It may be used by many goroutines.
type Provider struct {
	config Config

	mu    sync.Mutex // held while the provider is asked about itself
	about *metadata
}

// metadata is what a provider said of itself (OpenID Connect Discovery 1.0).
type metadata struct {
	endpoint oauth2.Endpoint
	tokens   *oidc.IDTokenVerifier
}

// answerTime bounds each question to a provider.
const answerTime = 10 * time.Second

// leeway is how far the provider's clock may be off.
const leeway = time.Minute

// New makes a Provider. The provider is not asked before somebody signs in.
func New(c Config) (*Provider, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := address(c.Issuer); err != nil || c.Client == "" {
		return nil, fmt.Errorf("the sign-in provider %q needs an https address and a client id", c.Issuer)
	}
	return &Provider{config: c}, nil
}

// address reports nil for an https address, and for http on loopback.
func address(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("oidc: %q is no address", text)
	}
	loopback := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return fmt.Errorf("oidc: %q is not https", text)
	}
	return nil
}

// Request is one sign-in under way. The caller keeps it, for this browser
// only, until the provider has answered.
type Request struct {
	State    string
	Nonce    string
	Verifier string
}

// NewRequest begins a sign-in.
func NewRequest() Request {
	return Request{oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()} // 256 random bits each
}

// Address is where the browser is sent to sign in; back is where the provider
// sends it afterwards.
func (p *Provider) Address(ctx context.Context, r Request, back string) (string, error) {
	about, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	return p.flow(about, back).AuthCodeURL(r.State, oidc.Nonce(r.Nonce), oauth2.S256ChallengeOption(r.Verifier)), nil
}

func (p *Provider) flow(about *metadata, back string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.config.Client, ClientSecret: p.config.Secret, Endpoint: about.endpoint, RedirectURL: back, Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}
}

// ErrRefused is the error of a sign-in that the provider or the person refused,
// or that does not belong to this browser.
var ErrRefused = errors.New("oidc: refused")

// Claims are what a provider says of somebody who signed in.
type Claims struct {
	Subject  string // unique and never reused at this provider
	Email    string // "" unless the provider has verified it
	Name     string // as the provider shows it; may be ""
	Provider string // the issuer
}

// Finish takes the provider's answer: the query with which it sent the browser
// back. It believes nobody but the provider.
func (p *Provider) Finish(ctx context.Context, r Request, back string, answer url.Values) (Claims, error) {
	if r.State == "" || subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(r.State)) != 1 {
		return Claims{}, fmt.Errorf("%w: the answer is not to this browser's request", ErrRefused)
	}
	if iss := answer.Get("iss"); iss != "" && iss != p.config.Issuer { // RFC 9207
		return Claims{}, fmt.Errorf("%w: the answer is another provider's", ErrRefused)
	}
	if answer.Get("error") != "" || answer.Get("code") == "" {
		return Claims{}, fmt.Errorf("%w: the provider gave no code", ErrRefused)
	}
	about, err := p.discover(ctx)
	if err != nil {
		return Claims{}, err
	}
	ctx = oidc.ClientContext(ctx, client(wire{}))
	got, err := p.flow(about, back).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(r.Verifier))
	if err != nil {
		return Claims{}, fmt.Errorf("oidc: token endpoint: %w", err)
	}
	raw, _ := got.Extra("id_token").(string)
	if !compact.MatchString(raw) {
		return Claims{}, errors.New("oidc: the provider gave no ID token, or one that is not three parts of base64url")
	}
	token, err := about.tokens.Verify(ctx, raw)
	if err != nil {
		return Claims{}, fmt.Errorf("oidc: ID token: %w", err)
	}
	return p.believe(token, r.Nonce)
}

// discover asks the provider about itself, once.
func (p *Provider) discover(ctx context.Context) (*metadata, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.about != nil {
		return p.about, nil
	}
	at, err := oidc.NewProvider(oidc.ClientContext(ctx, client(wire{})), p.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("oidc: discovery: %w", err)
	}
	var more struct {
		Keys string `json:"jwks_uri"`
	}
	if err := at.Claims(&more); err != nil {
		return nil, fmt.Errorf("oidc: discovery: %w", err)
	}
	endpoint := at.Endpoint()
	for _, a := range []string{endpoint.AuthURL, endpoint.TokenURL, more.Keys} {
		if err := address(a); err != nil {
			return nil, fmt.Errorf("oidc: discovery: %w", err)
		}
	}
	endpoint.AuthStyle = oauth2.AuthStyleInHeader // what every provider must take; trying both would use the code up
	p.about = &metadata{endpoint: endpoint, tokens: oidc.NewVerifier(p.config.Issuer, oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), client(signing{})), more.Keys), &oidc.Config{
		ClientID: p.config.Client, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256}, Now: func() time.Time { return p.config.Now().Add(-leeway) },
	})}
	return p.about, nil
}
