package static

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
)

func TestHandler(t *testing.T) {
	h := FileHandler(fstest.MapFS{
		"lesson-1.js":    {Data: []byte("plain")},
		"lesson-1.js.br": {Data: []byte("brotli")},
		"lesson-1.js.gz": {Data: []byte("gzip")},
		"font-2.woff2":   {Data: []byte("font")},
	})
	tests := []struct {
		name, method, path, accept, ifNone string
		status                             int
		body, encoding, kind               string
	}{
		{"best of all", "GET", "/static/lesson-1.js", "gzip, deflate, br, zstd", "", 200, "brotli", "br", "text/javascript; charset=utf-8"},
		{"gzip only", "GET", "/static/lesson-1.js", "gzip", "", 200, "gzip", "gzip", "text/javascript; charset=utf-8"},
		{"refused by q", "GET", "/static/lesson-1.js", "br;q=0, gzip;q=0.5", "", 200, "gzip", "gzip", "text/javascript; charset=utf-8"},
		{"refused beats star", "GET", "/static/lesson-1.js", "*, br;q=0, gzip; q=0", "", 200, "plain", "", "text/javascript; charset=utf-8"},
		{"nothing accepted", "GET", "/static/lesson-1.js", "", "", 200, "plain", "", "text/javascript; charset=utf-8"},
		{"no twin", "GET", "/static/font-2.woff2", "br", "", 200, "font", "", "font/woff2"},
		{"known", "GET", "/static/lesson-1.js", "br", `"x", W/"lesson-1-br"`, 304, "", "", ""},
		{"known in another encoding", "GET", "/static/lesson-1.js", "br", `"lesson-1-gzip"`, 200, "brotli", "br", "text/javascript; charset=utf-8"},
		{"head", "HEAD", "/static/lesson-1.js", "", "", 200, "", "", "text/javascript; charset=utf-8"},
		{"absent", "GET", "/static/none.js", "", "", 404, "404 page not found\n", "", "text/plain; charset=utf-8"},
		{"twin by name", "GET", "/static/lesson-1.js.br", "", "", 404, "404 page not found\n", "", "text/plain; charset=utf-8"},
		{"folder", "GET", "/static/", "", "", 404, "404 page not found\n", "", "text/plain; charset=utf-8"},
		{"upwards", "GET", "/static/../static.go", "", "", 404, "404 page not found\n", "", "text/plain; charset=utf-8"},
		{"written to", "POST", "/static/lesson-1.js", "", "", 405, "Assets can only be read.\n", "", "text/plain; charset=utf-8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, test.path, nil)
			r.Header.Set("Accept-Encoding", test.accept)
			if test.ifNone != "" {
				r.Header.Set("If-None-Match", test.ifNone)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != test.status || w.Body.String() != test.body ||
				w.Header().Get("Content-Encoding") != test.encoding || w.Header().Get("Content-Type") != test.kind {
				t.Errorf("got %d %q, encoding %q, type %q", w.Code, w.Body, w.Header().Get("Content-Encoding"), w.Header().Get("Content-Type"))
			}
			if test.status == 200 && w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
				t.Errorf("Cache-Control %q", w.Header().Get("Cache-Control"))
			}
		})
	}
}

// The binary must compile and say what to do even when nothing was built.
func TestManifest(t *testing.T) {
	if err := Missing(); err != nil {
		if Path("lesson.js") != "/static/lesson.js" {
			t.Errorf("Path without assets is %q", Path("lesson.js"))
		}
		if _, err := File("quickjs.wasm"); err == nil {
			t.Error("File without assets gives no error")
		}
		return
	}
	for _, name := range []string{"app.css", "commissioner.woff2", "jetbrains-mono.woff2"} {
		if !Has(name) {
			t.Errorf("%s was not built", name)
			continue
		}
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, Path(name), nil))
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%s answers %d with %d bytes", Path(name), w.Code, w.Body.Len())
		}
	}
}
