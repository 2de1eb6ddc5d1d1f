package platform

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// Assets are a Worker's static files, and how they are served: with the
// handling of HTML and of what is missing that its configuration asks for, and
// by the rules of the files _redirects and _headers.
type Assets struct {
	files     map[string]asset
	options   trace.AssetOptions
	redirects []assetRedirect
	headers   []assetHeaders
	worker    bool // there is a script beside them
	navigate  bool // a page that a browser goes to counts as found, as not_found_handling says
}

type asset struct {
	data []byte
	tag  func() string
}

// AssetsOf finds a Worker's static files; nil when it has none.
func AssetsOf(w *trace.Worker) *Assets {
	at := slices.IndexFunc(w.Bindings, func(b trace.Binding) bool { return b.Type == "assets" })
	if at < 0 || len(w.Assets) == 0 {
		return nil
	}
	a := &Assets{files: make(map[string]asset, len(w.Assets)), worker: w.Main != ""}
	if err := json.Unmarshal([]byte(w.Bindings[at].Value), &a.options); err != nil {
		a.options = trace.AssetOptions{}
	}
	a.navigate = (w.Date >= "2025-04-01" || slices.Contains(w.Flags, "assets_navigation_prefers_asset_serving")) &&
		!slices.Contains(w.Flags, "assets_navigation_has_no_effect")
	for name, data := range w.Assets {
		a.files[name] = asset{data, sync.OnceValue(func() string {
			sum := sha256.Sum256(append([]byte(name+"\n"), data...))
			return `"` + hex.EncodeToString(sum[:16]) + `"`
		})}
	}
	for _, r := range a.options.Redirects {
		a.redirects = append(a.redirects, assetRedirect{AssetRedirect: r, from: parseGlob(r.From, true)})
	}
	for _, h := range a.options.Headers {
		a.headers = append(a.headers, assetHeaders{AssetHeaders: h, path: parseGlob(h.Path, true)})
	}
	return a
}

// Serve reports whether the files answer a request, and not the Worker behind
// them. They do when there is one for it, unless run_worker_first says otherwise.
func (a *Assets) Serve(r *webapi.Request) bool {
	if !a.worker {
		return true
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return false
	}
	p, b := rawPath(u), budget(globSteps)
	for _, not := range []string{"!", ""} {
		for _, rule := range a.options.First {
			if rest, negated := strings.CutPrefix(rule, "!"); negated == (not != "") && parseGlob(rest, false).match(p, &b) != nil {
				return negated
			}
		}
	}
	missing := a.options.NotFound
	if len(a.options.First) == 0 && !(a.navigate && header(r, "Sec-Fetch-Mode") == "navigate") {
		missing = ""
	}
	found := a.find(u, missing)
	return found.answer != nil || found.file != "" || found.redirect != ""
}

// Fetch answers a request with a file, or says that there is none.
func (a *Assets) Fetch(r *webapi.Request) *webapi.Response {
	if r.Body != nil {
		_ = r.Body.Close() // files read none
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return response(400, nil)
	}
	resp := a.answer(u, r)
	a.setHeaders(u, resp)
	return resp
}

func (a *Assets) answer(u *url.URL, r *webapi.Request) *webapi.Response {
	found := a.find(u, a.options.NotFound)
	switch {
	case found.answer != nil:
		return found.answer
	case found.file == "" && found.redirect == "":
		return response(404, nil)
	case r.Method != "GET" && r.Method != "HEAD":
		return response(405, nil, [2]string{"Allow", "GET, HEAD"})
	case found.redirect != "":
		return response(307, nil, [2]string{"Location", withQuery(found.redirect, u)})
	}
	file := a.files[found.file]
	tag := file.tag()
	headers := [][2]string{{"ETag", tag}}
	if kind := contentType(found.file); kind != "" {
		headers = append(headers, [2]string{"Content-Type", kind})
	}
	if header(r, "Authorization") == "" && header(r, "Range") == "" {
		headers = append(headers, [2]string{"Cache-Control", "public, max-age=0, must-revalidate"})
	}
	headers = append(headers, [2]string{"CF-Cache-Status", "HIT"})
	if same := header(r, "If-None-Match"); same == tag || same == "W/"+tag {
		return response(304, nil, headers...)
	}
	resp := response(found.status, file.data, headers...)
	if r.Method == "HEAD" {
		resp.Body = nil
	}
	return resp
}

