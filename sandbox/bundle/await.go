package bundle

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"coldstart/sandbox/trace"
)

// promised are the methods of bindings whose promises are taken for their
// values most, by the binding's type. What prepare gives has methods of its own.
var promised = map[string][]string{
	"kv": {"get", "getWithMetadata", "list"},
	"r2": {"get", "head", "put", "list"},
	"d1": {"prepare", "batch", "exec"},
}

var (
	bindingCall  = regexp.MustCompile(`\benv\.([A-Za-z_$][\w$]*)\.([A-Za-z]+)\s*(?:<[^<>()]*>)?\(`)
	linkCall     = regexp.MustCompile(`^\s*\.\s*([A-Za-z]+)\s*(?:<[^<>()]*>)?\(`)
	envRoot      = regexp.MustCompile(`(?:[A-Za-z_$][\w$]*\.)*$`)
	keptIn       = regexp.MustCompile(`\b(?:const|let|var)\s*(?:\b([A-Za-z_$][\w$]*)|\{\s*([A-Za-z_$][\w$]*)[^{}]*\})(?:\s*:[^=;\n]+)?\s*=\s*$`)
	propertyRead = regexp.MustCompile(`^\s*\??\.\s*([A-Za-z_$][\w$]*)`)
)

// ofPromise are the properties that a promise has.
var ofPromise = set("then catch finally constructor toString toLocaleString valueOf hasOwnProperty isPrototypeOf propertyIsEnumerable")

// Bounds of the search.
const (
	callsMax = 500      // of bindings in a file
	callRoom = 4 << 10  // bytes of one
	nameRoom = 200      // bytes of what stands before it
	readRoom = 16 << 10 // bytes behind it
)

// forgottenAwaits warns where a promise that a binding gave is read as if it
// were its value: no promise has that property, and the program gets undefined
// without a word. Where the text leaves a doubt nothing is said.
func (b *builder) forgottenAwaits(c *config, file string) {
	types := map[string]string{}
	for _, x := range c.bindings {
		if promised[x.Type] != nil {
			types[x.Name] = x.Type
		}
	}
	source := string(b.project.Files[file])
	if len(types) == 0 || !strings.Contains(source, "env.") {
		return
	}
	code := onlyCode(source)
	for _, m := range bindingCall.FindAllStringSubmatchIndex(code, callsMax) {
		typ, method := types[code[m[2]:m[3]]], code[m[4]:m[5]]
		if !slices.Contains(promised[typ], method) {
			continue
		}
		end := closing(code, m[1]-1)
		for end >= 0 && (method == "prepare" || method == "bind") {
			link := linkCall.FindStringSubmatchIndex(code[end:min(len(code), end+callRoom)])
			if link == nil {
				break
			}
			method = code[end+link[2] : end+link[3]]
			end = closing(code, end+link[1]-1)
		}
		if end < 0 || typ == "d1" && !slices.Contains([]string{"all", "first", "run", "raw", "batch", "exec"}, method) {
			continue
		}
		start := m[0] - len(envRoot.FindString(code[max(0, m[0]-nameRoom):m[0]]))
		if name, at, of := promiseRead(code, start, end); name != "" {
			line, column := position(source, at)
			first, _ := position(source, start)
			b.warn(trace.Warning{
				Message: fmt.Sprintf("%s is a promise, which has no %q: this is undefined.", of, name),
				Hint:    fmt.Sprintf("Put await before %s…) in line %d%s.", code[start:m[1]], first, bracketed(of)),
				Frame:   trace.Frame{File: file, Line: line, Column: column},
			})
		}
	}
}

// What a promise without a name is called.
const (
	directly = "What this call gives"
	taken    = "What is taken apart here"
)

// bracketed says that await needs brackets where the property follows the call.
func bracketed(of string) string {
	if of == directly {
		return ", and brackets around both"
	}
	return ""
}

