package sandbox

import (
	"context"
	"errors"
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
		"::ffff:0:7f00:1", "::ffff:0:a9fe:a9fe", "1::1", "200::1", "4000::1", "a000::1", "e000::1", "2606:4700::1111%1",
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

// TestEveryAddressForm holds some two hundred forms of addresses against the function
// that judges what is dialled: both ends and the middle of every range that is
// not the public internet, also as IPv6 writes IPv4, what lies right beside
// such a range, and spellings that other software takes for an address.
func TestEveryAddressForm(t *testing.T) {
	dial := control(netip.AddrPort{})
	forms := 0
	judge := func(network, address string, ok bool) {
		t.Helper()
		forms++
		if err := dial(network, address, nil); (err == nil) != ok {
			t.Errorf("%s %s: %v", network, address, err)
		}
	}
	closed := []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
		"192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
		"::/128", "::1/128", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
		"::/3", "4000::/3", "8000::/3", "a000::/3", "c000::/3", "e000::/4", "::ffff:0:0:0/96", // all but what is assigned
		"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
	}
	inside := func(a netip.Addr) bool {
		for _, c := range closed {
			if netip.MustParsePrefix(c).Contains(a) {
				return true
			}
		}
		return false
	}
	for _, c := range closed {
		p := netip.MustParsePrefix(c)
		first := p.Addr()
		bytes, middle := first.AsSlice(), first.AsSlice()
		for bit := p.Bits(); bit < first.BitLen(); bit++ {
			bytes[bit/8] |= 1 << (7 - bit%8)
		}
		if p.Bits() < first.BitLen() {
			middle[p.Bits()/8] |= 1 << (7 - p.Bits()%8)
		}
		last, _ := netip.AddrFromSlice(bytes)
		mid, _ := netip.AddrFromSlice(middle)
		for _, a := range []netip.Addr{first, mid, last} {
			if a.Is4() {
				judge("tcp4", netip.AddrPortFrom(a, 80).String(), false)
				judge("tcp6", netip.AddrPortFrom(netip.AddrFrom16(a.As16()), 80).String(), false)
			} else {
				judge("tcp6", netip.AddrPortFrom(a, 443).String(), false)
			}
		}
		for _, a := range []netip.Addr{first.Prev(), last.Next()} {
			if a.IsValid() && a.Is4() && !inside(a) {
				judge("tcp4", netip.AddrPortFrom(a, 443).String(), true)
			}
		}
	}
	for _, s := range []string{ // spellings, which a dial never gets to see but as text
		"2130706433:80", "0x7f000001:80", "0x7f.1:80", "0177.0.0.1:80", "127.1:80", "127.0.1:80", "017700000001:80", "127.0.0.1.:80", "127.0.0.01:80", "localhost:80", "LOCALHOST:80",
		"[::1%lo]:80", "[::ffff:7f00:1]:80", "[0:0:0:0:0:ffff:127.0.0.1]:80", "[0000::0001]:80", "::1:80", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:080x", "127.0.0.1:99999", "１２７.0.0.1:80",
		"127。0。0。1:80", "127.0.0.1%00:80", "127.0.0.1\x00:80", "1.1.1.1%eth0:80", "[fe80::1%25eth0]:80", "1.1.1.1:80 ", " 1.1.1.1:80", "1.1.1.1:-1", "1.1.1.1:0", "example.com:443", "/var/run/docker.sock", "@abstract",
		"1.1.1.1:22", "1.1.1.1:25", "1.1.1.1:8443", "[2606:4700::1111]:8080",
	} {
		judge("tcp4", s, false)
		judge("tcp6", s, false)
	}
	for _, network := range []string{"udp4", "udp6", "ip4:1", "unix", "unixgram", ""} {
		judge(network, "1.1.1.1:80", false)
	}
	for _, s := range []string{"1.1.1.1:80", "8.8.8.8:443", "93.184.216.34:443", "223.255.255.254:80"} {
		judge("tcp4", s, true)
	}
	for _, s := range []string{"[2606:4700::1111]:443", "[2a00:1450:4001::1]:80"} {
		judge("tcp6", s, true)
	}
	if forms < 200 {
		t.Errorf("only %d forms", forms)
	}
	t.Log(forms, "forms")
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

// A host that the operator allows by name alone is judged by the address that its
// name leads to, whatever the resolver says of it, at each dial anew.
func TestLyingResolver(t *testing.T) {
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	var asked atomic.Int64
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			asked.Add(1)
			end := 12 + strings.IndexByte(string(buf[12:n]), 0) + 5 // of the question
			answer := append([]byte{}, buf[:end]...)
			answer[2], answer[3], answer[6], answer[7] = 0x81, 0x80, 0, 0
			copy(answer[8:12], make([]byte, 4))
			if answer[end-3] == 1 { // an A record
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
			}
			_, _ = udp.WriteTo(answer, from)
		}
	}()
	n, err := newNetwork(map[string]string{"allowed.test": ""}, udp.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	if n.client.Transport.(*http.Transport).Proxy != nil {
		t.Error("a proxy could dial what is closed")
	}
	for _, raw := range []string{"http://allowed.test/", "https://ALLOWED.test/"} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		before := asked.Load()
		_, err = n.fetch(t.Context(), u, &webapi.Request{Method: "GET", URL: raw})
		if !errors.Is(err, errClosedNetwork) || asked.Load() == before {
			t.Errorf("%s, which leads to this machine: %v, the resolver was asked %d times", raw, err, asked.Load()-before)
		}
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
