package bundle

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"coldstart/sandbox/trace"
)

// Bounds of rule files, as Workers has them.
const (
	ruleLine        = 2000 // bytes
	redirectsStatic = 2000 // without "*" and ":name"
	redirectsMoving = 100
	headersMax      = 100
)

// assetRules reads the files _redirects and _headers of an assets folder. A line
// that is wrong warns and is left out.
type assetRules struct {
	b    *builder
	dir  string
	o    *trace.AssetOptions
	file string
	line int
}

func (r *assetRules) warn(message, hint string) {
	r.b.warn(trace.Warning{Message: message, Hint: hint, Frame: trace.Frame{File: path.Join(r.dir, r.file), Line: r.line}})
}

// lines calls f for each line that says something, until it returns false.
func (r *assetRules) lines(file, text string, f func(string) bool) {
	r.file, r.line = file, 0
	for s := range strings.Lines(text) {
		r.line++
		s = strings.TrimSpace(s)
		switch {
		case s == "" || s[0] == '#':
		case len(s) > ruleLine:
			r.warn(fmt.Sprintf("A line of more than %d bytes is ignored.", ruleLine), "")
		case !f(s):
			return
		}
	}
}

var (
	ruleComment = regexp.MustCompile(`\s+#.*$`)
	ruleMoving  = regexp.MustCompile(`\*|:[A-Za-z]\w*`)
	ruleLoop    = regexp.MustCompile(`/index(\.html)?$`)
)

func (r *assetRules) redirects(text string) {
	const shape = "Write a path, where it leads to, and if need be a status: /old /new 301."
	seen := map[string]bool{}
	static, moving := 0, 0
	r.lines("_redirects", text, func(line string) bool {
		words := strings.Fields(ruleComment.ReplaceAllString(line, ""))
		if len(words) < 2 || len(words) > 3 {
			r.warn(fmt.Sprintf("A redirect has 2 or 3 words; this one has %d.", len(words)), shape)
			return true
		}
		from, ok := rulePath(words[0], false)
		if !ok {
			r.warn(fmt.Sprintf("A redirect begins with a path; %q is none.", shorten(words[0])), shape)
			return true
		}
		if ruleMoving.MatchString(from) || moving > 0 {
			if moving++; moving > redirectsMoving {
				r.warn(fmt.Sprintf("More than %d redirects with * or :name; the rest of the file is ignored.", redirectsMoving), "")
				return false
			}
		} else if static++; static > redirectsStatic {
			r.warn(fmt.Sprintf("More than %d redirects; this one is ignored.", redirectsStatic), "")
			return true
		}
		to, ok := rulePath(words[1], true)
		status := 302
		if len(words) == 3 {
			status, _ = strconv.Atoi(words[2]) // 0 is none of those below
		}
		host := strings.HasPrefix(to, "https://")
		handled := r.o.HTML != "none"
		switch {
		case !ok:
			r.warn(fmt.Sprintf("A redirect leads to a path or to an address with https://; %q is neither.", shorten(words[1])), shape)
		case !slices.Contains([]int{200, 301, 302, 303, 307, 308}, status):
			r.warn(fmt.Sprintf("%q is not a status that a redirect can have.", shorten(words[2])), "Use 200, 301, 302, 303, 307 or 308.")
		case !host && ruleLoop.MatchString(to) && (strings.HasSuffix(from, "/*") || strings.HasSuffix(from, "/") && handled):
			r.warn("This redirect would lead to itself for ever and is ignored.", "The name index.html is taken off an address, so lead to the folder.")
		case seen[from]:
			r.warn(fmt.Sprintf("There is a redirect for %s already; this one is ignored.", shorten(from)), "")
		case status == 200 && host:
			r.warn("A redirect with status 200 can only lead to a path.", "Write a path of your own files.")
		case !namesOnce(from):
			r.warn(fmt.Sprintf("%s has a name or * twice and is ignored.", shorten(from)), "")
		default:
			r.o.Redirects = append(r.o.Redirects, trace.AssetRedirect{From: from, To: to, Status: status})
		}
		seen[from] = true
		return true
	})
}

