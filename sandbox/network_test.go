package sandbox

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

func TestPublicAddresses(t *testing.T) {
	for _, s := range []string{
		"127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8",
		"192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "fe80::1", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "2002:7f00:1::",
		"2001::1", "100::1", "fe80::1%eth0",
	} {
		a := netip.MustParseAddr(s)
		if public(a) {
			t.Errorf("%s counts as public", s)
		}
		if err := control(netip.AddrPort{})("tcp4", netip.AddrPortFrom(a, 80).String(), nil); err == nil {
			t.Errorf("%s may be dialled", s)
		}
	}
	for _, s := range []string{"1.1.1.1", "93.184.216.34", "2606:4700::1111"} {
		if !public(netip.MustParseAddr(s)) {
			t.Errorf("%s does not count as public", s)
		}
	}
	dial := control(netip.AddrPort{})
	for addr, ok := range map[string]bool{"1.1.1.1:80": true, "1.1.1.1:443": true, "1.1.1.1:22": false, "1.1.1.1:8080": false, "nonsense": false} {
		if err := dial("tcp4", addr, nil); (err == nil) != ok {
			t.Errorf("%s: %v", addr, err)
		}
	}
	if err := dial("udp4", "1.1.1.1:80", nil); err == nil {
		t.Error("udp may be dialled")
	}
	exact := control(netip.MustParseAddrPort("127.0.0.1:9999"))
	if exact("tcp4", "127.0.0.1:9999", nil) != nil || exact("tcp4", "127.0.0.1:9998", nil) == nil || exact("tcp4", "127.0.0.2:9999", nil) == nil {
		t.Error("an address of the operator's is not taken exactly")
	}
}

func TestAllowedHost(t *testing.T) {
	var hits atomic.Int64
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		b, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "http://other.test/", http.StatusFound)
			return
		}
		w.Header().Set("X-Up", "1")
		_, _ = io.WriteString(w, r.Method+" "+r.Host+" "+string(b))
	}))
	defer up.Close()
	n, err := newNetwork(map[string]string{"allowed.test": up.Listener.Addr().String()}, "")
	if err != nil {
		t.Fatal(err)
	}
	do := func(raw string) (*webapi.Response, error) {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		return n.fetch(context.Background(), u, &webapi.Request{Method: "POST", URL: raw, Body: io.NopCloser(strings.NewReader("body")), Length: 4, Headers: [][2]string{{"host", "evil"}, {"x", "y"}}})
	}
	resp, err := do("http://allowed.test/x")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	if string(b) != "POST allowed.test body" || resp.Head.Status != 200 {
		t.Errorf("%q %+v", b, resp.Head)
	}
	if resp, err := do("http://allowed.test/redirect"); err != nil || resp.Head.Status != 302 {
		t.Errorf("a redirect is followed here: %+v %v", resp, err)
	}
	before := hits.Load()
	for _, raw := range []string{
		"http://other.test/", "http://" + up.Listener.Addr().String() + "/", "http://localhost/", "http://allowed.test.evil/", "http://user:pw@allowed.test/",
		"http://2130706433/", "http://0x7f.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://127.1/",
	} {
		if resp, err := do(raw); err == nil {
			t.Errorf("%s answered %d", raw, resp.Head.Status)
		}
	}
	if hits.Load() != before {
		t.Error("a refused address was reached")
	}
	for allow, dns := range map[string]string{"x": "nonsense"} {
		if _, err := newNetwork(map[string]string{allow: ""}, dns); err == nil {
			t.Error("a resolver that is no address is taken")
		}
	}
	if _, err := newNetwork(map[string]string{"x": "localhost:80"}, ""); err == nil {
		t.Error("a host name is taken as an address")
	}
}

// Whatever a Worker tries, nothing on this machine is reached.
func TestNothingIsReached(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var hits atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			hits.Add(1)
			_ = c.Close()
		}
	}()
	s := open(t)
	deploy(t, s, key("a"), worker(`export default { async fetch(request) {
		const port = request.headers.get("port"), out = [];
		for (const h of ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f000001", "127.1", "[::ffff:127.0.0.1]", "a@127.0.0.1", "127.0.0.1#"])
			for (const p of ["http", "https", "ws"]) try { out.push((await fetch(p + "://" + h + ":" + port + "/")).status); } catch (e) { out.push("closed"); }
		return new Response([...new Set(out)].join());
	} };`), trace.Limits{CPU: 2 * time.Second, Calls: 50})
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a := get(t, s, key("a"), "/", func(r *Run) { r.Headers = [][2]string{{"port", port}} })
	if a.body != "closed" || hits.Load() != 0 {
		t.Errorf("%q, %d connections, %+v", a.body, hits.Load(), a.sum.Fault)
	}
}
