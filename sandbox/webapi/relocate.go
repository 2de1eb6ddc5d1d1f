package webapi

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
)

// The engine has no position for taking a value apart: the last one before it
// is reported, which may lie lines above. takenApart and notIterable say what
// was taken apart, in V8's words.
var (
	takenApart  = regexp.MustCompile(`^Cannot destructure property '([^']{1,100})' of '(.{1,200})' as it is (?:undefined|null)\.$`)
	notIterable = regexp.MustCompile(`^(\(intermediate value\))?([\w$.]{1,200})(?:\(\.\.\.\))? is not iterable`)
	calledClass = regexp.MustCompile(`^Class constructor ([\w$]+) cannot be invoked without 'new'$`)
)

// relocateRoom is how many bytes behind or before a position are searched.
const relocateRoom = 4 << 10

// relocate moves the first frame of a fault to what its message speaks of,
// where the engine counts that to another place.
func (s *stacks) relocate(f *trace.Fault) {
	if len(f.Frames) == 0 || f.Name != "TypeError" {
		return
	}
	at := &f.Frames[0]
	src := s.worker.Sources[at.File]
	from := offset(src, at.Line, at.Column)
	if from < 0 {
		return
	}
	behind := src[from:min(len(src), from+relocateRoom)]
	to := -1
	if m := takenApart.FindStringSubmatch(f.Message); m != nil {
		name := `[{,]\s*(` + regexp.QuoteMeta(m[1]) + `)\b[^;{}()]*(?:\{[^{}]*\}[^;{}()]*)*\}`
		for _, pattern := range []string{
			name + `\s*(?::[^=;]+)?=\s*` + regexp.QuoteMeta(m[2]),
			name + `\s*(?::[^=;]+)?=[^=>]`,
			`\(\s*` + name,
		} {
			if g := regexp.MustCompile(pattern).FindStringSubmatchIndex(behind); g != nil {
				to = g[2]
				break
			}
		}
	} else if m := notIterable.FindStringSubmatch(f.Message); m != nil {
		line, _, _ := strings.Cut(behind, "\n")
		if before := src[strings.LastIndexByte(src[:from], '\n')+1 : from]; strings.Contains(before+line, m[2]) {
			return
		}
		inner := ""
		if m[1] != "" {
			inner = `\([^;\n]*\)`
		}
		if g := regexp.MustCompile(`(?:=\s*|\bof\s+|\.\.\.)(` + inner + regexp.QuoteMeta(m[2]) + `)\b`).FindStringSubmatchIndex(behind); g != nil {
			to = g[2]
		}
	} else if m := calledClass.FindStringSubmatch(f.Message); m != nil && len(f.Frames) > 1 && at.Func == m[1] {
		f.Frames = f.Frames[1:] // the mistake is at the call
		f.Code = s.code(f.Frames[0])
		return
	}
	if to < 0 {
		return
	}
	fn := at.Func
	*at = frameAt(at.File, src, from+to)
	at.Func = fn
	f.Code = s.code(*at)
}

// offset is the index in src of a line and column, -1 without that line.
func offset(src string, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(src[at:], '\n')
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	units := 1
	for i, c := range src[at:] {
		if c == '\n' || units >= column {
			return at + i
		}
		units++
		if c > 0xffff {
			units++
		}
	}
	return len(src)
}

// frameAt is the place of an index in a source.
func frameAt(file, src string, at int) trace.Frame {
	start := strings.LastIndexByte(src[:at], '\n') + 1
	return trace.Frame{File: file, Line: 1 + strings.Count(src[:start], "\n"), Column: trace.UTF16Column(src[start:], at-start)}
}

// literal finds what may be a regular expression in a source: what looks like one
// and begins where a value may. Comments and texts are read as a whole.
var literal = regexp.MustCompile("(?s)//[^\n]*|/\\*.*?(?:\\*/|$)|\"(?:\\\\.|[^\"\\\\\n])*\"|'(?:\\\\.|[^'\\\\\n])*'|`(?:\\\\.|[^`\\\\])*`|" +
	`(?:[(,=:\[!&|?{};+*%~^<>-]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)\b)\s*/((?:\\[^\n]|\[(?:\\[^\n]|[^\]\\\n])*\]|[^/*\\\[\n])(?:\\[^\n]|\[(?:\\[^\n]|[^\]\\\n])*\]|[^/\\\[\n])*)/([a-z]*)`)

// Bounds of the search for a regular expression that cannot be read.
const (
	literalsRoom = 256 << 10
	literalsMax  = 500
)

