package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// network is the way out for subrequests, closed but for the hosts that the
// operator allows. Redirects come back to it as new requests, so that every
// hop is judged.
type network struct {
	hosts  map[string]netip.AddrPort // allowed, with the only address to dial; zero: ask the resolver
	client *http.Client
}

var errClosedNetwork = &isolate.Throw{
	Name:    "TypeError",
	Message: "This address is closed here: fetch() reaches your own Workers and the lesson's upstreams, nothing else.",
}

// errAddress is why a dial to an allowed name is refused all the same.
var errAddress = errors.New("the name does not lead to a public address")

func newNetwork(allow map[string]string, dns string) (*network, error) {
	n := &network{hosts: map[string]netip.AddrPort{}}
	for host, addr := range allow {
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		if host == "" {
			return nil, errors.New("sandbox: an allowed host has no name")
		}
		if addr == "" {
			n.hosts[host] = netip.AddrPort{}
			continue
		}
		ap, err := netip.ParseAddrPort(addr)
		if err != nil {
			return nil, fmt.Errorf("sandbox: allowed host %q: the address %q is not IP:PORT", host, addr)
		}
		n.hosts[host] = ap
	}
	resolver := &net.Resolver{PreferGo: true}
	if dns != "" {
		if _, err := netip.ParseAddrPort(dns); err != nil {
			return nil, fmt.Errorf("sandbox: the resolver address %q is not IP:PORT", dns)
		}
		resolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, dns)
		}
	}
	n.client = &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: nil, MaxResponseHeaderBytes: 64 << 10, MaxConnsPerHost: 16, MaxIdleConnsPerHost: 4, IdleConnTimeout: 10 * time.Second,
			ResponseHeaderTimeout: 30 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
			DialContext: func(ctx context.Context, kind, addr string) (net.Conn, error) {
				host, port, err := net.SplitHostPort(addr)
				if err != nil {
					return nil, err
				}
				want, ok := n.hosts[strings.ToLower(host)]
				if !ok {
					return nil, errClosedNetwork
				}
				d := net.Dialer{Timeout: 5 * time.Second, Resolver: resolver, Control: control(want)}
				if want.IsValid() {
					return d.DialContext(ctx, kind, want.String())
				}
				return d.DialContext(ctx, kind, net.JoinHostPort(host, port))
			},
		},
	}
	return n, nil
}

// control judges the address that is really dialled, after resolution. With an
// address given by the operator, exactly that one is dialled.
func control(want netip.AddrPort) func(network, address string, c syscall.RawConn) error {
	return func(network, address string, _ syscall.RawConn) error {
		if network != "tcp4" && network != "tcp6" {
			return errAddress
		}
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return errAddress
		}
		if want.IsValid() {
			if ap.Addr().Unmap() != want.Addr().Unmap() || ap.Port() != want.Port() {
				return errAddress
			}
			return nil
		}
		if ap.Port() != 80 && ap.Port() != 443 || !public(ap.Addr()) {
			return errAddress
		}
		return nil
	}
}

// reserved are the prefixes that are not the public internet, beside those
// that netip knows (IANA special-purpose registries).
var reserved = func() []netip.Prefix {
	var list []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

// assigned is what the internet has of IPv6 so far. What lies outside has other
// meanings, such as an IPv4 address behind a translator of this host's network.
var assigned = netip.MustParsePrefix("2000::/3")

// public reports whether an address is an ordinary one of the internet.
func public(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if a.Is6() && !assigned.Contains(a) {
		return false
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// fetch performs a request to an allowed host.
func (n *network) fetch(ctx context.Context, u *url.URL, r *webapi.Request) (*webapi.Response, error) {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	want, ok := n.hosts[host]
	if !ok {
		return nil, errClosedNetwork
	}
	if port := u.Port(); !want.IsValid() && port != "" && port != "80" && port != "443" {
		return nil, errClosedNetwork
	}
	if u.User != nil {
		return nil, &isolate.Throw{Name: "TypeError", Message: "Addresses with a user name or password cannot be fetched."}
	}
	var body io.Reader
	if r.Body != nil {
		body = r.Body
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), body)
	if err != nil {
		return nil, &isolate.Throw{Name: "TypeError", Message: "The request cannot be made: " + clip(err.Error(), 200)}
	}
	req.ContentLength = r.Length
	if r.Body == nil {
		req.ContentLength = 0
	}
	for _, h := range r.Headers {
		switch strings.ToLower(h[0]) {
		case "host", "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "content-length":
		default:
			req.Header.Add(h[0], h[1])
		}
	}
	resp, err := n.client.Do(req)
	if err != nil {
		if errors.Is(err, errAddress) || errors.Is(err, errClosedNetwork) {
			return nil, errClosedNetwork
		}
		return nil, &isolate.Throw{Name: "Error", Message: "Network connection failed."}
	}
	head := trace.ResponseHead{Status: resp.StatusCode, StatusText: strings.TrimPrefix(resp.Status, strconv.Itoa(resp.StatusCode)+" ")}
	head.Encoded = !resp.Uncompressed
	if resp.Uncompressed {
		head.Headers = append(head.Headers, [2]string{"Content-Encoding", "gzip"}) // as the Worker is told it
	}
	for name, values := range resp.Header {
		for _, v := range values {
			head.Headers = append(head.Headers, [2]string{name, v})
		}
	}
	return &webapi.Response{Head: head, Body: resp.Body}, nil
}
