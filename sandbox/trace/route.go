package trace

import (
	"errors"
	"fmt"
	"strings"
)

// Marks at the start of an entry of Worker.Routes.
const (
	// RouteNone marks a pattern that keeps Workers away: a request for it
	// goes to no Worker of this project.
	RouteNone = "!"
	// RouteCustomDomain marks a host name that a Worker owns with all its
	// paths, as "custom:shop.example.com". Any route on it wins.
	RouteCustomDomain = "custom:"
)

// Route is a parsed entry of Worker.Routes.
type Route struct {
	Pattern string // as written, without a mark
	None    bool   // keeps Workers away
	Custom  bool   // a Custom Domain
	Scheme  string // "http", "https" or "" for both
	AnyHost bool   // the host begins with "*": Host matches any host that ends in it
	Host    string // lower case, without "*", with a port when the pattern has one
	AnyPath bool   // the path ends with "*": Path matches as a prefix
	Path    string // begins with "/", without the last "*"; case matters
}

// ParseRoute reads an entry of Worker.Routes: [scheme://]host[/path], where
// "*" may only begin the host or end the path. The error is one sentence's end,
// such as `has a "*" in the middle`, to be put behind the quoted pattern.
func ParseRoute(s string) (Route, error) {
	var r Route
	s, r.None = strings.CutPrefix(s, RouteNone)
	s, r.Custom = strings.CutPrefix(s, RouteCustomDomain)
	r.Pattern = s
	switch {
	case s == "":
		return r, errors.New("is empty; write a host and a path, such as example.com/api/*")
	case len(s) > 2048:
		return r, errors.New("is longer than 2,048 characters")
	}
	rest := s
	if scheme, after, ok := strings.Cut(s, "://"); ok {
		scheme = strings.ToLower(scheme)
		if scheme != "http" && scheme != "https" {
			return r, fmt.Errorf("begins with %q; use http, https or no scheme", scheme+"://")
		}
		r.Scheme, rest = scheme, after
	}
	host, p, hasPath := strings.Cut(rest, "/")
	if strings.ContainsAny(rest, "?#") {
		return r, errors.New("has a query or fragment; patterns match scheme, host and path")
	}
	for _, c := range rest {
		if c <= ' ' || c == 0x7f || c == '\\' {
			return r, errors.New("has a space or a character that addresses cannot have")
		}
	}
	host, r.AnyHost = strings.CutPrefix(host, "*")
	if strings.Contains(host, "*") {
		return r, errors.New(`has a "*" inside the host; it may only be its first character`)
	}
	if host == "" && !r.AnyHost {
		return r, errors.New("has no host; write example.com/path or */path")
	}
	if err := checkHost(host, r.AnyHost); err != nil {
		return r, err
	}
	r.Host = strings.ToLower(host)
	if r.Custom {
		if r.AnyHost || hasPath || r.Scheme != "" {
			return r, errors.New("is a custom domain, which is a plain host name without path or \"*\"")
		}
		r.Path, r.AnyPath = "/", true
		return r, nil
	}
	p, r.AnyPath = strings.CutSuffix(p, "*")
	if strings.Contains(p, "*") {
		return r, errors.New(`has a "*" inside the path; it may only be its last character`)
	}
	r.Path = "/" + p
	return r, nil
}

func checkHost(host string, any bool) error {
	name, port, hasPort := strings.Cut(host, ":")
	if hasPort && (port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "") {
		return errors.New("has a port that is not a number")
	}
	if any {
		name = strings.TrimPrefix(name, ".")
	}
	if name == "" {
		if any {
			return nil
		}
		return errors.New("has no host; write example.com/path or */path")
	}
	if len(name) > 253 {
		return errors.New("has a host longer than 253 characters")
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" {
			return errors.New("has a host with an empty part between dots")
		}
		for _, c := range label {
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c >= 0x80) {
				return fmt.Errorf("has the character %q, which host names cannot have", c)
			}
		}
	}
	return nil
}