// assetFound is what there is for an address: a file, or where to ask instead.
// Both are empty when there is nothing.
type assetFound struct {
	file     string
	status   int
	redirect string           // a path, percent-encoded
	answer   *webapi.Response // of a redirect of the project's own
}

// find looks for the file of an address. missing is a not_found_handling.
func (a *Assets) find(u *url.URL, missing string) assetFound {
	p := rawPath(u)
	answer, to := a.redirected(u)
	if answer != nil {
		return assetFound{answer: answer}
	}
	if to != "" {
		p = to
	}
	decoded := decodePath(p)
	found := a.handle(decoded, missing, false)
	switch {
	case found.redirect != "":
		found.redirect = encodePath(found.redirect)
	case found.file != "" && encodePath(decoded) != p:
		found.redirect = encodePath(decoded)
	case found.file == "" && to != "":
		found.answer = response(404, nil)
	}
	return found
}

// handle finds the file for a decoded path, or the path at which it is served.
// Without redirects it says only what is served at this very path.
func (a *Assets) handle(p, missing string, still bool) assetFound {
	for _, s := range htmlSteps(a.options.HTML, p) {
		if _, ok := a.files[s.file]; !ok {
			continue
		}
		if s.to == "" {
			return assetFound{file: s.file, status: 200}
		}
		if _, taken := a.files[s.to]; !still && !taken && a.handle(s.to, missing, true).file == s.file {
			return assetFound{redirect: s.to}
		}
	}
	switch missing {
	case "single-page-application":
		if _, ok := a.files["/index.html"]; ok {
			return assetFound{file: "/index.html", status: 200}
		}
	case "404-page":
		for dir := p; dir != ""; {
			dir = dir[:max(0, strings.LastIndexByte(dir, '/'))]
			if _, ok := a.files[dir+"/404.html"]; ok {
				return assetFound{file: dir + "/404.html", status: 404}
			}
		}
	}
	return assetFound{}
}

// htmlStep is one thing to look for: a file that is served at the path asked
// for, or, where to is set, one that is served there.
type htmlStep struct{ file, to string }

// htmlSteps lists what html_handling makes of a path, in order.
func htmlSteps(handling, p string) []htmlStep {
	if handling == "none" {
		return []htmlStep{{file: p}}
	}
	var base, kind string
	for _, suffix := range []string{"/index", "/index.html", "/", ".html"} {
		if rest, ok := strings.CutSuffix(p, suffix); ok {
			base, kind = rest, suffix
			break
		}
	}
	var steps []htmlStep
	// A page is served with a slash at its end where it is a folder's index
	// (auto), always (force), or never but for the root (drop).
	asIndex, asPage, folder := base+"/", base, p+"/"
	switch handling {
	case "force-trailing-slash":
		asPage = base + "/"
	case "drop-trailing-slash":
		if asIndex, folder = base, ""; base == "" {
			asIndex = "/"
		}
	}
	switch kind {
	case "/index":
		steps = []htmlStep{{file: p}, {p + ".html", asIndex}, {base + ".html", asPage}}
		if handling == "drop-trailing-slash" {
			steps[1], steps[2] = steps[2], steps[1]
		}
	case "/index.html":
		steps = []htmlStep{{p, asIndex}, {base + ".html", asPage}}
		if handling == "drop-trailing-slash" && base != "" {
			steps = slices.Insert(steps, 1, htmlStep{file: p})
		}
	case "/":
		steps = []htmlStep{{file: p + "index.html"}, {base + ".html", asPage}}
		switch {
		case handling == "force-trailing-slash":
			steps[1].to = ""
		case handling == "drop-trailing-slash" && base != "":
			steps = []htmlStep{{base + ".html", base}, {p + "index.html", base}}
		}
	case ".html":
		steps = []htmlStep{{p, asPage}, {base + "/index.html", asIndex}}
		if handling == "force-trailing-slash" {
			steps = slices.Insert(steps, 1, htmlStep{file: p})
		}
	}
	page := htmlStep{file: p + ".html"}
	if handling == "force-trailing-slash" {
		page.to = p + "/"
	}
	return append(steps, htmlStep{file: p}, page, htmlStep{p + "/index.html", folder})
}

