package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/tailscale/hujson"

	"coldstart/sandbox/trace"
)

// maxConfig bounds a configuration file, which also bounds how deep its parser goes.
const maxConfig = 64 << 10

// node is a value of a configuration file with its place.
type node struct {
	value   any // nil, bool, float64 or string; kind tells null from a list or an object
	kind    kind
	at      int // byte offset of the value
	keyAt   int // of its key, or at
	members []member
	items   []*node
}

type member struct {
	key  string
	node *node
}

// kind names a value's type as messages do.
type kind string

const (
	kindNull   kind = "null"
	kindBool   kind = "true or false"
	kindNumber kind = "a number"
	kindString kind = "a string"
	kindList   kind = "a list"
	kindObject kind = "an object"
)

func (n *node) get(key string) (*node, bool) {
	if n == nil {
		return nil, false
	}
	for _, m := range n.members {
		if m.key == key {
			return m.node, true
		}
	}
	return nil, false
}

// plain is the value as encoding/json would give it.
func (n *node) plain() any {
	switch n.kind {
	case kindObject:
		m := map[string]any{}
		for _, x := range n.members {
			m[x.key] = x.node.plain()
		}
		return m
	case kindList:
		l := make([]any, len(n.items))
		for i, x := range n.items {
			l[i] = x.plain()
		}
		return l
	}
	return n.value
}

// place puts a fault at a byte offset of a file.
func (b *builder) place(f *trace.Fault, file string, at int) {
	source := string(b.project.Files[file])
	line, column := position(source, at)
	f.Frames = []trace.Frame{{File: file, Line: line, Column: column}}
	f.Code = trace.CodeFrame(source, line, column)
}

func (b *builder) configFault(file string, at int, message, hint string) *trace.Fault {
	f := &trace.Fault{Kind: trace.FaultConfig, Message: message, Hint: hint}
	b.place(f, file, at)
	return f
}

func (b *builder) parseConfig(file string, data []byte) (*node, *trace.Fault) {
	if strings.HasSuffix(file, ".toml") {
		return b.parseTOML(file, data)
	}
	return b.parseJSONC(file, data)
}

// parseJSONC reads JSON with comments and trailing commas. The root is an object.
func (b *builder) parseJSONC(file string, data []byte) (*node, *trace.Fault) {
	if len(data) > maxConfig {
		return nil, b.configFault(file, 0, fmt.Sprintf("%s is larger than %s.", file, bytesText(maxConfig)), "Move data into other files.")
	}
	v, err := hujson.Parse(data)
	if err != nil {
		line, column, text := hujsonError(err)
		hint := "Check the line for a missing comma, quote or bracket."
		if text == singleQuote {
			hint = `Write " instead of ', before and behind the text.`
		}
		f := &trace.Fault{
			Kind: trace.FaultConfig, Message: fmt.Sprintf("%s is not valid JSON: %s.", file, text),
			Hint:   hint,
			Frames: []trace.Frame{{File: file, Line: line, Column: column}},
			Code:   trace.CodeFrame(string(data), line, column),
		}
		return nil, f
	}
	n := jsonNode(&v)
	if n.kind != kindObject {
		return nil, b.configFault(file, n.at, fmt.Sprintf("%s must hold an object, not %s.", file, n.kind), `Begin with { and end with }.`)
	}
	return n, nil
}

var hujsonPattern = regexp.MustCompile(`^hujson: line (\d+), column (\d+): (.*)$`)

// singleQuote is what is said of a text in single quotes.
const singleQuote = "JSON wants double quotes"

func hujsonError(err error) (line, column int, text string) {
	m := hujsonPattern.FindStringSubmatch(err.Error())
	if m == nil {
		return 1, 1, strings.TrimPrefix(err.Error(), "hujson: ")
	}
	line, _ = strconv.Atoi(m[1])
	column, _ = strconv.Atoi(m[2])
	text = m[3]
	switch {
	case strings.HasSuffix(text, "unexpected EOF"):
		text = "it ends too early"
	case strings.Contains(text, "after object value"), strings.Contains(text, "after array value"):
		text = "a comma is missing before this place"
	case strings.Contains(text, `'\''`) && strings.Contains(text, "at start of"):
		text = singleQuote
	case strings.Contains(text, "at start of object name"):
		text = "a name in double quotes is expected here"
	case strings.Contains(text, "at start of value"):
		text = "a value is expected here"
	}
	return line, column, text
}