// refusedPattern says which regular expression of the Worker's code the engine
// could not read: it tells why, and neither which nor where. The isolate has run
// nothing of the code. Nil when err is about something else.
func (w *Worker) refusedPattern(iso isolate.Isolate, err *isolate.Exception) *trace.Fault {
	if err.Name != "SyntaxError" || len(w.stacks.frames(err.Stack, "")) > 0 {
		return nil
	}
	room, tries := literalsRoom, literalsMax
	for _, file := range slices.Sorted(maps.Keys(w.cfg.Worker.Sources)) {
		src := w.cfg.Worker.Sources[file]
		if room -= len(src); room < 0 {
			return nil
		}
		for _, m := range literal.FindAllStringSubmatchIndex(src, -1) {
			if m[2] < 0 {
				continue
			}
			if tries--; tries < 0 {
				return nil
			}
			pattern, flags := src[m[2]:m[3]], src[m[4]:m[5]]
			said, fail := iso.Call("pattern", pattern, flags)
			if fail != nil {
				return nil
			}
			why, _ := said.(string)
			engines, why, ok := strings.Cut(why, "\n")
			if !ok || engines != err.Message {
				continue
			}
			f := &trace.Fault{
				Kind: trace.FaultStartup, Name: "SyntaxError", Frames: []trace.Frame{frameAt(file, src, m[2]-1)},
				Message: clip(fmt.Sprintf("Invalid regular expression: /%s/%s: %s", pattern, flags, why), faultText),
			}
			f.Code, f.Hint = w.stacks.code(f.Frames[0]), hint(f)
			return f
		}
	}
	return nil
}

// promiseOf is what gives a promise in these programs, as it is written behind an equals sign.
const promiseOf = `(?:[\w$]+\.(?:json|text|formData|arrayBuffer|blob|bytes)|fetch|(?:this\.)?env\.[\w$]+\.(?:get|getWithMetadata|put|list|head|fetch)|caches\.default\.match|[\w$.]+\.(?:all|first|raw|run))\(`

var beforeDot = regexp.MustCompile(`([A-Za-z_$][\w$]*)(?:\??\.[A-Za-z_$][\w$]*)*\(?$`)

// missingAwait finds the promise that a program took for its value: at the place
// of a TypeError a variable is used that was given a promise above. It says what
// to do, "" when there is nothing of the kind.
func (s *stacks) missingAwait(f *trace.Fault) string {
	if f.Name != "TypeError" || len(f.Frames) == 0 || !strings.HasPrefix(f.Message, "Cannot read properties of undefined") && !strings.HasSuffix(f.Message, "is not a function") && !strings.Contains(f.Message, "is not iterable") {
		return ""
	}
	at := f.Frames[0]
	src := s.worker.Sources[at.File]
	from := offset(src, at.Line, at.Column)
	if from < 0 {
		return ""
	}
	end := from
	for end < len(src) && isName(src[end]) {
		end++
	}
	m := beforeDot.FindStringSubmatch(src[strings.LastIndexByte(src[:from], '\n')+1 : end])
	if m == nil {
		return ""
	}
	declared := regexp.MustCompile(`\b(?:const|let|var)\s+` + regexp.QuoteMeta(m[1]) + `(?:\s*:[^=\n]+)?\s*=\s*(?:(` + promiseOf + `)|([A-Za-z_$][\w$]*)\()`)
	begin := max(0, from-relocateRoom)
	all := declared.FindAllStringSubmatchIndex(src[begin:from], -1)
	if all == nil {
		return ""
	}
	last := all[len(all)-1]
	line := 1 + strings.Count(src[:begin+last[0]], "\n")
	text := ""
	if last[2] >= 0 {
		text = src[begin+last[2] : begin+last[3]]
	} else {
		name := src[begin+last[4] : begin+last[5]]
		if !regexp.MustCompile(`\basync\s+function\s+` + regexp.QuoteMeta(name) + `\b|\b` + regexp.QuoteMeta(name) + `\s*=\s*async\b`).MatchString(src) {
			return ""
		}
		text = name + "("
	}
	return fmt.Sprintf("%s is a promise: write await before %s…) in line %d.", m[1], text, line)
}