func rawPath(u *url.URL) string {
	if p := u.EscapedPath(); p != "" {
		return p
	}
	return "/"
}

// decodePath decodes each part of a path for itself and leaves out empty ones.
// A part that cannot be decoded stays as it is.
func decodePath(p string) string {
	parts := strings.Split(p, "/")
	for i, part := range parts {
		if s, err := url.PathUnescape(part); err == nil {
			parts[i] = s
		}
	}
	return oneSlash(strings.Join(parts, "/"))
}

// oneSlash makes one slash of several.
func oneSlash(p string) string {
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	return p
}

// encodePath is its counterpart, by the letters that encodeURIComponent leaves.
func encodePath(p string) string {
	var b strings.Builder
	for i := range len(p) {
		switch c := p[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("/-_.!~*'()", c) >= 0:
			b.WriteByte(c)
		default:
			const digits = "0123456789ABCDEF"
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

func withQuery(p string, u *url.URL) string {
	if u.RawQuery != "" {
		p += "?" + u.RawQuery
	}
	return p
}

func header(r *webapi.Request, name string) string {
	for _, h := range r.Headers {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}

func response(status int, body []byte, headers ...[2]string) *webapi.Response {
	resp := &webapi.Response{Head: trace.ResponseHead{Status: status, Headers: headers}}
	if body != nil {
		resp.Head.Headers = append(resp.Head.Headers, [2]string{"Content-Length", strconv.Itoa(len(body))})
		resp.Body = webapi.NewMemory(append([]byte(nil), body...))
	}
	return resp
}

// contentTypes are the types of files by their suffix. They do not come from
// the machine, which may know others.
var contentTypes = map[string]string{
	".avif": "image/avif", ".bmp": "image/bmp", ".css": "text/css; charset=utf-8", ".csv": "text/csv; charset=utf-8", ".eot": "application/vnd.ms-fontobject",
	".gif": "image/gif", ".gz": "application/gzip", ".htm": "text/html; charset=utf-8", ".html": "text/html; charset=utf-8", ".ico": "image/vnd.microsoft.icon",
	".ics": "text/calendar; charset=utf-8", ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".js": "text/javascript; charset=utf-8", ".json": "application/json",
	".jsonld": "application/ld+json", ".m4a": "audio/mp4", ".map": "application/json", ".markdown": "text/markdown; charset=utf-8", ".md": "text/markdown; charset=utf-8",
	".mjs": "text/javascript; charset=utf-8", ".mp3": "audio/mpeg", ".mp4": "video/mp4", ".oga": "audio/ogg", ".ogg": "audio/ogg", ".ogv": "video/ogg",
	".otf": "font/otf", ".pdf": "application/pdf", ".png": "image/png", ".rss": "application/rss+xml", ".atom": "application/atom+xml", ".svg": "image/svg+xml",
	".tif": "image/tiff", ".tiff": "image/tiff", ".ttf": "font/ttf", ".txt": "text/plain; charset=utf-8", ".wasm": "application/wasm", ".wav": "audio/wav",
	".weba": "audio/webm", ".webm": "video/webm", ".webmanifest": "application/manifest+json", ".webp": "image/webp", ".woff": "font/woff",
	".woff2": "font/woff2", ".xhtml": "application/xhtml+xml", ".xml": "text/xml; charset=utf-8", ".yaml": "text/yaml; charset=utf-8", ".yml": "text/yaml; charset=utf-8", ".zip": "application/zip",
}

func contentType(name string) string { return contentTypes[strings.ToLower(path.Ext(name))] }
