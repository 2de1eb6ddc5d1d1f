package webapi

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-sourcemap/sourcemap"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
)

// stacks maps the engine's positions in a Worker's code to the learner's files.
type stacks struct {
	worker *trace.Worker
	once   sync.Once
	mapped *sourcemap.Consumer
	first  int // line of the code that the map begins with
	split  sync.Once
	starts []int // where each line of the code begins

	literals sync.Once
	thrown   map[string]place // texts that the code throws

	looked sync.Once
	things []thing // what else it throws, nil when there is too much
}

var frameLine = regexp.MustCompile(`^\s*at (?:(.*?) \()?([^()]*?):(\d+)(?::(\d+))?\)?$`)

// Bounds of what a fault shows, in bytes and frames. A learner's code chooses
// all of it: an error may be thrown with a message of megabytes, and goes to
// the page, the summary and the record of the run.
const (
	faultText   = 4 << 10
	faultName   = 200
	faultFrames = 32
)

// clip cuts text that is longer than n bytes, and says how much is missing.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "… (" + itoa(int64(len(s)-n)) + " more bytes)"
}

// frames are the learner's frames of an engine's stack, innermost first. class
// is that of the error, "" where it is not known: the constructor and what it
// extends are no part of the stack, which begins where one is made, at new.
func (s *stacks) frames(stack, class string) []trace.Frame {
	var out []trace.Frame
	made := func(line, column int) (int, int) { return line, column }
	lines := strings.Split(stack, "\n")
	if class != "" && len(class) <= faultName {
		for i, n := 0, 0; i < len(lines) && n < madeFrames; i++ {
			m := frameLine.FindStringSubmatch(lines[i])
			if m == nil || m[2] != moduleName {
				continue
			}
			n++
			l, _ := strconv.Atoi(m[3])
			c, _ := strconv.Atoi(m[4])
			if toLine, toColumn, ok := s.madeAt(class, l, c); ok {
				lines, made = lines[i:], func(int, int) (int, int) { return toLine, toColumn }
				break
			}
		}
	}
	for _, line := range lines {
		if f, ok := s.frameAt(line, made); ok {
			if out = append(out, f); len(out) == faultFrames {
				break
			}
		}
		made = func(line, column int) (int, int) { return line, column }
	}
	return out
}

// madeFrames is in how many frames an error's making is looked for: a class
// that extends others has their constructors above it.
const madeFrames = 4

// madeAt finds where the call that a position of the Worker's code lies in
// makes an object of a class: the place of new, or of the class without it.
func (s *stacks) madeAt(class string, line, column int) (int, int, bool) {
	code := s.worker.Code
	start, at := s.index(line, column)
	if start < 0 {
		return 0, 0, false
	}
	at += start
	for end, tries := min(at+len(class)+1, len(code)), 0; tries < callTries; tries++ {
		from := max(0, at-callRoom)
		i := strings.LastIndex(code[from:max(from, end)], class+"(")
		if i < 0 {
			break
		}
		end = i + from + len(class)
		i += from
		if i > 0 && isName(code[i-1]) || closes(code, i+len(class), at+1) < at {
			continue
		}
		for i > 0 && (isName(code[i-1]) || code[i-1] == '.') {
			i--
		}
		before := strings.TrimRight(code[max(0, i-callRoom):i], " \t\r\n")
		if !strings.HasSuffix(before, "new") || len(before) > 3 && isName(before[len(before)-4]) {
			if strings.HasSuffix(before, "class") || strings.HasSuffix(before, "function") {
				continue
			}
		} else {
			i = max(0, i-callRoom) + len(before) - len("new")
		}
		l, c := line, 1
		if i < start {
			l -= strings.Count(code[i:start], "\n")
		} else {
			l += strings.Count(code[start:i], "\n")
		}
		for _, r := range code[s.starts[l-1]:i] {
			c += utf16.RuneLen(r) // what source maps count
		}
		return l, c, true
	}
	return 0, 0, false
}

// logged is the innermost frame of the learner's that called console, with the
// position of the method's name, nil when there is none.
func (s *stacks) logged(stack string) *trace.Frame {
	for line := range strings.Lines(stack) {
		if f, ok := s.frameAt(strings.TrimRight(line, "\n"), s.consoleCall); ok {
			return &f
		}
	}
	return nil
}

