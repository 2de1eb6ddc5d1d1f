package webapi

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"coldstart/sandbox/trace"
)

// fetchMethod is a fetch handler where one is declared: after the start of a
// line, a brace or a comma, so that calls of fetch are not meant.
var fetchMethod = regexp.MustCompile(`(?m)(?:^|[{,])\s*(?:async\s+)?(fetch)\s*[(:,}]`)

// What a Worker in service-worker syntax listens and answers with, outside of comments.
var (
	fetchListener = regexp.MustCompile("(?m)^[^/*\\n]*\\b(addEventListener)\\s*\\(\\s*[\"'`]fetch[\"'`]")
	anyListener   = regexp.MustCompile(`(?m)^[^/*\n]*\b(addEventListener)\s*\(`)
	respondsWith  = regexp.MustCompile(`(?m)^[^/*\n]*\b(respondWith)\s*\(`)
)

// placeListener puts a fault of a Worker in service-worker syntax where it
// answers, or listens, or else at its first listener.
func (w *Worker) placeListener(f *trace.Fault) {
	patterns := []*regexp.Regexp{fetchListener, anyListener}
	if strings.Contains(f.Message, "fetch handler") || strings.HasPrefix(f.Message, usedBody) {
		patterns = slices.Insert(patterns, 0, respondsWith)
	}
	files := slices.Concat([]string{w.cfg.Worker.Main}, slices.Sorted(maps.Keys(w.cfg.Worker.Sources)))
	for _, pattern := range patterns {
		for _, file := range files {
			if at := pattern.FindStringSubmatchIndex(w.cfg.Worker.Sources[file]); at != nil {
				f.Frames = []trace.Frame{frameAt(file, w.cfg.Worker.Sources[file], at[2])}
				f.Code = w.stacks.code(f.Frames[0])
				return
			}
		}
	}
}

// usedBody is what is said of a Response whose body was read before it was
// returned, which no line of the program throws.
const usedBody = "Body has already been used."

// declared finds where a class or an object that is no default export has its name.
func (w *Worker) declared(name string) (file string, at int) {
	class := regexp.MustCompile(`(?m)^[ \t]*(?:export[ \t]+)?(?:class|const|let|var)[ \t]+(` + regexp.QuoteMeta(name) + `)\b`)
	files := slices.Sorted(maps.Keys(w.cfg.Worker.Sources))
	for _, file := range slices.Concat([]string{w.cfg.Worker.Main}, files) {
		if m := class.FindStringSubmatchIndex(w.cfg.Worker.Sources[file]); m != nil {
			return file, m[2]
		}
	}
	return "", -1
}

// placeHandler puts a fault of the handlers, which no stack tells the place of,
// where the entry file declares fetch, or exports no such handler, or begins; for
// a named entrypoint or the class of a Durable Object, where that is declared.
func (w *Worker) placeHandler(f *trace.Fault, entrypoint string) {
	if w.cfg.Worker.Classic {
		w.placeListener(f)
		return
	}
	file := w.cfg.Worker.Main
	from := strings.Index(w.cfg.Worker.Sources[file], "export default")
	if entrypoint != "" && entrypoint != "default" {
		if file, from = w.declared(entrypoint); from < 0 {
			return
		}
	}
	source := w.cfg.Worker.Sources[file]
	at, method := from, ""
	switch {
	case strings.Contains(f.Message, "fetch handler") || strings.HasPrefix(f.Message, usedBody):
		from = max(from, 0)
		m := fetchMethod.FindStringSubmatchIndex(source[from:])
		if m == nil {
			return
		}
		at, method = from+m[2], "fetch"
	case strings.Contains(f.Message, "no default export") && source != "":
		at = 0
	case from < 0 || !strings.Contains(f.Message, "Handler does not export") && !strings.HasSuffix(f.Message, "has no fetch method."):
		return
	}
	line := 1 + strings.Count(source[:at], "\n")
	column := 1 + len(utf16.Encode([]rune(source[strings.LastIndexByte(source[:at], '\n')+1:at])))
	f.Frames = []trace.Frame{{Func: method, File: file, Line: line, Column: column}}
	f.Code = trace.CodeFrame(source, line, column)
}
