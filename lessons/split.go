package lessons

import (
	"regexp"
	"strconv"
	"strings"
)

// section is a stretch of a lesson's text: Markdown, a task, or what stands
// between ::: markers.
type section struct {
	kind  string // "", task, predict, quiz, hint, lab
	line  int    // of its first line (the heading or the marker)
	body  []string
	first int // line of body[0]
	n     int // task: its number
	title string
	args  map[string]string
	words []string // arguments without =
}

var (
	taskHeading = regexp.MustCompile(`^## +(\d{1,3})\. +(.+?) *$`)
	anyHeading  = regexp.MustCompile(`^##? `)
	marker      = regexp.MustCompile(`^:::([a-z]+)(?:[ \t]+(.*))?$`)
	fenceOpen   = regexp.MustCompile("^ {0,3}(`{3,}|~{3,})([^`]*)$")
	containers  = []string{"predict", "quiz", "hint", "lab"}
)

// sections cuts the text after the front matter. line is the first line's number.
func (d *document) sections(text string, line int) []section {
	var out []section
	cur := section{line: line, first: line}
	flush := func() {
		if cur.kind != "" || strings.TrimSpace(strings.Join(cur.body, "\n")) != "" {
			out = append(out, cur)
		}
	}
	fence, inside := "", false
	for i, l := range strings.Split(text, "\n") {
		at := line + i
		if fence != "" {
			if t := strings.TrimLeft(l, " "); strings.HasPrefix(t, fence) && strings.Trim(t, fence[:1]+" \t") == "" {
				fence = ""
			}
			cur.body = append(cur.body, l)
			continue
		}
		if m := fenceOpen.FindStringSubmatch(l); m != nil {
			fence = m[1]
			cur.body = append(cur.body, l)
			continue
		}
		trimmed := strings.TrimRight(l, " \t")
		if trimmed == ":::" {
			if !inside {
				d.problem(at, 1, "E022", "::: closes nothing; remove it or open :::predict, :::quiz, :::hint or :::lab before it")
				continue
			}
			flush()
			inside, cur = false, section{line: at + 1, first: at + 1}
			continue
		}
		if m := marker.FindStringSubmatch(trimmed); m != nil {
			if inside {
				d.problem(at, 1, "E022", ":::%s opens inside :::%s (line %d); close that with ::: first", m[1], cur.kind, cur.line)
				continue
			}
			flush()
			if !contains(containers, m[1]) {
				d.problem(at, 1, "E022", ":::%s is not known%s", m[1], meant(m[1], containers))
				m[1] = "hint"
			}
			inside, cur = true, section{kind: m[1], line: at, first: at + 1}
			cur.words, cur.args = d.arguments(m[2], at, len(m[1])+5)
			continue
		}
		if !inside {
			if m := taskHeading.FindStringSubmatch(l); m != nil {
				flush()
				n, _ := strconv.Atoi(m[1])
				cur = section{kind: "task", line: at, first: at + 1, n: n, title: m[2]}
				continue
			}
			if cur.kind == "task" && anyHeading.MatchString(l) {
				flush()
				cur = section{line: at, first: at}
			}
		}
		cur.body = append(cur.body, l)
	}
	if inside {
		d.problem(cur.line, 1, "E022", ":::%s is never closed; end it with a line that is only :::", cur.kind)
	}
	flush()
	return out
}

// arguments reads `word key=value key="value with spaces"`.
func (d *document) arguments(s string, line, col int) (words []string, args map[string]string) {
	args = map[string]string{}
	for i := 0; i < len(s); {
		if s[i] == ' ' || s[i] == '\t' {
			i++
			continue
		}
		start := i
		for i < len(s) && s[i] != ' ' && s[i] != '\t' && s[i] != '=' {
			i++
		}
		name := s[start:i]
		if i == len(s) || s[i] != '=' {
			words = append(words, name)
			continue
		}
		i++
		if i < len(s) && s[i] == '"' {
			end := strings.IndexByte(s[i+1:], '"')
			if end < 0 {
				d.problem(line, col+i, "E022", "the quotation mark after %s= is never closed", name)
				end = len(s) - i - 1
			}
			args[name] = s[i+1 : i+1+end]
			i += end + 2
			continue
		}
		start = i
		for i < len(s) && s[i] != ' ' && s[i] != '\t' {
			i++
		}
		args[name] = s[start:i]
	}
	return words, args
}
