package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// tlsFlags are the two ways to serve https without a proxy in front.
type tlsFlags struct {
	TLSCert   string   `name:"tls-cert" help:"Certificate with its chain (PEM); read again when the file changes." env:"COLDSTART_TLS_CERT" type:"path" placeholder:"FILE"`
	TLSKey    string   `name:"tls-key" help:"The certificate's key (PEM)." env:"COLDSTART_TLS_KEY" type:"path" placeholder:"FILE"`
	TLSDomain []string `name:"tls-domain" help:"Names to get certificates for by ACME (Let's Encrypt); --addr must be reachable as port 443." env:"COLDSTART_TLS_DOMAIN" placeholder:"NAME"`
	TLSEmail  string   `name:"tls-email" help:"Where the certificate authority may write to." env:"COLDSTART_TLS_EMAIL" placeholder:"ADDRESS"`
	ACME      string   `name:"acme-directory" help:"Directory of the certificate authority (default: Let's Encrypt's)." env:"COLDSTART_ACME_DIRECTORY" placeholder:"URL"`
}

// config is nil when the site speaks plain http. data keeps ACME's keys and certificates.
func (f *tlsFlags) config(data string) (*tls.Config, error) {
	files := f.TLSCert != "" || f.TLSKey != ""
	switch {
	case files && len(f.TLSDomain) > 0:
		return nil, errors.New("serve: --tls-cert and --tls-domain are two ways to the same; use one")
	case files && (f.TLSCert == "" || f.TLSKey == ""):
		return nil, errors.New("serve: --tls-cert and --tls-key belong together; name both")
	case files:
		pair := &certFile{cert: f.TLSCert, key: f.TLSKey, now: time.Now}
		if _, err := pair.get(nil); err != nil {
			return nil, fmt.Errorf("serve: --tls-cert: %w", err)
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}, nil
	case len(f.TLSDomain) > 0:
		m := &autocert.Manager{
			Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(data, "acme")),
			HostPolicy: autocert.HostWhitelist(f.TLSDomain...), Email: f.TLSEmail,
		}
		if f.ACME != "" {
			m.Client = &acme.Client{DirectoryURL: f.ACME, HTTPClient: &http.Client{Timeout: time.Minute}}
		}
		c := m.TLSConfig()
		c.MinVersion = tls.VersionTLS12
		return c, nil
	}
	return nil, nil
}

// certLook is how often the files are looked at.
const certLook = 10 * time.Second

// certFile is a certificate that somebody else renews in its file.
type certFile struct {
	cert, key string
	now       func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
	changed time.Time // of the file that current was read from
	looked  time.Time
}

// get is for tls.Config. Files that cannot be read leave the earlier certificate in use.
func (c *certFile) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.current != nil && now.Sub(c.looked) < certLook {
		return c.current, nil
	}
	c.looked = now
	info, err := os.Stat(c.cert)
	if err == nil && c.current != nil && info.ModTime().Equal(c.changed) {
		return c.current, nil
	}
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(c.cert, c.key); err == nil {
			c.current, c.changed = &pair, info.ModTime()
		}
	}
	if c.current == nil {
		return nil, err
	}
	return c.current, nil
}