// promiseRead finds the property that is read of the promise which the call
// from start to end gives, where it stands and what the promise is called;
// "" when there is none, or when the promise is used as one.
func promiseRead(code string, start, end int) (name string, at int, of string) {
	behind := code[end:min(len(code), end+readRoom)]
	if m := propertyRead.FindStringSubmatchIndex(behind); m != nil {
		if name = behind[m[2]:m[3]]; ofPromise[name] {
			return "", 0, ""
		}
		return name, end + m[2], directly
	}
	rest := strings.TrimLeft(behind, " \t\r")
	if rest != "" && rest[0] != ';' && rest[0] != '\n' {
		return "", 0, ""
	}
	before := code[max(0, start-nameRoom):start]
	kept := keptIn.FindStringSubmatchIndex(before)
	switch {
	case kept == nil:
		return "", 0, ""
	case kept[4] >= 0:
		if name = before[kept[4]:kept[5]]; ofPromise[name] {
			return "", 0, ""
		}
		return name, start - len(before) + kept[4], taken
	}
	of = before[kept[2]:kept[3]]
	block := behind
	if i := closing("{"+behind, 0); i > 0 {
		block = behind[:i-2]
	}
	for from := 0; ; {
		i := strings.Index(block[from:], of)
		if i < 0 {
			return "", 0, ""
		}
		i += from
		from = i + len(of)
		if i > 0 && isNameByte(block[i-1]) || from < len(block) && isNameByte(block[from]) {
			continue
		}
		if left := strings.TrimRight(block[:i], " \t\r\n"); strings.HasSuffix(left, ".") && !strings.HasSuffix(left, "...") {
			continue // a property of something else
		}
		m := propertyRead.FindStringSubmatchIndex(block[from:])
		if m == nil {
			return "", 0, ""
		}
		if name = block[from+m[2] : from+m[3]]; ofPromise[name] {
			return "", 0, ""
		}
		return name, end + from + m[2], of
	}
}

func isNameByte(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// closing is the index behind the bracket that closes the one at i, -1 where
// there is none near enough.
func closing(code string, i int) int {
	for depth, end := 0, min(len(code), i+readRoom); i < end; i++ {
		switch code[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// onlyCode has spaces for comments and for what stands in texts, templates
// but for their values among them. Lines and offsets stay what they were.
func onlyCode(source string) string {
	out := []byte(source)
	blank := func(from, to int) {
		for ; from < min(to, len(out)); from++ {
			if out[from] != '\n' {
				out[from] = ' '
			}
		}
	}
	var values []int // open brackets of each value of a template that the place is in
	template := func(i int) int {
		from := i
		for ; i < len(out); i++ {
			switch {
			case out[i] == '\\':
				i++
			case out[i] == '`':
				blank(from, i)
				return i
			case out[i] == '$' && i+1 < len(out) && out[i+1] == '{':
				blank(from, i)
				out[i] = ' '
				values = append(values, 0)
				return i + 1
			}
		}
		blank(from, i)
		return i
	}
	for i := 0; i < len(out); i++ {
		switch c := out[i]; {
		case c == '"' || c == '\'':
			from := i + 1
			for i++; i < len(out) && out[i] != c && out[i] != '\n'; i++ {
				if out[i] == '\\' {
					i++
				}
			}
			blank(from, i)
		case c == '`':
			i = template(i + 1)
		case c == '/' && i+1 < len(out) && out[i+1] == '/':
			from := i
			for i < len(out) && out[i] != '\n' {
				i++
			}
			blank(from, i)
		case c == '/' && i+1 < len(out) && out[i+1] == '*':
			end := strings.Index(source[i+2:], "*/")
			if end < 0 {
				end = len(source)
			}
			blank(i, i+end+4)
			i += end + 3
		case c == '{' && len(values) > 0:
			values[len(values)-1]++
		case c == '}' && len(values) > 0:
			if values[len(values)-1]--; values[len(values)-1] < 0 {
				values = values[:len(values)-1]
				i = template(i + 1)
			}
		}
	}
	return string(out)
}
