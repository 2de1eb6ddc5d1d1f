package lessons

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Declaration is one test of checks.js, as far as its text tells.
type Declaration struct {
	Name   string // "2: the second request is warm"
	Task   int    // 2; 0 for a guard that belongs to no task
	Kind   string // test, hidden or guard
	Line   int    // of the call
	Column int    // UTF-16 code units, from 1
}

var (
	testCall = regexp.MustCompile(`^test(?:\.(hidden|guard))?\s*\(\s*(["'\x60])`)
	taskName = regexp.MustCompile(`^(\d{1,3}):\s`)
)

// declarations finds the calls of test, test.hidden and test.guard in a
// script without running it; comments and strings are stepped over.
func declarations(src string) []Declaration {
	var out []Declaration
	i := 0
	for _, t := range tokens("js", src) {
		from := i
		i += len(t.text)
		if t.class != 0 {
			continue
		}
		for j := from; j < i; j++ {
			if src[j] != 't' || j > 0 && (isWord(src[j-1]) || src[j-1] == '.') {
				continue
			}
			m := testCall.FindStringSubmatchIndex(src[j:])
			if m == nil {
				continue
			}
			quote := j + m[4]
			d := Declaration{Kind: "test", Name: unquote(src[quote:stringEnd(src, quote)])}
			if m[2] >= 0 {
				d.Kind = src[j+m[2] : j+m[3]]
			}
			if n := taskName.FindStringSubmatch(d.Name); n != nil {
				d.Task, _ = strconv.Atoi(n[1])
			}
			d.Line = 1 + strings.Count(src[:j], "\n")
			d.Column = 1 + len(utf16.Encode([]rune(src[strings.LastIndexByte(src[:j], '\n')+1:j])))
			out = append(out, d)
		}
	}
	return out
}

// unquote is the value of a plain string literal; escapes of a quotation mark
// and a backslash are known, others stay as written.
func unquote(lit string) string {
	if len(lit) < 2 {
		return ""
	}
	q := lit[0]
	lit = strings.TrimSuffix(lit[1:], string(q))
	return strings.NewReplacer(`\\`, `\`, `\`+string(q), string(q)).Replace(lit)
}

// TaskOf is the number of the task that a check's name begins with, 0 for none.
func TaskOf(name string) int {
	if m := taskName.FindStringSubmatch(name); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 0
}
