package hostile

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// world is the closed network around the server under test: a canary that
// nobody may reach, the one permitted upstream, and a resolver that lies.
type world struct {
	canaryPort  int
	canaryToken string
	canaryFile  string
	canaryHits  atomic.Int64

	upstream     string // IP:PORT of allowed.test
	upstreamMu   sync.Mutex
	upstreamSeen []string

	dns string // address of the resolver
}

func token() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{canaryToken: "canary" + token()}
	w.canaryFile = filepath.Join(t.TempDir(), "canary.txt")
	if err := os.WriteFile(w.canaryFile, []byte(w.canaryToken), 0o644); err != nil {
		t.Fatal(err)
	}
	w.startCanary(t)
	w.startUpstream(t)
	w.startDNS(t)
	return w
}

// startCanary listens on the same port of 127.0.0.1 and, where there is IPv6, of ::1.
func (w *world) startCanary(t *testing.T) {
	t.Helper()
	l4, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.canaryPort = l4.Addr().(*net.TCPAddr).Port
	listeners := []net.Listener{l4}
	if l6, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(w.canaryPort))); err == nil {
		listeners = append(listeners, l6)
	}
	for _, l := range listeners {
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				w.canaryHits.Add(1)
				_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(w.canaryToken), w.canaryToken)
				c.Close()
			}
		}()
	}
}

func (w *world) startUpstream(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.upstream = l.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "UPSTREAM ok") })
	mux.HandleFunc("/redirect", func(rw http.ResponseWriter, r *http.Request) {
		code, err := strconv.Atoi(r.FormValue("code"))
		if err != nil {
			code = http.StatusFound
		}
		rw.Header().Set("Location", r.FormValue("to"))
		rw.WriteHeader(code)
	})
	mux.HandleFunc("/loop", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "/loop", http.StatusFound)
	})
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/drip", func(rw http.ResponseWriter, r *http.Request) {
		for tick := time.NewTicker(time.Second); ; {
			if _, err := io.WriteString(rw, "."); err != nil {
				return
			}
			rw.(http.Flusher).Flush()
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
	})
	mux.HandleFunc("/big", func(rw http.ResponseWriter, _ *http.Request) {
		piece := make([]byte, 1<<20)
		for range 1 << 10 {
			if _, err := rw.Write(piece); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/", func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(rw, "UPSTREAM not found")
	})
	srv := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var b strings.Builder
		_ = r.Header.Write(&b)
		w.upstreamMu.Lock()
		w.upstreamSeen = append(w.upstreamSeen, r.Method+" "+r.Host+r.URL.String()+"\n"+b.String())
		w.upstreamMu.Unlock()
		mux.ServeHTTP(rw, r)
	})}
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Log(err)
		}
	}()
	t.Cleanup(func() { srv.Close() })
}

// seen is what allowed.test was asked since mark; call with 0 for everything.
func (w *world) seen(mark int) []string {
	w.upstreamMu.Lock()
	defer w.upstreamMu.Unlock()
	return append([]string(nil), w.upstreamSeen[mark:]...)
}

// startDNS answers A queries: *.rebind.test changes its mind after the first
// answer, *.always-loopback.test is 127.0.0.1, the rest does not exist.
func (w *world) startDNS(t *testing.T) {
	t.Helper()
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.dns = pc.LocalAddr().String()
	t.Cleanup(func() { pc.Close() })
	asked := map[string]bool{}
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			name := strings.ToLower(q.Name.String())
			m.Response, m.Authoritative = true, true
			var ip [4]byte
			switch {
			case strings.HasSuffix(name, ".rebind.test.") && !asked[name]:
				ip = [4]byte{203, 0, 113, 7}
				asked[name] = q.Type == dnsmessage.TypeA
			case strings.HasSuffix(name, ".rebind.test."), strings.HasSuffix(name, ".always-loopback.test."):
				ip = [4]byte{127, 0, 0, 1}
			default:
				m.RCode = dnsmessage.RCodeNameError
			}
			if m.RCode == dnsmessage.RCodeSuccess && q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: ip},
				}}
			}
			if out, err := m.Pack(); err == nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
}