func jsonNode(v *hujson.Value) *node {
	n := &node{at: v.StartOffset, keyAt: v.StartOffset}
	switch x := v.Value.(type) {
	case *hujson.Object:
		n.kind = kindObject
		for i := range x.Members {
			m := &x.Members[i]
			name, _ := m.Name.Value.(hujson.Literal)
			child := jsonNode(&m.Value)
			child.keyAt = m.Name.StartOffset
			n.members = append(n.members, member{name.String(), child})
		}
	case *hujson.Array:
		n.kind = kindList
		for i := range x.Elements {
			n.items = append(n.items, jsonNode(&x.Elements[i]))
		}
	case hujson.Literal:
		switch x.Kind() {
		case 'n':
			n.kind = kindNull
		case 't', 'f':
			n.kind, n.value = kindBool, x.Bool()
		case '"':
			n.kind, n.value = kindString, x.String()
		default:
			n.kind, n.value = kindNumber, x.Float()
		}
	}
	return n
}

// parseTOML reads TOML into the same tree. The library tells no positions, so
// those of keys at the start of a line are found by the text.
func (b *builder) parseTOML(file string, data []byte) (*node, *trace.Fault) {
	if len(data) > maxConfig {
		return nil, b.configFault(file, 0, fmt.Sprintf("%s is larger than %s.", file, bytesText(maxConfig)), "Move data into other files.")
	}
	var m map[string]any
	if err := toml.Unmarshal(data, &m); err != nil {
		var pe toml.ParseError
		at, text := 0, strings.TrimPrefix(err.Error(), "toml: ")
		if errors.As(err, &pe) {
			at = offsetOf(string(data), pe.Position.Line, 1)
			text = pe.Message
			if text == "" {
				text = err.Error()
			}
			if _, after, ok := strings.Cut(text, "): "); ok {
				text = after
			}
		}
		return nil, b.configFault(file, at, fmt.Sprintf("%s is not valid TOML: %s.", file, strings.TrimSuffix(text, ".")), "Check the line for a missing quote, = or bracket.")
	}
	places := tomlPlaces(string(data))
	return tomlNode(m, "", 0, places), nil
}

func offsetOf(source string, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		n := strings.IndexByte(source[at:], '\n')
		if n < 0 {
			return len(source)
		}
		at += n + 1
	}
	return min(at+column-1, len(source))
}

func tomlNode(v any, path string, at int, places map[string]int) *node {
	if p, ok := places[path]; ok {
		at = p
	}
	n := &node{at: at, keyAt: at}
	list := func(l []any) {
		n.kind = kindList
		for i, x := range l {
			n.items = append(n.items, tomlNode(x, fmt.Sprintf("%s.%d", path, i), at, places))
		}
	}
	switch x := v.(type) {
	case map[string]any:
		n.kind = kindObject
		names := keys(x)
		for _, k := range names {
			n.members = append(n.members, member{k, tomlNode(x[k], path+"."+k, at, places)})
		}
		sort.SliceStable(n.members, func(i, j int) bool { return n.members[i].node.at < n.members[j].node.at })
	case []map[string]any:
		l := make([]any, len(x))
		for i := range x {
			l[i] = x[i]
		}
		list(l)
	case []any:
		list(x)
	case string:
		n.kind, n.value = kindString, x
	case bool:
		n.kind, n.value = kindBool, x
	case int64:
		n.kind, n.value = kindNumber, float64(x)
	case float64:
		n.kind, n.value = kindNumber, x
	default: // a date
		n.kind, n.value = kindString, fmt.Sprint(x)
		if text, err := json.Marshal(x); err == nil {
			if s, err := strconv.Unquote(string(text)); err == nil {
				n.value = strings.TrimSuffix(s, "T00:00:00Z")
			}
		}
	}
	return n
}

var (
	tomlTable = regexp.MustCompile(`^\s*(\[\[?)\s*([^\]]+?)\s*\]`)
	tomlKey   = regexp.MustCompile(`^\s*([A-Za-z0-9_."'-]+)\s*=`)
)

// tomlPlaces maps the path of a key, as ".vars.NAME" or ".kv_namespaces.0.id", to its offset.
func tomlPlaces(source string) map[string]int {
	places := map[string]int{}
	counts := map[string]int{}
	prefix := ""
	at := 0
	for line := range strings.Lines(source) {
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		unquote := strings.NewReplacer(`"`, "", `'`, "", " ", "")
		if m := tomlTable.FindStringSubmatch(line); m != nil {
			prefix = "." + unquote.Replace(m[2])
			for i := strings.LastIndexByte(prefix, '.'); i > 0; i = strings.LastIndexByte(prefix[:i], '.') {
				if _, ok := places[prefix[:i]]; !ok {
					places[prefix[:i]] = at + indent
				}
			}
			if m[1] == "[[" {
				n := counts[prefix]
				counts[prefix]++
				if n == 0 {
					places[prefix] = at + indent
				}
				prefix += "." + strconv.Itoa(n)
			}
			places[prefix] = at + indent
		} else if m := tomlKey.FindStringSubmatch(line); m != nil {
			p := prefix + "." + unquote.Replace(m[1])
			if _, ok := places[p]; !ok {
				places[p] = at + indent
			}
		}
		at += len(line)
	}
	return places
}
