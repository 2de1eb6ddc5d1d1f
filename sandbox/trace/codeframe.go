package trace

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// CodeFrame cuts out the lines of source around a place, numbered, with ">"
// before the line and "^" below the column:
//
//	  2 |   async fetch(request) {
//	> 3 |     return nope;
//	    |            ^
//	  4 |   },
//
// line and column count from 1, column in UTF-16 code units; column 0 draws no
// caret. Long lines are cut. A line outside source gives "".
func CodeFrame(source string, line, column int) string {
	if line < 1 || len(source) > 16<<20 {
		return ""
	}
	lines, first := linesAround(source, line)
	if lines == nil {
		return ""
	}
	digits := len(fmt.Sprint(first + len(lines) - 1))
	var b strings.Builder
	for i, text := range lines {
		n := first + i
		if n != line {
			fmt.Fprintf(&b, "  %*d | %s\n", digits, n, cutLine(text, 0))
			continue
		}
		text, caret := cutAround(text, column)
		fmt.Fprintf(&b, "> %*d | %s\n", digits, n, text)
		if column > 0 {
			fmt.Fprintf(&b, "  %*s | %s^\n", digits, "", caret)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// frameWidth is how many characters of a line a code frame shows.
const frameWidth = 120

// linesAround returns up to two lines before, the line itself and one after,
// with the number of the first.
func linesAround(source string, line int) (lines []string, first int) {
	first = max(line-2, 1)
	rest, n, more := source, 1, true
	for more && n <= line+1 {
		var text string
		text, rest, more = strings.Cut(rest, "\n")
		if n >= first {
			lines = append(lines, strings.ToValidUTF8(strings.TrimSuffix(text, "\r"), "\uFFFD"))
		}
		n++
	}
	if len(lines) <= line-first {
		return nil, 0
	}
	if last := len(lines) - 1; last > line-first && lines[last] == "" {
		lines = lines[:last]
	}
	return lines, first
}

// cutAround cuts a line so that column stays in view and returns the blank text
// that puts a caret under it.
func cutAround(text string, column int) (cut, blank string) {
	units := 0
	at := len(text)
	for i, r := range text {
		if units >= column-1 {
			at = i
			break
		}
		units += utf16.RuneLen(r)
	}
	from := 0
	if runes := []rune(text[:at]); len(runes) > frameWidth*3/4 {
		from = len(string(runes[:len(runes)-frameWidth/2]))
	}
	blank = strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, text[from:at])
	if from > 0 {
		return "…" + cutLine(text, from), " " + blank
	}
	return cutLine(text, 0), blank
}

func cutLine(text string, from int) string {
	n := 0
	for i := range text[from:] {
		if n++; n > frameWidth {
			return text[from:from+i] + "…"
		}
	}
	return text[from:]
}

// UTF16Column turns a byte offset within a line into a column that counts
// UTF-16 code units from 1.
func UTF16Column(line string, offset int) int {
	units := 0
	for _, r := range line[:min(max(offset, 0), len(line))] {
		units += utf16.RuneLen(r)
	}
	return units + 1
}
