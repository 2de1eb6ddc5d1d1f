package webapi

import (
	"strings"

	"github.com/nlnwa/whatwg-url/url"

	"coldstart/sandbox/isolate"
)

// parser has the path set of the present URL standard, which escapes "^" too.
var parser = url.NewParser(url.WithPathPercentEncodeSet(url.PathPercentEncodeSet.Set(0x5e)))

func urlOps(o *isolate.Ops) {
	// url.parse: url, base → parts, undefined when it is no URL
	o.Add("url.parse", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		var u *url.Url
		var err error
		if base, ok := arg(args, 1).(string); ok {
			u, err = parser.ParseRef(base, str(args, 0))
		} else {
			if p := simpleURL(str(args, 0)); p != nil {
				return p, nil
			}
			u, err = parser.Parse(str(args, 0))
		}
		if err != nil {
			return nil, nil
		}
		return urlParts(u), nil
	})
	// url.set: href, component, value → parts
	o.Add("url.set", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		u, err := parser.Parse(str(args, 0))
		if err != nil {
			return nil, nil
		}
		v := str(args, 2)
		switch str(args, 1) {
		case "protocol":
			u.SetProtocol(v)
		case "username":
			u.SetUsername(v)
		case "password":
			u.SetPassword(v)
		case "host":
			u.SetHost(v)
		case "hostname":
			u.SetHostname(v)
		case "port":
			u.SetPort(v)
		case "pathname":
			u.SetPathname(v)
		case "search":
			u.SetSearch(v)
		case "hash":
			u.SetHash(v)
		}
		return urlParts(u), nil
	})
}

// urlParts is a URL as the script half keeps it: the serialisation, where its
// components begin, and the origin. A serialisation is ASCII, so bytes are
// UTF-16 code units.
func urlParts(u *url.Url) []any {
	href, protocol := u.Href(false), u.Protocol()
	at := len(protocol)
	user, host, hostEnd, port := 0, at, at, -1
	if strings.HasPrefix(href[at:], "//") {
		at += 2
		if name, pass := u.Username(), u.Password(); name != "" || pass != "" {
			user = at + len(name)
			at = user + 1
			if pass != "" {
				at += 1 + len(pass)
			}
		}
		host = at
		at += len(u.Hostname())
		hostEnd = at
		if p := u.Port(); p != "" {
			port = at + 1
			at = port + len(p)
		}
	} else if strings.HasPrefix(href[at:], "/.//") {
		at += 2
	}
	path := at
	search, hash := -1, -1
	if i := strings.IndexByte(href[at:], '#'); i >= 0 {
		hash = at + i
	}
	end := len(href)
	if hash >= 0 {
		end = hash
	}
	if i := strings.IndexByte(href[at:end], '?'); i >= 0 {
		search = at + i
	}
	return []any{href, len(protocol), user, host, hostEnd, port, path, search, hash, origin(u)}
}

func origin(u *url.Url) string {
	switch u.Scheme() {
	case "http", "https", "ws", "wss", "ftp":
		return u.Protocol() + "//" + u.Host()
	case "blob":
		if in, err := url.Parse(u.Pathname()); err == nil && (in.Scheme() == "http" || in.Scheme() == "https") {
			return origin(in)
		}
	}
	return "null"
}

// simpleURL takes apart what most URLs are: http or https, a plain lower-case
// host, and a path, query and fragment that need no change. Nil for others.
func simpleURL(s string) []any {
	protocol := 5
	switch {
	case strings.HasPrefix(s, "http://"):
	case strings.HasPrefix(s, "https://"):
		protocol = 6
	default:
		return nil
	}
	host := protocol + 2
	at := host
	letters := false
	for ; at < len(s); at++ {
		c := s[at]
		if c >= 'a' && c <= 'z' {
			letters = true
			continue
		}
		if (c >= '0' && c <= '9') || c == '.' || (c == '-' && at > host) {
			continue
		}
		break
	}
	if at == host || !letters || at == len(s) || s[at] != '/' || s[host] == '.' || strings.Contains(s[host:at], "xn--") || !plainLabels(s[host:at]) {
		return nil
	}
	hostEnd, path := at, at
	search, hash := -1, -1
	for ; at < len(s); at++ {
		switch c := s[at]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '~', c == '/', c == '=', c == '&', c == '+', c == ',', c == ':', c == ';', c == '@', c == '!', c == '$', c == '(', c == ')', c == '*':
		case c == '.':
			if search < 0 && hash < 0 && (s[at-1] == '/' || (s[at-1] == '.' && s[at-2] == '/')) {
				return nil // perhaps a dot segment
			}
		case c == '%':
			if search < 0 && hash < 0 && at+2 < len(s) && s[at+1] == '2' && (s[at+2] == 'e' || s[at+2] == 'E') {
				return nil
			}
		case c == '?' && search < 0 && hash < 0:
			search = at
		case c == '?':
		case c == '#' && hash < 0:
			hash = at
		default:
			return nil
		}
	}
	return []any{s, protocol, 0, host, hostEnd, -1, path, search, hash, s[:hostEnd]}
}

// plainLabels tells whether the last label of a host is no number, so that
// the host cannot be an IPv4 address, and no label is empty.
func plainLabels(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "" || (last[0] >= '0' && last[0] <= '9') || strings.Contains(host, "..") {
		return false
	}
	return true
}
