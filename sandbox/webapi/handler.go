package webapi

import (
	"regexp"
	"strings"
	"unicode/utf16"

	"coldstart/sandbox/trace"
)

// fetchMethod is a fetch handler where one is declared: after the start of a
// line, a brace or a comma, so that calls of fetch are not meant.
var fetchMethod = regexp.MustCompile(`(?m)(?:^|[{,])\s*(?:async\s+)?(fetch)\s*[(:,}]`)

// usedBody is what is said of a Response whose body was read before it was
// returned, which no line of the program throws.
const usedBody = "Body has already been used."

// placeHandler puts a fault of the handlers, which no stack tells the place of,
// where the entry file declares fetch, or exports no such handler, or begins.
func (w *Worker) placeHandler(f *trace.Fault) {
	file := w.cfg.Worker.Main
	source := w.cfg.Worker.Sources[file]
	from := strings.Index(source, "export default")
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
	case from < 0 || !strings.Contains(f.Message, "Handler does not export"):
		return
	}
	line := 1 + strings.Count(source[:at], "\n")
	column := 1 + len(utf16.Encode([]rune(source[strings.LastIndexByte(source[:at], '\n')+1:at])))
	f.Frames = []trace.Frame{{Func: method, File: file, Line: line, Column: column}}
	f.Code = trace.CodeFrame(source, line, column)
}
