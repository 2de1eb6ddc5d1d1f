package platform

import (
	"net/textproto"
	"net/url"
	"strings"

	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

type assetRedirect struct {
	trace.AssetRedirect
	from glob
}

type assetHeaders struct {
	trace.AssetHeaders
	path glob
}

// redirected looks for a redirect of an address: an answer, or the path of a
// file to serve instead; nil and "" for none.
func (a *Assets) redirected(u *url.URL) (*webapi.Response, string) {
	if len(a.redirects) == 0 {
		return nil, ""
	}
	p, b := rawPath(u), budget(globSteps)
	for _, r := range a.redirects {
		m := r.from.match(p, &b)
		if m == nil {
			continue
		}
		to := strings.TrimSpace(fill(r.To, m))
		if !strings.HasPrefix(to, "https://") {
			to = oneSlash(to) // never another host
		}
		ref, err := url.Parse(to)
		if err != nil {
			return nil, ""
		}
		ref = u.ResolveReference(ref)
		if r.Status == 200 {
			return nil, rawPath(ref)
		}
		location := *ref
		if location.RawQuery == "" {
			location.RawQuery = u.RawQuery
		}
		if location.Scheme == u.Scheme && location.Host == u.Host {
			location.Scheme, location.Host, location.User = "", "", nil
		}
		return response(r.Status, nil, [2]string{"Location", location.String()}), ""
	}
	return nil, ""
}

// setHeaders applies the rules of _headers. A header that two rules set has both
// values. Those for which no room is left are left out.
func (a *Assets) setHeaders(u *url.URL, resp *webapi.Response) {
	b, own, room := budget(globSteps), map[string]bool{}, filled
	for _, h := range a.headers {
		target := rawPath(u)
		if strings.HasPrefix(h.Path, "https://") {
			target = "https://" + u.Hostname() + target
		}
		m := h.path.match(target, &b)
		if m == nil {
			continue
		}
		for _, name := range h.Unset {
			if room -= len(name) + headerCost; room < 0 {
				return
			}
			remove(resp, name)
		}
		for _, kv := range h.Set {
			name, value := textproto.CanonicalMIMEHeaderKey(kv[0]), fill(kv[1], m)
			if strings.ContainsAny(value, "\r\n\x00") || name == "Content-Length" { // which is what is sent
				continue
			}
			if room -= len(name) + len(value) + headerCost; room < 0 {
				return
			}
			if !own[name] {
				remove(resp, name)
				resp.Head.Headers = append(resp.Head.Headers, [2]string{name, value})
				own[name] = true
				continue
			}
			for i, have := range resp.Head.Headers {
				if strings.EqualFold(have[0], name) {
					resp.Head.Headers[i][1] += ", " + value
				}
			}
		}
	}
}

func remove(resp *webapi.Response, name string) {
	var kept [][2]string
	for _, h := range resp.Head.Headers {
		if !strings.EqualFold(h[0], name) {
			kept = append(kept, h)
		}
	}
	resp.Head.Headers = kept
}

// glob is a pattern of paths: texts, and between them what stands for others.
type glob []globPart

type globPart struct {
	text string // itself; the other two are empty then
	name string // of what it stands for: "splat" for anything, else no "/"
	not  string // bytes that it does not stand for
}

// globMatch is what the names of a pattern stood for.
type globMatch []globBinding

type globBinding struct{ name, value string }

// globSteps bounds what matching one request against all patterns may cost.
const globSteps = 20_000

type budget int

// parseGlob reads a pattern; "*" stands for anything and, where named, ":name"
// for at least one byte of a part of the path, or of a host's name.
func parseGlob(s string, named bool) glob {
	var g glob
	text := func(t string) {
		if n := len(g); n > 0 && g[n-1].name == "" {
			g[n-1].text += t
		} else if t != "" {
			g = append(g, globPart{text: t})
		}
	}
	host := 0
	if strings.HasPrefix(s, "https://") {
		text("https://")
		s = s[len("https://"):]
		if host = strings.IndexByte(s, '/'); host < 0 {
			host = len(s)
		}
	}
	for i := 0; i < len(s); {
		switch n := nameLength(s[i+1:]); {
		case s[i] == '*':
			g = append(g, globPart{name: "splat"})
			i++
		case named && s[i] == ':' && n > 0:
			not := "/"
			if i < host {
				not = "/."
			}
			g = append(g, globPart{name: s[i+1 : i+1+n], not: not})
			i += 1 + n
		default:
			text(s[i : i+1])
			i++
		}
	}
	return g
}

// nameLength is the length of the name that a text begins with: a letter, then
// letters, digits and "_".
func nameLength(s string) int {
	for i := range len(s) {
		letter := 'a' <= s[i]|0x20 && s[i]|0x20 <= 'z'
		if !letter && (i == 0 || s[i] != '_' && (s[i] < '0' || s[i] > '9')) {
			return i
		}
	}
	return len(s)
}

// match matches the whole of s and tells what each name stood for; nil when it
// does not match or the budget is used up.
func (g glob) match(s string, b *budget) globMatch {
	if *b--; *b < 0 {
		return nil
	}
	if len(g) == 0 {
		if s == "" {
			return globMatch{}
		}
		return nil
	}
	part, rest := g[0], g[1:]
	if part.name == "" {
		if after, ok := strings.CutPrefix(s, part.text); ok {
			return rest.match(after, b)
		}
		return nil
	}
	least, most := 0, len(s)
	if part.not != "" {
		if least = 1; strings.ContainsAny(s, part.not) {
			most = strings.IndexAny(s, part.not)
		}
	}
	for n := most; n >= least; n-- {
		if *b < 0 {
			return nil
		}
		if m := rest.match(s[n:], b); m != nil {
			return append(globMatch{{part.name, s[:n]}}, m...)
		}
	}
	return nil
}

// filled is the most bytes that a text has once it is filled, and that all headers
// of the rules have together; what is beyond is left out. headerCost counts for
// each of them beside its name and value, as HTTP/2 does (RFC 9113, section 6.5.2).
const (
	filled     = 16 << 10
	headerCost = 32
)

// fill puts what the names stood for into a text.
func fill(text string, m globMatch) string {
	if len(m) == 0 || !strings.Contains(text, ":") {
		return text
	}
	var b strings.Builder
next:
	for i := 0; i < len(text) && b.Len() < filled; {
		if text[i] == ':' {
			for _, x := range m {
				if strings.HasPrefix(text[i+1:], x.name) {
					b.WriteString(x.value)
					i += 1 + len(x.name)
					continue next
				}
			}
		}
		b.WriteByte(text[i])
		i++
	}
	return b.String()
}