func (r *assetRules) headers(text string) {
	var rule *trace.AssetHeaders
	at := 0
	values := map[string][]string{} // by name; a name's values are joined at a rule's end
	end := func() {
		if rule != nil {
			for i, kv := range rule.Set {
				rule.Set[i][1] = strings.Join(values[kv[0]], ", ")
			}
		}
		clear(values)
		switch {
		case rule == nil:
		case len(rule.Set)+len(rule.Unset) == 0:
			now := r.line
			r.line = at
			r.warn(fmt.Sprintf("No headers are given for %s.", shorten(rule.Path)), "Write them below it, each as Name: value.")
			r.line = now
		case !namesOnce(rule.Path):
			r.warn(fmt.Sprintf("%s has a name or * twice and is ignored.", shorten(rule.Path)), "")
		default:
			r.o.Headers = append(r.o.Headers, *rule)
		}
		rule = nil
	}
	r.lines("_headers", text, func(line string) bool {
		if strings.HasPrefix(line, "/") || strings.HasPrefix(line, "https://") || strings.HasPrefix(line, "http://") {
			end()
			if len(r.o.Headers) == headersMax {
				r.warn(fmt.Sprintf("More than %d rules; the rest of the file is ignored.", headersMax), "")
				return false
			}
			p, ok := rulePath(line, true)
			if !ok {
				r.warn(fmt.Sprintf("A rule is for a path or for an address with https://; %q is neither.", shorten(line)), "")
				return true
			}
			rule, at = &trace.AssetHeaders{Path: p}, r.line
			return true
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		unset, off := strings.CutPrefix(line, "! ")
		switch {
		case rule == nil:
			r.warn("A header stands before any path.", "Begin with the path it is for, on a line of its own: /*")
		case !ok && off:
			rule.Unset = append(rule.Unset, strings.TrimSpace(unset))
		case !ok || name == "" || value == "" || strings.ContainsAny(name, " \t"):
			r.warn(fmt.Sprintf("%q is not a header.", shorten(line)), "Write Name: value, or an exclamation mark and a name to take one off.")
		default:
			if values[name] == nil {
				rule.Set = append(rule.Set, [2]string{name})
			}
			values[name] = append(values[name], value)
		}
		return true
	})
	end()
}

var rulePort = regexp.MustCompile(`:\d+$`)

// rulePath is a path as it stands in a request; whole allows an address with
// https://, a query and a fragment.
func rulePath(s string, whole bool) (string, bool) {
	host := ""
	if rest, ok := strings.CutPrefix(s, "https://"); ok {
		name, p, _ := strings.Cut(rest, "/")
		if !whole || name == "" || rulePort.MatchString(name) {
			return "", false
		}
		host, s = "https://"+name, "/"+p
	}
	if !strings.HasPrefix(s, "/") && !whole && !strings.Contains(s, "://") {
		s = "/" + s
	}
	u, err := url.Parse("/" + strings.TrimLeft(s, "/"))
	if err != nil || !strings.HasPrefix(s, "/") {
		return "", false
	}
	out := host + u.EscapedPath()
	if whole && u.RawQuery != "" {
		out += "?" + u.RawQuery
	}
	if whole && u.Fragment != "" {
		out += "#" + u.EscapedFragment()
	}
	return out, true
}

// namesOnce reports whether each name of a pattern, and "*", stands in it once.
func namesOnce(p string) bool {
	names := ruleMoving.FindAllString(strings.TrimPrefix(p, "https:"), -1)
	n := len(names)
	slices.Sort(names)
	return len(slices.Compact(names)) == n
}

// ignoreRules are lines in the form of .gitignore; the last that matches decides.
type ignoreRules []ignoreRule

type ignoreRule struct {
	pattern *regexp.Regexp
	keep    bool
}

// What is never served: the rules themselves, and secrets.
const neverServed = "/.assetsignore\n/_redirects\n/_headers\n.dev.vars*\n.env*\n.git\n.wrangler\n"

func ignored(text string) ignoreRules {
	var rules ignoreRules
	for line := range strings.Lines(text + "\n" + neverServed) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		line, keep := strings.CutPrefix(line, "!")
		line, folder := strings.CutSuffix(line, "/")
		expr := "^/"
		if !strings.Contains(line, "/") {
			expr += "(?:.*/)?"
		}
		for rest := strings.TrimPrefix(line, "/"); rest != ""; {
			switch {
			case strings.HasPrefix(rest, "**/"):
				expr, rest = expr+"(?:.*/)?", rest[3:]
			case strings.HasPrefix(rest, "**"):
				expr, rest = expr+".*", rest[2:]
			case rest[0] == '*':
				expr, rest = expr+"[^/]*", rest[1:]
			case rest[0] == '?':
				expr, rest = expr+"[^/]", rest[1:]
			default:
				expr, rest = expr+regexp.QuoteMeta(rest[:1]), rest[1:]
			}
		}
		if folder {
			expr += "/.*$"
		} else {
			expr += "(?:/.*)?$"
		}
		if pattern, err := regexp.Compile(expr); err == nil {
			rules = append(rules, ignoreRule{pattern, keep})
		}
	}
	return rules
}

func (l ignoreRules) match(name string) bool {
	for i := len(l) - 1; i >= 0; i-- {
		if l[i].pattern.MatchString(name) {
			return !l[i].keep
		}
	}
	return false
}
