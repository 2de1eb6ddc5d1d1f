package sandbox

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
)

// A body under a Content-Encoding that Workers know is compressed on its way to
// the client, unless the Worker says that it is already; what another Worker
// fetches is plain either way.
func TestBodiesAreEncodedForTheWire(t *testing.T) {
	s := open(t)
	deploy(t, s, key("encoded"), worker(`const text = "hello ".repeat(20);
const packed = async (cut) => (await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer()).slice(0, cut);
export default { async fetch(request) {
  const { pathname: p, searchParams } = new URL(request.url), headers = { "content-encoding": searchParams.get("e") ?? "gzip", "content-length": "120" };
  switch (p) {
    case "/none": return new Response(null, { headers });
    case "/empty": return new Response("", { headers });
    case "/stream": return new Response(new Blob([text]).stream(), { headers });
    case "/manual": return new Response(await packed(), { headers: { "content-encoding": "gzip" }, encodeBody: "manual" });
    case "/mark": return new Response("plain", { headers, encodeBody: "manual" });
    case "/cut": return new Response(await packed(-6), { headers, encodeBody: "manual" });
    case "/pass": return fetch(request.url.replace("/pass", "/manual"));
    case "/ask": {
      const r = await fetch(request.url.replace("/ask", searchParams.get("p")));
      return new Response(r.headers.get("content-encoding") + " " + await r.text().catch(String));
    }
  }
  return new Response(text, { headers });
} };`))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := (HTTP{Door: s}).Serve(w, r, Run{Key: key("encoded"), URL: "https://encoded.example" + r.URL.RequestURI()}); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	text := strings.Repeat("hello ", 20)
	for _, c := range []struct {
		method, path, encoding, body string
		length                       int64
		unpack                       string
	}{
		{"GET", "/text", "gzip", text, -1, "gzip"},
		{"GET", "/text?e=br", "br", text, -1, "br"},
		{"GET", "/text?e=deflate", "deflate", text, 120, ""},
		{"GET", "/text?e=gzip,br", "gzip,br", text, 120, ""},
		{"GET", "/stream", "gzip", text, -1, "gzip"},
		{"HEAD", "/text", "gzip", "", -1, ""},
		{"GET", "/none", "gzip", "", 0, ""},
		{"GET", "/empty", "gzip", "", 0, ""},
		{"GET", "/manual", "gzip", text, 32, "gzip"},
		{"GET", "/mark", "gzip", "plain", 5, ""},
		{"GET", "/pass", "gzip", text, -1, "gzip"},
		{"GET", "/ask?p=/text", "", "gzip " + text, 125, ""},
		{"GET", "/ask?p=/manual", "", "gzip " + text, 125, ""},
		{"GET", "/ask?p=/mark", "", "gzip TypeError: Gzip decompression failed.", 42, ""},
		{"GET", "/ask?p=/cut", "", "gzip TypeError: Gzip compressed stream ended prematurely.", 57, ""},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), c.method, srv.URL+c.path, nil)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		size := len(body)
		if err == nil {
			switch c.unpack {
			case "gzip":
				var z *gzip.Reader
				if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
					body, err = io.ReadAll(z)
				}
			case "br":
				body, err = io.ReadAll(brotli.NewReader(bytes.NewReader(body)))
			}
		}
		got := resp.Header.Get("Content-Encoding")
		if err != nil || string(body) != c.body || got != c.encoding || c.length >= 0 && resp.ContentLength != c.length || c.unpack != "" && size >= len(text) {
			t.Errorf("%s %s: %q, length %d, %d bytes are %q, %v", c.method, c.path, got, resp.ContentLength, size, body, err)
		}
	}
}

// Of bodies that are compressed, one learner's are so one piece at a time, and
// another's does not wait for more than the piece that is under way.
func TestPressIsFair(t *testing.T) {
	p := newPress(1)
	began, goOn := make(chan string, 20), make(chan struct{})
	for range 8 {
		go p.do("many", func() { began <- "many"; <-goOn })
	}
	<-began
	waits := func(learner string, users int) {
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			p.mu.Lock()
			l := p.learners[learner]
			got := 0
			if l != nil {
				got = l.users
			}
			p.mu.Unlock()
			if got == users {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%d pieces of %s, want %d", got, learner, users)
			}
		}
	}
	waits("many", 8)
	go p.do("one", func() { began <- "one"; <-goOn })
	waits("one", 1)
	time.Sleep(100 * time.Millisecond) // it stands in line
	if n := len(began); n != 0 {
		t.Fatalf("%d more pieces at a time than one", n)
	}
	goOn <- struct{}{}
	if next := <-began; next != "one" {
		t.Error("the other learner waits for all that came before")
	}
	close(goOn)
	waits("one", 0)
	waits("many", 0)
}
