package webapi

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"coldstart/sandbox/trace"
)

// missingExport is how the engine refuses an import of a name that a module of
// the platform does not export.
var missingExport = regexp.MustCompile(`^Could not find export '([\w$]{1,100})' in module '((?:node|cloudflare):[\w/]+)'$`)

// link says a missing export in plain words and puts it where the Worker's
// code imports it, which the engine tells neither of.
func (s *stacks) link(f *trace.Fault) {
	m := missingExport.FindStringSubmatch(f.Message)
	if m == nil || len(f.Frames) > 0 {
		return
	}
	f.Message = fmt.Sprintf("The module %q has no export named %q here.", m[2], m[1])
	f.Hint = "Check the name; not everything of Node is here."
	if strings.HasPrefix(m[2], "cloudflare:") {
		f.Hint = "Check the name: " + m[2] + " gives what its documentation lists."
	}
	module := strings.TrimPrefix(m[2], "node:")
	statement := regexp.MustCompile(`(?:import|export)\b[^;"'()]*[{,]\s*(` + regexp.QuoteMeta(m[1]) + `)\b[^;"'()]*\bfrom\s*["'](?:node:|cloudflare:)?` + regexp.QuoteMeta(strings.TrimPrefix(module, "cloudflare:")) + `["']`)
	for _, file := range slices.Sorted(maps.Keys(s.worker.Sources)) {
		src := s.worker.Sources[file]
		at := statement.FindStringSubmatchIndex(src)
		if at == nil {
			continue
		}
		start := strings.LastIndexByte(src[:at[2]], '\n') + 1
		f.Frames = []trace.Frame{{File: file, Line: 1 + strings.Count(src[:start], "\n"), Column: trace.UTF16Column(src[start:], at[2]-start)}}
		f.Code = s.code(f.Frames[0])
		return
	}
}
