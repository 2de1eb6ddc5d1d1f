package oidc

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
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
	client *http.Client

	mu      sync.Mutex // held while the provider is asked about itself
	about   *metadata
	keys    map[string]crypto.PublicKey // by kid
	fetched time.Time                   // when keys were
}

// metadata is what a provider says of itself (OpenID Connect Discovery 1.0).
type metadata struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Keys          string `json:"jwks_uri"`
}

// What a provider's answers may take.
const (
	answerBytes = 1 << 20
	answerTime  = 10 * time.Second
	keysAge     = time.Hour
	keysAgain   = 10 * time.Second // an unknown key is looked for no more often than this
)

// New makes a Provider. The provider is not asked before somebody signs in.
func New(c Config) (*Provider, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := address(c.Issuer); err != nil || c.Client == "" {
		return nil, fmt.Errorf("the sign-in provider %q needs an https address and a client id", c.Issuer)
	}
	return &Provider{config: c, client: &http.Client{
		Timeout:       answerTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("oidc: the provider redirects") },
	}}, nil
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
func NewRequest() Request { return Request{random(), random(), random()} }

// random is 256 random bits as 43 URL-safe characters.
func random() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// Address is where the browser is sent to sign in; back is where the provider
// sends it afterwards.
func (p *Provider) Address(ctx context.Context, r Request, back string) (string, error) {
	about, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(about.Authorization)
	if err != nil {
		return "", fmt.Errorf("oidc: authorization endpoint: %w", err)
	}
	challenge := sha256.Sum256([]byte(r.Verifier))
	q := u.Query()
	for key, value := range map[string]string{
		"response_type": "code", "client_id": p.config.Client, "redirect_uri": back, "scope": "openid email profile", "state": r.State, "nonce": r.Nonce,
		"code_challenge": base64.RawURLEncoding.EncodeToString(challenge[:]), "code_challenge_method": "S256",
	} {
		q.Set(key, value)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// ErrRefused is the error of a sign-in that the provider or the person refused,
// or that does not belong to this browser.
var ErrRefused = errors.New("oidc: refused")

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
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {back}, "code_verifier": {r.Verifier}, "client_id": {p.config.Client},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, about.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return Claims{}, fmt.Errorf("oidc: token endpoint: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(p.config.Client), url.QueryEscape(p.config.Secret))
	var tokens struct {
		ID string `json:"id_token"`
	}
	if err := p.ask(req, &tokens); err != nil {
		return Claims{}, fmt.Errorf("oidc: token endpoint: %w", err)
	}
	return p.token(ctx, tokens.ID, r.Nonce)
}

// token believes an ID token, or says why not.
func (p *Provider) token(ctx context.Context, token, nonce string) (Claims, error) {
	h, signed, payload, signature, err := split(token)
	if err != nil {
		return Claims{}, err
	}
	key, err := p.key(ctx, h.Kid)
	if err != nil {
		return Claims{}, err
	}
	if err := verify(h, key, signed, signature); err != nil {
		return Claims{}, err
	}
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return Claims{}, fmt.Errorf("oidc: claims: %w", err)
	}
	if err := c.believe(p.config.Issuer, p.config.Client, nonce, p.config.Now()); err != nil {
		return Claims{}, err
	}
	out := Claims{Subject: c.Subject, Name: c.Name, Provider: c.Issuer}
	if v := string(c.EmailVerified); v == "true" || v == `"true"` { // some providers write it as a text
		out.Email = c.Email
	}
	return out, nil
}

// discover asks the provider about itself, once.
func (p *Provider) discover(ctx context.Context) (metadata, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.about != nil {
		return *p.about, nil
	}
	var m metadata
	if err := p.get(ctx, strings.TrimSuffix(p.config.Issuer, "/")+"/.well-known/openid-configuration", &m); err != nil {
		return m, fmt.Errorf("oidc: discovery: %w", err)
	}
	if m.Issuer != p.config.Issuer {
		return m, fmt.Errorf("oidc: discovery: the provider calls itself %q", m.Issuer)
	}
	for _, a := range []string{m.Authorization, m.Token, m.Keys} {
		if err := address(a); err != nil {
			return m, fmt.Errorf("oidc: discovery: %w", err)
		}
	}
	p.about = &m
	return m, nil
}

// key is the provider's key of that id. Keys change: an unknown one is looked
// for again, though not all the time.
func (p *Provider) key(ctx context.Context, kid string) (crypto.PublicKey, error) {
	about, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.config.Now()
	age := now.Sub(p.fetched)
	if p.keys[kid] == nil && age > keysAgain || age > keysAge {
		var set struct {
			Keys []jwk `json:"keys"`
		}
		if err := p.get(ctx, about.Keys, &set); err != nil {
			return nil, fmt.Errorf("oidc: keys: %w", err)
		}
		p.keys, p.fetched = map[string]crypto.PublicKey{}, now
		for _, k := range set.Keys {
			if key := k.public(); key != nil {
				p.keys[k.Kid] = key
			}
		}
	}
	if key := p.keys[kid]; key != nil {
		return key, nil
	}
	return nil, errors.New("oidc: the ID token is signed with a key that the provider does not publish")
}

func (p *Provider) get(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	return p.ask(req, into)
}

// ask sends a request and reads a JSON answer.
func (p *Provider) ask(req *http.Request, into any) error {
	req.Header.Set("Accept", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the provider answers %d", resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, answerBytes))
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}
