package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Client and Secret are what the one client of a Server is known by.
const (
	Client = "coldstart"
	Secret = "a secret: with & signs"
)

// Server is a running provider. Whoever is sent to it is signed in at once, as
// Person says.
type Server struct {
	*httptest.Server
	RSA *rsa.PrivateKey
	EC  *ecdsa.PrivateKey

	mu     sync.Mutex
	person map[string]any
	sign   func(claims map[string]any) string
	codes  map[string]url.Values // what was asked for with each code
}

// New starts a provider; it ends with the test.
func New(t *testing.T) *Server {
	t.Helper()
	s := &Server{codes: map[string]url.Values{}, person: map[string]any{"sub": "1"}}
	var err error
	if s.RSA, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if s.EC, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	s.sign = func(c map[string]any) string { return s.Token(map[string]any{"alg": "RS256", "kid": "rsa"}, c) }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	mux.HandleFunc("GET /keys", s.keys)
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /token", s.token)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// Person sets the claims of whoever signs in next, beside those of the
// protocol, which they replace.
func (s *Server) Person(claims map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person = claims
}

// Sign replaces how ID tokens are made of claims.
func (s *Server) Sign(sign func(claims map[string]any) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sign = sign
}

func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/keys"})
}

func (s *Server) keys(w http.ResponseWriter, _ *http.Request) {
	b64 := base64.RawURLEncoding.EncodeToString
	point, err := s.EC.PublicKey.Bytes()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, map[string]any{"keys": []map[string]string{
		{"kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256", "n": b64(s.RSA.N.Bytes()), "e": "AQAB"},
		{"kty": "EC", "kid": "ec", "use": "sig", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
		{"kty": "RSA", "kid": "not for signatures", "use": "enc", "n": b64(s.RSA.N.Bytes()), "e": "AQAB"},
	}})
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != Client || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("scope") == "" {
		http.Error(w, "a bad request of the client", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	s.mu.Lock()
	s.codes[code] = q
	s.mu.Unlock()
	back := q.Get("redirect_uri") + "?" + url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {s.URL}}.Encode()
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	want := url.QueryEscape(Secret)
	code := r.PostFormValue("code")
	s.mu.Lock()
	asked, known := s.codes[code]
	delete(s.codes, code)
	claims := map[string]any{"iss": s.URL, "aud": Client, "nonce": asked.Get("nonce"), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	maps.Copy(claims, s.person)
	sign := s.sign
	s.mu.Unlock()
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !known || id != Client || secret != want || r.PostFormValue("redirect_uri") != asked.Get("redirect_uri") || base64.RawURLEncoding.EncodeToString(challenge[:]) != asked.Get("code_challenge") {
		w.WriteHeader(http.StatusBadRequest)
		answer(w, map[string]any{"error": "invalid_grant"})
		return
	}
	answer(w, map[string]any{"token_type": "Bearer", "access_token": "not used", "id_token": sign(claims)})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client went away: nobody is left to tell
}

// Token signs claims with the key that the header's kid names, by the header's
// alg; with alg none it has no signature.
func (s *Server) Token(header, claims map[string]any) string {
	b64 := base64.RawURLEncoding.EncodeToString
	h, err := json.Marshal(header)
	if err != nil {
		panic(err) // plain data only
	}
	c, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	signed := b64(h) + "." + b64(c)
	sum := sha256.Sum256([]byte(signed))
	var signature []byte
	switch header["alg"] {
	case "RS256":
		if signature, err = rsa.SignPKCS1v15(rand.Reader, s.RSA, crypto.SHA256, sum[:]); err != nil {
			panic(err)
		}
	case "ES256":
		r, v, err := ecdsa.Sign(rand.Reader, s.EC, sum[:])
		if err != nil {
			panic(err)
		}
		signature = append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
	}
	return signed + "." + b64(signature)
}
