package lessons

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"coldstart/sandbox/trace"
	"gopkg.in/yaml.v3"
)

// lessonKeys are the keys that the front matter of a lesson may have; all but
// the identity may also stand in track.md as defaults.
var (
	lessonKeys = []string{"id", "title", "summary", "kind", "minutes", "open", "limits", "request", "covers", "labs", "points", "revision", "lang", "spare"}
	trackOnly  = []string{"coming"}
	textKeys   = []string{"title", "summary", "revision", "lang"} // of a translation
	limitKeys  = trace.LimitNames()
	requestKey = []string{"method", "path", "headers", "body"}
)

// front is the front matter of one file.
type front struct {
	file string
	line int // added to the YAML's own lines
	keys map[string]entry
	in   *sink
}

type entry struct{ key, value *yaml.Node }

// sink collects problems.
type sink struct{ problems []Problem }

func (s *sink) add(file string, line, col int, code, format string, args ...any) {
	s.problems = append(s.problems, Problem{File: file, Line: max(line, 1), Column: col, Code: code, Message: fmt.Sprintf(format, args...)})
}

// split separates the front matter from the text. body begins at the
// returned line.
func splitFront(src string) (yamlText, body string, line int, ok bool) {
	if !strings.HasPrefix(src, "---\n") {
		return "", src, 1, false
	}
	rest := src[4:]
	if strings.HasPrefix(rest, "---\n") || rest == "---" {
		return "", strings.TrimPrefix(rest, "---\n"), 3, true
	}
	end := strings.Index(rest, "\n---\n")
	if end < 0 {
		if !strings.HasSuffix(rest, "\n---") {
			return "", src, 1, false
		}
		end = len(rest) - len("\n---")
		return rest[:end+1], "", strings.Count(src, "\n") + 1, true
	}
	return rest[:end+1], rest[end+len("\n---\n"):], strings.Count(rest[:end+1], "\n") + 3, true
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// readFront parses front matter; unknown keys are reported against known.
func readFront(file, text string, known []string, in *sink) *front {
	f := &front{file: file, line: 1, keys: map[string]entry{}, in: in}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		line, msg := 1, strings.TrimPrefix(err.Error(), "yaml: ")
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			n, _ := strconv.Atoi(m[1])
			line, msg = n+1, strings.TrimPrefix(err.Error(), m[0])
		}
		in.add(file, line, 1, "E005", "front matter is not YAML: %s", msg)
		return f
	}
	if len(doc.Content) == 0 {
		return f
	}
	m := doc.Content[0]
	if m.Kind != yaml.MappingNode {
		in.add(file, m.Line+1, m.Column, "E005", "front matter must be keys and values, such as `id: first-worker`")
		return f
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		k, v := m.Content[i], m.Content[i+1]
		if !contains(known, k.Value) {
			in.add(file, k.Line+1, k.Column, "E003", "unknown key %q%s", k.Value, meant(k.Value, known))
			continue
		}
		if hasAlias(v) {
			in.add(file, v.Line+1, v.Column, "E005", "%s: YAML anchors and aliases are not taken here; write the value out", k.Value)
			continue
		}
		f.keys[k.Value] = entry{k, v}
	}
	return f
}

func hasAlias(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return true
	}
	for _, c := range n.Content {
		if hasAlias(c) {
			return true
		}
	}
	return false
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// inherit takes keys that are missing from a track's front matter.
func (f *front) inherit(t *front) {
	if t == nil {
		return
	}
	for k, e := range t.keys {
		if _, own := f.keys[k]; !own && k != "title" && k != "summary" && k != "coming" && k != "id" {
			f.keys[k] = e
		}
	}
}

func (f *front) has(key string) bool { _, ok := f.keys[key]; return ok }

// at is the place of a key's value, or of the file's begin.
func (f *front) at(key string) (line, col int) {
	if e, ok := f.keys[key]; ok {
		return e.value.Line + f.line, e.value.Column
	}
	return 1, 1
}

func (f *front) wrong(n *yaml.Node, format string, args ...any) {
	f.in.add(f.file, n.Line+f.line, n.Column, "E005", format, args...)
}

