package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// authority is a certificate authority that speaks ACME (RFC 8555) with the
// challenge tls-alpn-01 (RFC 8737): it looks at the server that asks for a
// certificate as a real one would, only not at port 443. It does not verify
// the signatures of requests.
type authority struct {
	*httptest.Server
	key  *ecdsa.PrivateKey
	root *x509.Certificate

	mu         sync.Mutex
	site       string // address at which names are looked at
	thumbprint string // of the account's key
	name       string // that the order is for
	proved     bool
	cert       []byte // PEM
	orders     int
	wrong      error
}

const challengeToken = "a-token-of-the-authority"

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of a test"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err == nil {
		a.root, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

// ServeHTTP implements http.Handler.
func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Replay-Nonce", fmt.Sprint(time.Now().UnixNano()))
	var jws struct{ Protected, Payload string }
	var protected struct {
		JWK map[string]string `json:"jwk"`
	}
	var payload struct {
		Identifiers []struct{ Type, Value string }
		CSR         string
	}
	if r.Method == http.MethodPost {
		_ = json.NewDecoder(r.Body).Decode(&jws)
		_ = json.Unmarshal(raw64(jws.Protected), &protected)
		_ = json.Unmarshal(raw64(jws.Payload), &payload)
	}
	order := func(status int) {
		state := map[string]any{
			"status": "pending", "identifiers": []any{map[string]string{"type": "dns", "value": a.name}},
			"authorizations": []string{a.URL + "/authorization"}, "finalize": a.URL + "/finalize",
		}
		switch {
		case a.cert != nil:
			state["status"], state["certificate"] = "valid", a.URL+"/certificate"
		case a.proved:
			state["status"] = "ready"
		}
		w.Header().Set("Location", a.URL+"/order")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(state)
	}
	status := map[bool]string{false: "pending", true: "valid"}[a.proved]
	challenge := map[string]string{"type": "tls-alpn-01", "url": a.URL + "/challenge", "token": challengeToken, "status": status}
	switch r.URL.Path {
	case "/directory":
		_ = json.NewEncoder(w).Encode(map[string]string{"newNonce": a.URL + "/nonce", "newAccount": a.URL + "/account", "newOrder": a.URL + "/orders"})
	case "/nonce":
	case "/account":
		k := protected.JWK
		sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":%q,"kty":%q,"x":%q,"y":%q}`, k["crv"], k["kty"], k["x"], k["y"]))
		a.thumbprint = base64.RawURLEncoding.EncodeToString(sum[:])
		w.Header().Set("Location", a.URL+"/account/1")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "valid"})
	case "/orders":
		a.orders++
		a.name, a.proved, a.cert = payload.Identifiers[0].Value, false, nil
		order(http.StatusCreated)
	case "/order":
		order(http.StatusOK)
	case "/authorization":
		_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "identifier": map[string]string{"type": "dns", "value": a.name}, "challenges": []any{challenge}})
	case "/challenge":
		a.wrong = a.look()
		a.proved = a.wrong == nil
		_ = json.NewEncoder(w).Encode(challenge)
	case "/finalize":
		if a.cert, a.wrong = a.sign(raw64(payload.CSR)); a.wrong != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		order(http.StatusOK)
	case "/certificate":
		_, _ = w.Write(a.cert)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func raw64(s string) []byte {
	data, _ := base64.RawURLEncoding.DecodeString(s)
	return data
}

// look asks the site to prove that it holds the name.
func (a *authority) look() error {
	conn, err := tls.Dial("tcp", a.site, &tls.Config{ServerName: a.name, NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true})
	if err != nil {
		return err
	}
	defer conn.Close()
	state := conn.ConnectionState()
	sum := sha256.Sum256([]byte(challengeToken + "." + a.thumbprint))
	want, err := asn1.Marshal(sum[:])
	if err != nil {
		return err
	}
	for _, e := range state.PeerCertificates[0].Extensions {
		if e.Id.String() == "1.3.6.1.5.5.7.1.31" && e.Critical && bytes.Equal(e.Value, want) && state.NegotiatedProtocol == "acme-tls/1" {
			return nil
		}
	}
	return fmt.Errorf("the site answers the challenge with %v", state.PeerCertificates[0].Subject)
}

func (a *authority) sign(csr []byte) ([]byte, error) {
	r, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: r.DNSNames, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.root, r.PublicKey, a.key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), err
}

// TestACME lets a server get its certificate from an authority at the first
// visit, and use it again when it has been started anew.
func TestACME(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	const name = "learn.example.test"
	roots := x509.NewCertPool()
	roots.AddCert(a.root)
	data := t.TempDir()
	for start := range 2 {
		r := launch(t, "--data", data, "--tls-domain", name, "--acme-directory", a.URL+"/directory")
		host := ""
		r.until("its address", func() bool {
			_, after, ok := strings.Cut(r.log.String(), "Coldstart    https://")
			host, _, _ = strings.Cut(after, "\n")
			return ok
		})
		a.mu.Lock()
		a.site = host
		a.mu.Unlock()
		client := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{ServerName: name, RootCAs: roots}}}
		resp, err := client.Get("https://" + host + "/healthz")
		if err != nil {
			a.mu.Lock()
			t.Fatalf("start %d: %v; the authority: %v\n%s", start, err, a.wrong, r.log.String())
		}
		resp.Body.Close()
		client.CloseIdleConnections()
		r.signal(syscall.SIGTERM)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.orders != 1 {
		t.Errorf("%d orders for one name and two starts", a.orders)
	}
}
