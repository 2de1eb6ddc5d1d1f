package platform

import (
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/url"
	"path"
	"strconv"
	"strings"

	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// Asset answers a request for a Worker's static assets, as Workers does with
// its default handling of HTML: "/about" is about.html, "/dir/" is
// dir/index.html, and the other spellings redirect there.
func Asset(w *trace.Worker, r *webapi.Request) *webapi.Response {
	if r.Body != nil {
		_ = r.Body.Close() // assets read none
	}
	if r.Method != "GET" && r.Method != "HEAD" {
		return response(405, nil, [2]string{"Allow", "GET, HEAD"})
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return response(400, nil)
	}
	name, to := assetName(w.Assets, u.Path)
	if to != "" {
		target := (&url.URL{Path: to, RawQuery: u.RawQuery}).String()
		return response(307, nil, [2]string{"Location", target})
	}
	data, ok := w.Assets[name]
	if name == "" || !ok {
		return response(404, nil)
	}
	sum := sha256.Sum256(data)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	for _, h := range r.Headers {
		if strings.EqualFold(h[0], "If-None-Match") && strings.Contains(h[1], tag) {
			return response(304, nil, [2]string{"ETag", tag})
		}
	}
	kind := mime.TypeByExtension(path.Ext(name))
	if kind == "" {
		kind = "application/octet-stream"
	}
	return response(200, data, [2]string{"Content-Type", kind}, [2]string{"ETag", tag}, [2]string{"Cache-Control", "public, max-age=0, must-revalidate"})
}

func response(status int, body []byte, headers ...[2]string) *webapi.Response {
	resp := &webapi.Response{Head: trace.ResponseHead{Status: status, Headers: headers}}
	if body != nil {
		resp.Head.Headers = append(resp.Head.Headers, [2]string{"Content-Length", strconv.Itoa(len(body))})
		resp.Body = webapi.NewMemory(append([]byte(nil), body...))
	}
	return resp
}

// assetName finds the file for a path, or where to redirect.
func assetName(files map[string][]byte, p string) (name, to string) {
	has := func(n string) bool { _, ok := files[n]; return ok }
	switch {
	case strings.HasSuffix(p, "/index.html") && has(p):
		return "", strings.TrimSuffix(p, "index.html")
	case strings.HasSuffix(p, "/index") && has(p+".html"):
		return "", strings.TrimSuffix(p, "index")
	case strings.HasSuffix(p, ".html") && has(p):
		return "", strings.TrimSuffix(p, ".html")
	case has(p) && !strings.HasSuffix(p, "/"):
		return p, ""
	case strings.HasSuffix(p, "/"):
		if has(p + "index.html") {
			return p + "index.html", ""
		}
		if base := strings.TrimSuffix(p, "/"); base != "" && has(base+".html") {
			return "", base
		}
	case has(p + ".html"):
		return p + ".html", ""
	case has(p + "/index.html"):
		return "", p + "/"
	}
	return "", ""
}