func (f *front) text(key string) string {
	e, ok := f.keys[key]
	if !ok {
		return ""
	}
	if e.value.Kind != yaml.ScalarNode {
		f.wrong(e.value, "%s must be text", key)
		return ""
	}
	return strings.TrimSpace(e.value.Value)
}

func (f *front) number(key string, fallback, lowest int) int {
	e, ok := f.keys[key]
	if !ok {
		return fallback
	}
	n, err := strconv.Atoi(e.value.Value)
	if e.value.Kind != yaml.ScalarNode || err != nil || n < lowest {
		f.wrong(e.value, "%s must be a whole number from %d", key, lowest)
		return fallback
	}
	return n
}

func (f *front) list(key string) (values []string, nodes []*yaml.Node) {
	e, ok := f.keys[key]
	if !ok {
		return nil, nil
	}
	if e.value.Kind != yaml.SequenceNode {
		f.wrong(e.value, "%s must be a list, such as [a, b]", key)
		return nil, nil
	}
	for _, n := range e.value.Content {
		if n.Kind != yaml.ScalarNode {
			f.wrong(n, "%s must be a list of plain values", key)
			continue
		}
		values, nodes = append(values, n.Value), append(nodes, n)
	}
	return values, nodes
}

// pairs lists a mapping's keys and values in order.
func (f *front) pairs(key, example string) []entry {
	e, ok := f.keys[key]
	if !ok {
		return nil
	}
	if e.value.Kind != yaml.MappingNode {
		f.wrong(e.value, "%s must be keys and values, such as %s", key, example)
		return nil
	}
	var out []entry
	for i := 0; i+1 < len(e.value.Content); i += 2 {
		out = append(out, entry{e.value.Content[i], e.value.Content[i+1]})
	}
	return out
}

// limits reads limits; one over the ceiling is E006 and becomes the ceiling.
func (f *front) limits(ceiling trace.Limits) trace.Limits {
	var l trace.Limits
	for _, p := range f.pairs("limits", "{ cpu_ms: 50 }") {
		k, v := p.key.Value, p.value
		n, err := strconv.ParseInt(v.Value, 10, 64)
		if !contains(limitKeys, k) {
			f.in.add(f.file, p.key.Line+f.line, p.key.Column, "E003", "unknown limit %q%s", k, meant(k, limitKeys))
			continue
		}
		if v.Kind != yaml.ScalarNode || err != nil || n < 1 {
			f.wrong(v, "%s must be a whole number from 1", k)
			continue
		}
		if most := ceiling.Named(k); most > 0 && n > most {
			f.in.add(f.file, p.key.Line+f.line, p.key.Column, "E006", "%s %d is over this server's ceiling (%d)", k, n, most)
		}
		l.Name(k, n, ceiling)
	}
	return l
}

var methodForm = regexp.MustCompile(`^[A-Z]{1,20}$`)

// request reads the request builder's first request.
func (f *front) request() Request {
	r := Request{Method: "GET", Path: "/"}
	for _, p := range f.pairs("request", "{ method: GET, path: / }") {
		k, v := p.key.Value, p.value
		if !contains(requestKey, k) {
			f.in.add(f.file, p.key.Line+f.line, p.key.Column, "E003", "unknown key %q in request%s", k, meant(k, requestKey))
			continue
		}
		if k == "headers" {
			if v.Kind != yaml.MappingNode {
				f.wrong(v, "headers must be names and values, such as { accept: text/html }")
				continue
			}
			for i := 0; i+1 < len(v.Content); i += 2 {
				r.Headers = append(r.Headers, [2]string{v.Content[i].Value, v.Content[i+1].Value})
			}
			continue
		}
		if v.Kind != yaml.ScalarNode {
			f.wrong(v, "%s must be text", k)
			continue
		}
		switch k {
		case "method":
			r.Method = v.Value
			if !methodForm.MatchString(v.Value) {
				f.wrong(v, "method %q must be capital letters, such as POST", v.Value)
				r.Method = "GET"
			}
		case "path":
			r.Path = v.Value
			if !strings.HasPrefix(v.Value, "/") && !strings.Contains(v.Value, "://") {
				f.wrong(v, "path %q must begin with / or be a whole address", v.Value)
				r.Path = "/"
			}
		case "body":
			r.Body = v.Value
		}
	}
	return r
}
