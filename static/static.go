package static

import (
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Prefix is the address under which Handler expects to be mounted.
const Prefix = "/static/"

//go:embed all:dist
var dist embed.FS

// Manifest says what cmd/assets built. It is dist/manifest.json.
type Manifest struct {
	// Files maps a plain name ("lesson.js") to the hashed name that is served ("lesson-3KZ.js").
	Files map[string]string `json:"files"`
	// Imports maps a script's plain name to the hashed names of the chunks it
	// always loads, so that a page can fetch them without waiting for it.
	Imports map[string][]string `json:"imports,omitempty"`
	// Release says that the compressed twins were made at the highest quality.
	Release bool `json:"release,omitempty"`
}

var load = sync.OnceValues(func() (Manifest, error) {
	var m Manifest
	data, err := dist.ReadFile("dist/manifest.json")
	if err != nil {
		return m, fmt.Errorf("no assets in this binary: run `go run ./cmd/assets`, then build again")
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("dist/manifest.json: %w; run `go run ./cmd/assets -force`", err)
	}
	return m, nil
})

// Missing is nil when the binary holds its assets, else an error that says what to run.
func Missing() error {
	_, err := load()
	return err
}

// Path is the address of an asset by its plain name, with the hash in it:
// Path("lesson.js") is "/static/lesson-3KZ.js". A name that was not built
// gives its plain address, which answers 404.
func Path(name string) string {
	m, _ := load()
	if hashed, ok := m.Files[name]; ok {
		return Prefix + hashed
	}
	return Prefix + name
}

// Has reports whether an asset was built under a plain name.
func Has(name string) bool {
	m, _ := load()
	_, ok := m.Files[name]
	return ok
}

// Imports lists the addresses of the chunks that a script always loads.
func Imports(name string) []string {
	m, _ := load()
	out := make([]string, 0, len(m.Imports[name]))
	for _, chunk := range m.Imports[name] {
		out = append(out, Prefix+chunk)
	}
	return out
}

// File is the content of a part of the engine: "quickjs.wasm",
// "bootstrap.json" (for js.Parse), "shelf.zip" (for bundle.OpenShelf),
// "visits.wasm" (for box.NewWasm). These are not served. The caller must not change the bytes.
func File(name string) ([]byte, error) {
	data, err := dist.ReadFile(path.Join("dist/engine", name))
	if err != nil {
		return nil, fmt.Errorf("engine part %q is not in this binary: run `go run ./cmd/assets`, then build again", name)
	}
	return data, nil
}

// Handler serves the assets under Prefix. Names carry a hash of the content,
// so every answer may be kept for a year; the encoding is the best of Brotli,
// gzip and identity that the browser accepts.
func Handler() http.Handler {
	sub, err := fs.Sub(dist, "dist/web")
	if err != nil {
		panic("static: " + err.Error()) // the constant path is valid
	}
	return FileHandler(sub)
}

// encodings in order of preference, with the suffix of their twins.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

// FileHandler is Handler over any folder of hashed names and compressed twins.
func FileHandler(files fs.FS) http.Handler {
	return http.StripPrefix(Prefix, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Assets can only be read.", http.StatusMethodNotAllowed)
			return
		}
		name := r.URL.Path
		file, size, err := openAsset(files, name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer func() { _ = file.Close() }() // embedded: closing cannot fail
		h := w.Header()
		h.Set("Content-Type", contentType(name))
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Add("Vary", "Accept-Encoding")
		tag := strings.TrimSuffix(path.Base(name), path.Ext(name))
		for _, e := range encodings {
			if !accepts(r.Header.Get("Accept-Encoding"), e.name) {
				continue
			}
			if twin, n, err := open(files, name+e.suffix); err == nil {
				_ = file.Close()
				file, size = twin, n
				tag += "-" + e.name
				h.Set("Content-Encoding", e.name)
				break
			}
		}
		h.Set("ETag", strconv.Quote(tag))
		if matches(r.Header.Get("If-None-Match"), tag) {
			h.Del("Content-Type")
			h.Del("Content-Encoding")
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Length", strconv.FormatInt(size, 10))
		if r.Method == http.MethodGet {
			_, _ = io.Copy(w, file) // the browser went away: nobody is left to tell
		}
	}))
}

// openAsset opens a served file, but not a twin by its own name: a twin
// without its Content-Encoding would be noise.
func openAsset(files fs.FS, name string) (fs.File, int64, error) {
	if ext := path.Ext(name); ext == ".br" || ext == ".gz" {
		return nil, 0, fs.ErrNotExist
	}
	return open(files, name)
}

// open gives a file with its size; a folder is no file.
func open(files fs.FS, name string) (fs.File, int64, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		_ = f.Close()
		return nil, 0, fs.ErrNotExist
	}
	return f, info.Size(), nil
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	case ".wasm":
		return "application/wasm"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

// accepts reports whether an Accept-Encoding header allows an encoding
// (RFC 9110, 12.5.3). A q of zero refuses it; an explicit entry beats "*".
func accepts(header, encoding string) bool {
	star := false
	for entry := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(entry), ";")
		name = strings.TrimSpace(name)
		q := 1.0
		if k, v, ok := strings.Cut(strings.TrimSpace(params), "="); ok && strings.EqualFold(strings.TrimSpace(k), "q") {
			parsed, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			if err != nil {
				parsed = 0
			}
			q = parsed
		}
		switch {
		case strings.EqualFold(name, encoding):
			return q > 0
		case name == "*":
			star = q > 0
		}
	}
	return star
}

// matches reports whether an If-None-Match header names a tag; weak and strong
// compare alike (RFC 9110, 13.1.2).
func matches(header, tag string) bool {
	for entry := range strings.SplitSeq(header, ",") {
		entry = strings.TrimPrefix(strings.TrimSpace(entry), "W/")
		if entry == "*" || entry == strconv.Quote(tag) {
			return true
		}
	}
	return false
}
