package webapi

import (
	"regexp"
	"strings"

	"coldstart/sandbox/trace"
)

// placeLoop puts a fault where code was that ran until it was stopped.
func (s *stacks) placeLoop(f *trace.Fault, stack string) *trace.Fault {
	f = s.place(f, stack)
	if len(f.Frames) > 0 {
		s.spinning(&f.Frames[0])
		f.Code = s.code(f.Frames[0])
	}
	return f
}

// The engine knows positions only of calls, property accesses and the like. A
// loop that does none of these is reported at the last position before it,
// often the function's name. spinning moves a frame from there to the loop:
// unless a loop is around the position, the next one behind it is meant.
func (s *stacks) spinning(f *trace.Frame) {
	src := s.worker.Sources[f.File]
	lines := strings.SplitAfter(src, "\n")
	if f.Line < 1 || f.Line > len(lines) || f.Column > len(lines[f.Line-1]) {
		return
	}
	at := f.Column - 1
	for _, l := range lines[:f.Line-1] {
		at += len(l)
	}
	if to := loopAfter(src, at); to >= 0 {
		f.Line = 1 + strings.Count(src[:to], "\n")
		f.Column = to - strings.LastIndexByte(src[:to], '\n')
	}
}

// token is what matters to loops: brackets, names, and texts and comments as a
// whole. Regular expressions are read as code, which misleads only where one
// holds quotes or brackets. What looks like a comment without an end goes to the
// end, so that nothing is read twice.
var token = regexp.MustCompile("(?s)//[^\n]*|/\\*.*?(?:\\*/|$)|\"(?:\\\\.|[^\"\\\\\n])*\"|'(?:\\\\.|[^'\\\\\n])*'|`(?:\\\\.|[^`\\\\])*`|[.]?[\\pL_$][\\pL\\pN_$]*|[{}();]")

// loopAfter is where the loop begins that the last position before it stands
// for, -1 when the position is inside a loop.
func loopAfter(src string, at int) int {
	var blocks []bool // for each open brace: a loop's
	loop, parens, depth := false, 0, -1
	for _, m := range token.FindAllStringIndex(src, -1) {
		if m[0] >= at && depth < 0 {
			depth = len(blocks)
			for _, l := range blocks {
				if l {
					return -1
				}
			}
		}
		switch src[m[0]:m[1]] {
		case "for", "while", "do":
			if depth >= 0 {
				return m[0]
			}
			loop = true
		case "(":
			parens++
		case ")":
			parens--
		case ";":
			loop = loop && parens > 0
		case "{":
			blocks = append(blocks, loop)
			loop = false
		case "}":
			if len(blocks) > 0 {
				blocks = blocks[:len(blocks)-1]
			}
			if len(blocks) < depth {
				return -1
			}
		}
	}
	return -1
}

var newPromise = regexp.MustCompile(`^new\s+Promise\s*\(|^Promise\s*\.\s*withResolvers\b`)

// promise is where the Worker's code makes a promise by hand, nil unless there
// is exactly one such place: all that the platform makes settle.
func (s *stacks) promise() *trace.Frame {
	var found *trace.Frame
	for name, src := range s.worker.Sources {
		for _, m := range token.FindAllStringIndex(src, -1) {
			if w := src[m[0]:m[1]]; w != "new" && w != "Promise" || !newPromise.MatchString(src[m[0]:]) {
				continue
			}
			if found != nil {
				return nil
			}
			found = &trace.Frame{File: name, Line: 1 + strings.Count(src[:m[0]], "\n"), Column: m[0] - strings.LastIndexByte(src[:m[0]], '\n')}
		}
	}
	return found
}

var (
	throwing  = regexp.MustCompile(`^(?:throw\b|\.?reject\s*\()\s*(?:"((?:[^"\\\n])*)"|'((?:[^'\\\n])*)'|` + "`([^`\\\\$]*)`" + `)`)
	throwWord = regexp.MustCompile(`^\.?(?:throw|reject)$`)
)

// throwsRoom is how many bytes of sources are searched for texts that are thrown.
const throwsRoom = 256 << 10

// eachThrow calls f with each place of the sources that throws or rejects, until
// it gives false; with none where there is more than throwsRoom to search.
func (s *stacks) eachThrow(f func(file, src string, at int) bool) {
	room := throwsRoom
	for _, src := range s.worker.Sources {
		if room -= len(src); room < 0 {
			return
		}
	}
	for file, src := range s.worker.Sources {
		for _, m := range token.FindAllStringIndex(src, -1) {
			if throwWord.MatchString(src[m[0]:m[1]]) && !f(file, src, m[0]) {
				return
			}
		}
	}
}

// throws is where the Worker's code throws, or rejects a promise with, exactly
// this text: what is no Error does not remember where it was made. Nil unless
// there is one such place.
func (s *stacks) throws(text string) *trace.Frame {
	s.literals.Do(func() {
		s.thrown = map[string]place{}
		s.eachThrow(func(file, src string, at int) bool {
			if g := throwing.FindStringSubmatch(src[at:]); g != nil {
				said := g[1] + g[2] + g[3]
				_, again := s.thrown[said]
				s.thrown[said] = place{file, at, !again}
			}
			return true
		})
	})
	at := s.thrown[text]
	if !at.only {
		return nil
	}
	src := s.worker.Sources[at.file]
	start := strings.LastIndexByte(src[:at.offset], '\n') + 1
	return &trace.Frame{File: at.file, Line: 1 + strings.Count(src[:start], "\n"), Column: trace.UTF16Column(src[start:], at.offset-start)}
}

// place is where a source says something, and whether nothing else says it.
type place struct {
	file   string
	offset int
	only   bool
}
