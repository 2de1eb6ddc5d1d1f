package view

import (
	"slices"
	"strconv"
	"strings"

	"coldstart/sandbox/trace"
)

// isTree reports whether a logged value has something to unfold.
func isTree(v trace.Value) bool { return len(v.Entries) > 0 }

// logRow is what the row of a log line shows that has no tree: all of a short
// line, the begin of a longer one. What an object is shown as belongs on one
// line; of a text, the first is enough. The browser's script cuts it alike.
func logRow(l trace.Log) string {
	if len(l.Text) <= 200 && !strings.Contains(l.Text, "\n") {
		return l.Text
	}
	begin := l.Text
	if r := []rune(begin); len(r) > 200 {
		begin = string(r[:200])
	}
	if slices.ContainsFunc(l.Args, func(v trace.Value) bool { return v.Type == "object" }) {
		lines := strings.Split(begin, "\n")
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
		return strings.Join(lines, " ")
	}
	first, _, _ := strings.Cut(begin, "\n")
	return first
}

// argText writes a logged value on one line. A string at the top is plain; in
// an object it is quoted.
func argText(v trace.Value, top bool) string {
	switch v.Type {
	case "string":
		if top {
			return v.Text
		}
		return strconv.Quote(v.Text)
	case "undefined", "null":
		return v.Type
	case "array":
		return preview("[", "]", v)
	case "object":
		if v.Text != "" && v.Text != "Object" {
			return v.Text + " " + preview("{", "}", v)
		}
		return preview("{", "}", v)
	}
	if isTree(v) {
		return strings.TrimSpace(v.Text + " " + preview("{", "}", v))
	}
	return v.Text
}

// preview shows the first entries of an object or array.
func preview(open, end string, v trace.Value) string {
	if len(v.Entries) == 0 && v.More == 0 {
		return open + end
	}
	var parts []string
	for i, e := range v.Entries {
		if i == 4 {
			break
		}
		text := argText(e.Value, false)
		if isTree(e.Value) {
			text = "…"
		}
		if open == "{" {
			text = e.Key + ": " + text
		}
		parts = append(parts, text)
	}
	if len(v.Entries) > 4 || v.More > 0 {
		parts = append(parts, "…")
	}
	return open + " " + strings.Join(parts, ", ") + " " + end
}