// frameAt reads a frame whose position in the Worker's code is first moved.
func (s *stacks) frameAt(line string, move func(line, column int) (int, int)) (trace.Frame, bool) {
	m := frameLine.FindStringSubmatch(line)
	if m == nil || m[2] != moduleName {
		return trace.Frame{}, false
	}
	l, _ := strconv.Atoi(m[3])
	c, _ := strconv.Atoi(m[4])
	l, c = move(l, c)
	fn := m[1]
	if fn == "<anonymous>" || fn == "<eval>" || fn == "<module>" {
		fn = ""
	}
	file, l, c, ok := s.position(l, c)
	if !ok || strings.HasPrefix(file, "missing:") { // what stands for an import() of nothing
		return trace.Frame{}, false
	}
	return trace.Frame{Func: clip(fn, faultName), File: file, Line: l, Column: c}, true
}

// position maps a line and column of the Worker's code, both from 1.
func (s *stacks) position(line, column int) (string, int, int, bool) {
	s.once.Do(func() {
		if len(s.worker.SourceMap) == 0 {
			return
		}
		// The parser drops what is mapped to the first column of a first line: one
		// more segment before the others puts all of them a line further down.
		key := []byte(`"mappings":"`)
		before, mappings, _ := bytes.Cut(s.worker.SourceMap, key)
		later := bytes.TrimLeft(mappings, ";")
		s.first = 1 + len(mappings) - len(later)
		segment := "AACA"
		if s.first == 1 {
			segment += ","
		}
		if c, err := sourcemap.Parse("", slices.Concat(before, key, []byte(segment), mappings)); err == nil {
			s.mapped = c
		}
	})
	if s.mapped == nil {
		name := s.worker.Main
		if name == "" {
			name = moduleName
		}
		return name, line, column, true
	}
	// The engine counts the first statement of a module to the line before it
	// when that is a comment, as in bundled code: look a little further down.
	for n := max(line, s.first); n <= line+2; n++ {
		if file, _, l, c, ok := s.mapped.Source(n, max(column-1, 0)); ok && file != "" {
			return strings.TrimPrefix(file, "./"), l - 1, c + 1, true
		}
	}
	return "", 0, 0, false
}

// place adds the frames of an engine's stack to a fault.
func (s *stacks) place(f *trace.Fault, stack string) *trace.Fault {
	f.Frames = s.frames(stack, f.Name)
	if len(f.Frames) > 0 {
		f.Code = s.code(f.Frames[0])
	}
	return f
}

// code is the source around a frame, with a marker under the column.
func (s *stacks) code(at trace.Frame) string {
	src, ok := s.worker.Sources[at.File]
	if !ok {
		return ""
	}
	return trace.CodeFrame(src, at.Line, at.Column)
}

// outOfMemory is the message of the engine's error for an allocation that was refused.
const outOfMemory = "out of memory"

func always([]isolate.Value) bool { return true }

// exception is a fault for an exception of the learner's code. causes is what
// its message is followed by; see sandbox/js/global.ts.
func (w *Worker) exception(name, message, stack, causes string) *trace.Fault {
	f := &trace.Fault{Kind: trace.FaultException, Name: clip(wellFormed(name), faultName), Message: clip(wellFormed(message), faultText)}
	if strings.Contains(stack, "    at ") && isMapped(stack) {
		f.Frames = parseMapped(stack)
		if len(f.Frames) > 0 {
			f.Code = w.stacks.code(f.Frames[0])
		}
	} else {
		w.stacks.place(f, stack)
	}
	if f.Message == outOfMemory {
		// The engine lets scripts see a full heap where one allocation is refused.
		f.Kind, f.Name, f.Message, f.Hint = trace.FaultMemory, "", w.memoryMessage(), memoryHint
		return f
	}
	noError := f.Name == ""
	if len(f.Frames) == 0 && stack == "" && (noError || f.Name == "Error") {
		at := w.stacks.throws(message)
		if at == nil {
			if at = w.stacks.throwsThing(name, message); at != nil {
				noError = true
			}
		}
		if at != nil {
			f.Frames, f.Code = []trace.Frame{*at}, w.stacks.code(*at)
		}
	}
	w.stacks.relocate(f)
	f.Hint = w.stacks.hint(f, noError)
	w.stacks.link(f)
	f.Message = clip(f.Message+wellFormed(causes), faultText)
	return f
}

// causes is the chain of an exception's causes, each on a line of its own with
// the place where it was made. What was said already is left out.
func (w *Worker) causes(e *isolate.Exception) string {
	var out strings.Builder
	said := e.Message
	for c := e.Cause; c != nil; c = c.Cause {
		if c.Message != "" && strings.Contains(said, c.Message) {
			continue
		}
		said += "\n" + c.Message
		out.WriteString("\nCaused by: " + c.Error())
		if at := w.stacks.frames(c.Stack, c.Name); len(at) > 0 {
			fmt.Fprintf(&out, " (%s:%d:%d)", at[0].File, at[0].Line, at[0].Column)
		}
	}
	return out.String()
}

