package lessons

import (
	"html"
	"path"
	"strings"
)

// Highlight marks up source text: keywords in <b class="k">, strings and
// numbers in <span class="s">, comments in <span class="c">. Languages it does
// not know are escaped only. lang is a fence's word or a file name.
func Highlight(lang, src string) HTML {
	return HTML(strings.Join(HighlightLines(lang, src), "\n"))
}

// HighlightLines is Highlight a line at a time; a token that spans lines is
// closed and opened again.
func HighlightLines(lang, src string) []string {
	var b strings.Builder
	for _, t := range tokens(language(lang), strings.TrimSuffix(src, "\n")) {
		open, shut := "", ""
		switch t.class {
		case 'k':
			open, shut = `<b class="k">`, `</b>`
		case 's', 'c':
			open, shut = `<span class="`+string(t.class)+`">`, `</span>`
		}
		for i, part := range strings.Split(t.text, "\n") {
			if i > 0 {
				b.WriteByte('\n')
			}
			if part != "" {
				b.WriteString(open + html.EscapeString(part) + shut)
			}
		}
	}
	return strings.Split(b.String(), "\n")
}

func language(name string) string {
	if ext := strings.TrimPrefix(path.Ext(name), "."); ext != "" {
		name = ext
	}
	switch strings.ToLower(name) {
	case "js", "mjs", "cjs", "jsx", "ts", "mts", "tsx", "javascript", "typescript":
		return "js"
	case "json", "jsonc":
		return "json"
	case "sh", "bash", "shell", "console":
		return "sh"
	case "go":
		return "go"
	}
	return ""
}

type token struct {
	class byte // 'k', 's', 'c' or 0
	text  string
}

var keywords = map[string]map[string]bool{
	"js": words(`as async await break case catch class const continue debugger default delete do else enum export extends false finally for from
		function if implements import in instanceof interface let new null of private public readonly return satisfies static super switch this throw true try
		type typeof undefined var void while yield`),
	"json": words("true false null"),
	"go":   words("break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var nil true false"),
	"sh":   words("if then else fi for in do done while case esac export"),
}

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// tokens cuts src into tokens; together they are src again.
func tokens(lang, src string) []token {
	if lang == "" {
		return []token{{0, src}}
	}
	var out []token
	plain := 0
	emit := func(class byte, from, to int) {
		if from > plain {
			out = append(out, token{0, src[plain:from]})
		}
		out = append(out, token{class, src[from:to]})
		plain = to
	}
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case lang == "sh" && c == '#' && (i == 0 || src[i-1] == ' ' || src[i-1] == '\n'), lang != "sh" && strings.HasPrefix(src[i:], "//"):
			end := lineEnd(src, i)
			emit('c', i, end)
			i = end
		case lang != "sh" && strings.HasPrefix(src[i:], "/*"):
			end := len(src)
			if n := strings.Index(src[i+2:], "*/"); n >= 0 {
				end = i + 2 + n + 2
			}
			emit('c', i, end)
			i = end
		case c == '"' || c == '\'' || c == '`':
			end := stringEnd(src, i)
			emit('s', i, end)
			i = end
		case isWord(c):
			end := i
			for end < len(src) && isWord(src[end]) {
				end++
			}
			switch {
			case c >= '0' && c <= '9':
				emit('s', i, end)
			case keywords[lang][src[i:end]] && (i == 0 || src[i-1] != '.'):
				emit('k', i, end)
			}
			i = end
		default:
			i++
		}
	}
	if plain < len(src) {
		out = append(out, token{0, src[plain:]})
	}
	return out
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c|32 >= 'a' && c|32 <= 'z' || c >= 0x80
}

func lineEnd(src string, i int) int {
	if n := strings.IndexByte(src[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(src)
}

// stringEnd is just past the literal that begins at i; a quoted one ends with
// its line, a template literal does not.
func stringEnd(src string, i int) int {
	q := src[i]
	for j := i + 1; j < len(src); j++ {
		switch src[j] {
		case '\\':
			j++
		case '\n':
			if q != '`' {
				return j
			}
		case q:
			return j + 1
		}
	}
	return len(src)
}
