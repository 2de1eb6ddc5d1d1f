package trace

import "testing"

func TestParseRoute(t *testing.T) {
	for _, test := range []struct {
		pattern, host, path string
		err                 string
	}{
		{"example.com/*", "example.com", "/", ""},
		{"example.com", "example.com", "/", ""},
		{"*.example.com/a*", ".example.com", "/a", ""},
		{"*/*", "", "/", ""},
		{"https://Example.com:8080/A", "example.com:8080", "/A", ""},
		{"!example.com/x", "example.com", "/x", ""},
		{"custom:shop.example.com", "shop.example.com", "/", ""},
		{"", "", "", "is empty; write a host and a path, such as example.com/api/*"},
		{"/path", "", "", "has no host; write example.com/path or */path"},
		{"example.com/*.jpg", "", "", `has a "*" inside the path; it may only be its last character`},
		{"a.*.com/", "", "", `has a "*" inside the host; it may only be its first character`},
		{"example.com/?a=b", "", "", "has a query or fragment; patterns match scheme, host and path"},
		{"ftp://example.com/", "", "", `begins with "ftp://"; use http, https or no scheme`},
		{"exa mple.com/", "", "", "has a space or a character that addresses cannot have"},
		{"example..com/", "", "", "has a host with an empty part between dots"},
		{"custom:example.com/x", "", "", `is a custom domain, which is a plain host name without path or "*"`},
		{"example.com:x/", "", "", "has a port that is not a number"},
	} {
		r, err := ParseRoute(test.pattern)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != test.err || err == nil && (r.Host != test.host || r.Path != test.path) {
			t.Errorf("%q: got %+v, %q", test.pattern, r, got)
		}
	}
}

func FuzzParseRoute(f *testing.F) {
	f.Add("https://*.example.com/a*")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRoute(s)
		if err == nil && (r.Path == "" || r.Path[0] != '/') {
			t.Errorf("%q parses to path %q", s, r.Path)
		}
	})
}