// A stack that a script read is mapped already: its first line is no frame.
func isMapped(stack string) bool { return !strings.HasPrefix(strings.TrimLeft(stack, " "), "at ") }

func parseMapped(stack string) []trace.Frame {
	var out []trace.Frame
	for line := range strings.Lines(stack) {
		m := frameLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		l, _ := strconv.Atoi(m[3])
		c, _ := strconv.Atoi(m[4])
		out = append(out, trace.Frame{Func: clip(wellFormed(m[1]), faultName), File: clip(wellFormed(m[2]), faultName), Line: l, Column: c})
		if len(out) == faultFrames {
			break
		}
	}
	return out
}

// lineRoom is how much of a line is read on each side of a column, in bytes.
const lineRoom = 400

// index is where a line of the Worker's code begins and where a column of it
// is, in bytes from the code's and from the line's beginning. Lines and columns
// are from 1; -1 without that line.
func (s *stacks) index(line, column int) (start, at int) {
	s.split.Do(func() {
		s.starts = append(s.starts, 0)
		for i := range len(s.worker.Code) {
			if s.worker.Code[i] == '\n' {
				s.starts = append(s.starts, i+1)
			}
		}
	})
	if line < 1 || line > len(s.starts) || column < 1 {
		return -1, -1
	}
	start = s.starts[line-1]
	text := s.worker.Code[start:]
	// Columns count characters. Cutting inside one leaves bytes that are no text.
	for i, c := range text {
		if column--; column == 0 || c == '\n' {
			return start, i
		}
	}
	return start, len(text)
}

// Bounds of the search for the call that a position lies in.
const (
	callRoom  = 2 << 10 // bytes before the position
	callTries = 8       // calls that end before it
)

// consoleCall moves a position of the Worker's code that lies in a call of one
// of console's methods to that method's name, and leaves every other one: the
// engine counts a call to the last of its arguments.
func (s *stacks) consoleCall(line, column int) (int, int) {
	const console = "console."
	code := s.worker.Code
	start, at := s.index(line, column)
	if start < 0 {
		return line, column
	}
	at += start
	for end, tries := min(at+len(console), len(code)), 0; tries < callTries; tries++ {
		from := max(0, at-callRoom)
		i := strings.LastIndex(code[from:max(from, end)], console)
		if i < 0 {
			break
		}
		i += from
		name := i + len(console)
		open := name
		for open < len(code) && 'a' <= code[open]|0x20 && code[open]|0x20 <= 'z' {
			open++
		}
		if open < len(code) && open > name && code[open] == '(' && closes(code, open, at) >= at {
			l, c := line-strings.Count(code[name:max(name, start)], "\n"), 1
			for _, r := range code[s.starts[l-1]:name] {
				c += utf16.RuneLen(r) // what source maps count
			}
			return l, c
		}
		end = i
	}
	return line, column
}

// closes is the index of the bracket that closes the one at i, but no more
// than to, up to which it reads.
func closes(code string, i, to int) int {
	depth, quote := 0, byte(0)
	for ; i < to; i++ {
		switch c := code[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return to
}

// line is the text around a line and column of the Worker's code, both from 1,
// and the column's index in it, from 0.
func (s *stacks) line(line, column int) (string, int) {
	start, at := s.index(line, column)
	if start < 0 {
		return "", 0
	}
	text := s.worker.Code[start:]
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	from, to := max(0, at-lineRoom), min(len(text), at+lineRoom)
	before := wellFormed(text[from:at])
	return before + wellFormed(text[at:to]), len(utf16.Encode([]rune(before)))
}

func stackOps(o *isolate.Ops) {
	// source.line: line, column of the engine → [text around it, index in the text]
	o.AddLast("source.line", always, func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w, ok := h.Owner().(*Worker)
		if !ok {
			return []any{"", 0.0}, nil
		}
		text, at := w.stacks.line(integer(args, 0), integer(args, 1))
		return []any{text, float64(at)}, nil
	})
	// stack.map: the engine's stack, the error's class → the learner's frames as V8 writes them
	o.AddLast("stack.map", always, func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		var b strings.Builder
		for _, f := range of(h).stacks.frames(str(args, 0), str(args, 1)) {
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			if f.Func != "" {
				fmt.Fprintf(&b, "    at %s (%s:%d:%d)", f.Func, f.File, f.Line, f.Column)
			} else {
				fmt.Fprintf(&b, "    at %s:%d:%d", f.File, f.Line, f.Column)
			}
		}
		return b.String(), nil
	})
}