func isName(c byte) bool {
	return c == '_' || c == '$' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

var (
	shouted = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	fromEnv = regexp.MustCompile(`^Cannot read properties of undefined \(reading '([A-Za-z_$][\w$]*)'\)$`)
)

// inListener says what to do where a Worker in service-worker syntax takes what
// only the handlers of modules are given.
func (s *stacks) inListener(f *trace.Fault) string {
	if !s.worker.Classic {
		return ""
	}
	if m := fromEnv.FindStringSubmatch(f.Message); m != nil && regexp.MustCompile(`(?m)^> .*\benv\s*\??\.\s*`+regexp.QuoteMeta(m[1])+`\b`).MatchString(f.Code) {
		return "addEventListener gives no env: here bindings are globals, write " + m[1] + "."
	}
	m := undeclared.FindStringSubmatch(f.Message)
	if m == nil || f.Name != "ReferenceError" {
		return ""
	}
	switch name := m[1]; {
	case name == "env":
		return "addEventListener gives no env: here bindings are globals, write NAME for env.NAME."
	case name == "ctx":
		return "addEventListener gives no ctx: write event.waitUntil(promise)."
	case name == "request" || name == "req":
		return "The listener gets an event: write event.request."
	case shouted.MatchString(name):
		return "Here bindings are globals: check the name " + name + " in wrangler.jsonc, or declare it."
	}
	return ""
}

var undeclared = regexp.MustCompile(`^'?([A-Za-z_$][\w$]*)'? is not defined$`)

// onlyType says what to do where a name that is only a type is used as a value.
func (s *stacks) onlyType(f *trace.Fault) string {
	m := undeclared.FindStringSubmatch(f.Message)
	if m == nil || f.Name != "ReferenceError" || len(f.Frames) == 0 {
		return ""
	}
	kind := regexp.MustCompile(`(?m)^\s*(?:export\s+)?(interface|type)\s+` + regexp.QuoteMeta(m[1]) + `\b`).FindStringSubmatch(s.worker.Sources[f.Frames[0].File])
	if kind == nil {
		return ""
	}
	return fmt.Sprintf("%s is only a type, and types are gone when the program runs: write a class, or the object itself.", m[1])
}

// thrownThing finds what a program throws, or rejects a promise with.
var thrownThing = regexp.MustCompile(`^(?:throw\b|\.?reject\s*\()\s*(new\s+([A-Za-z_$][\w$]*)|\{|\x60(?:[^\x60\\]|\\.)*\x60|"(?:[^"\\\n]|\\.)*"\s*\+|'(?:[^'\\\n]|\\.)*'\s*\+|([A-Za-z_$][\w$]*)\s*[;)\n}])`)

// thing is a place of the Worker's code that throws what is no text of its own.
type thing struct {
	at   trace.Frame
	said []string // groups of thrownThing
}

// Bounds of the search for what is thrown.
const (
	thingRoom = 500 // bytes of one
	thingsMax = 100
)

// throwsThing is where the Worker's code throws something of this kind: an
// object, a text with values in it, or what a variable holds. message is how it
// is shown. Nil unless there is one such place; see throws.
func (s *stacks) throwsThing(name, message string) *trace.Frame {
	s.looked.Do(func() {
		s.eachThrow(func(file, src string, at int) bool {
			if g := thrownThing.FindStringSubmatch(src[at:min(len(src), at+thingRoom)]); g != nil {
				if len(s.things) == thingsMax {
					s.things = nil // too many to tell
					return false
				}
				s.things = append(s.things, thing{frameAt(file, src, at), g})
			}
			return true
		})
	})
	var exact, vague []trace.Frame
	object := name != "" || strings.HasPrefix(message, "{")
	for _, t := range s.things {
		switch g := t.said; {
		case g[3] != "":
			vague = append(vague, t.at)
		case g[2] != "":
			if strings.HasPrefix(message, g[2]+" {") {
				exact = append(exact, t.at)
			}
		case g[1] == "{":
			if object {
				exact = append(exact, t.at)
			}
		case !object && saysWith(g[1], message):
			exact = append(exact, t.at)
		}
	}
	if len(exact) == 0 {
		exact = vague
	}
	if len(exact) != 1 {
		return nil
	}
	return &exact[0]
}

var value = regexp.MustCompile(`\$\{[^}]*\}`)

// saysWith reports whether a template, or the beginning of a sum of texts, can
// have become this text.
func saysWith(source, text string) bool {
	if source[0] != '`' {
		return strings.HasPrefix(text, source[1:strings.LastIndexByte(source, source[0])])
	}
	for i, part := range value.Split(source[1:len(source)-1], -1) {
		at := strings.Index(text, part)
		if at < 0 || i == 0 && at > 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return true
}

var nearlyFetch = regexp.MustCompile(`(?i)(?m)(?:^|[{,])\s*(?:async\s+)?(fetch|fetc|fecth|fech|fetsh|featch|handle|handler|onRequest|default|get|main)\s*\(\s*(?:req|request)\b`)

// nearlyFetch says which method of the entry file was probably meant to be fetch.
func (s *stacks) nearlyFetch(f *trace.Fault) string {
	if f.Kind != trace.FaultHandler || !strings.Contains(f.Message, "does not export a fetch") {
		return ""
	}
	m := nearlyFetch.FindStringSubmatch(s.worker.Sources[s.worker.Main])
	if m == nil || m[1] == "fetch" {
		return ""
	}
	return fmt.Sprintf("The method is named %s: name it fetch, in small letters.", m[1])
}
