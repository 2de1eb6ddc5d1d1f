package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// certificate writes a self-signed certificate and its key.
func certificate(t *testing.T, dir string, serial int64, changed time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}, &x509.Certificate{SerialNumber: big.NewInt(serial)}, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(cert, changed, changed); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestCertificateIsReadAgain(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	cert, key := certificate(t, dir, 1, now)
	f := &certFile{cert: cert, key: key, now: func() time.Time { return now }}
	serial := func() int64 {
		t.Helper()
		c, err := f.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Errorf("serial %d", got)
	}
	certificate(t, dir, 2, now.Add(time.Minute))
	now = now.Add(certLook)
	if got := serial(); got != 2 {
		t.Errorf("after a renewal: serial %d", got)
	}
	if err := os.WriteFile(cert, []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(certLook)
	if got := serial(); got != 2 {
		t.Errorf("while the file is being written: serial %d", got)
	}
}

func TestACMEAnswersForItsNamesOnly(t *testing.T) {
	c, err := (&tlsFlags{TLSDomain: []string{"learn.example.org"}, ACME: "http://127.0.0.1:1/"}).config(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.GetCertificate(&tls.ClientHelloInfo{ServerName: "other.example.org"})
	if err == nil || !strings.Contains(err.Error(), "not configured") {
		t.Errorf("another name: %v", err)
	}
}

func TestServeTLS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t, t.TempDir(), 1, time.Now())
	r := launch(t, "--tls-cert", cert, "--tls-key", key)
	client := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	r.until("an answer over https", func() bool {
		_, after, ok := strings.Cut(r.log.String(), "Coldstart    https://")
		if !ok {
			return false
		}
		r.url, _, _ = strings.Cut(after, "\n")
		resp, err := client.Get("https://" + r.url + "/healthz")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK && resp.ProtoMajor == 2
	})
	if err := (&healthCmd{Addr: r.url}).Run(t.Context()); err != nil {
		t.Error(err)
	}
	r.signal(syscall.SIGTERM)
}
