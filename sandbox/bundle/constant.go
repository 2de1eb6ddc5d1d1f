package bundle

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// assigned is what stands in front of a constant that is assigned: an object
// nothing can be added to, so that the assignment throws where it is written.
// The bootstrap knows the name and says what V8 says.
const (
	assigned     = "__coldstart_constant()."
	assignedMade = "\nfunction __coldstart_constant() { return Object.freeze({}); }\n"
)

var constantAssigned = regexp.MustCompile(`^Cannot assign to "([^"]+)" because it is a constant$`)

// place is where a name stands in a file, in bytes.
type place struct{ offset, length int }

// assignLater has assignments to constants thrown when they run, as an engine
// does, where a bundler refuses the whole file. It reports whether the build is
// worth another try: there was nothing else wrong, and no file is TypeScript,
// which no engine runs as it is.
func (r *resolver) assignLater(errs []api.Message) bool {
	found := map[string][]place{}
	for _, m := range errs {
		g := constantAssigned.FindStringSubmatch(m.Text)
		frame, ok := r.b.frame(m.Location)
		if g == nil || !ok || path.Ext(frame.File) != ".js" && path.Ext(frame.File) != ".mjs" {
			return false
		}
		source := string(r.b.project.Files[frame.File])
		start := 0
		for range m.Location.Line - 1 {
			start += strings.IndexByte(source[start:], '\n') + 1
		}
		at := place{start + m.Location.Column, len(g[1])}
		if at.offset+at.length > len(source) || source[at.offset:at.offset+at.length] != g[1] {
			return false
		}
		found[frame.File] = append(found[frame.File], at)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.constants = found
	return len(found) > 0
}

// withAssigned is a file's text for the second try.
func (r *resolver) withAssigned(name, source string) string {
	r.mu.Lock()
	places := slices.Clone(r.constants[name])
	r.mu.Unlock()
	if len(places) == 0 {
		return source
	}
	slices.SortFunc(places, func(a, b place) int { return b.offset - a.offset })
	for _, p := range places {
		source = source[:p.offset] + assigned + source[p.offset:]
	}
	return source + assignedMade
}

var (
	moduleSyntax  = regexp.MustCompile(`(?m)^\s*(?:import|export)\b`)
	typeofRequire = regexp.MustCompile(`\btypeof require\b`)
)

// noRequire has a module ask in vain whether there is a require, as it does in
// an engine: the bundler would answer with its own.
func noRequire(source string) string {
	if !strings.Contains(source, "typeof require") || !moduleSyntax.MatchString(source) {
		return source
	}
	return typeofRequire.ReplaceAllString(source, "typeof void  0") // as long as it was
}
