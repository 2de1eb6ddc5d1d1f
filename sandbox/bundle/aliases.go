package bundle

import (
	"path"
	"strings"
)

// aliases are the names that a tsconfig.json gives to files of the project, as
// TypeScript reads "paths" and "baseUrl".
type aliases struct {
	base  string // folder that targets start in
	bare  bool   // baseUrl is written: names without ./ are looked for in base
	paths []alias
}

type alias struct {
	before, after string // around the one *
	star          bool
	targets       []string
}

// aliases are the names that options give to files: in baseUrl, or else beside
// the file that names them. What is not of the right type is left to the
// learner's editor.
func (o *compilerOptions) aliases() aliases {
	a := aliases{base: o.dir}
	if o.bare {
		a.base, a.bare = o.base, true
	}
	if o.paths == nil {
		return a
	}
	for _, m := range o.paths.members {
		var p alias
		p.before, p.after, p.star = strings.Cut(m.key, "*")
		for _, target := range m.node.items {
			if target.kind == kindString {
				p.targets = append(p.targets, target.value.(string))
			}
		}
		a.paths = append(a.paths, p)
	}
	return a
}

// find gives the file that spec names, by its exact name or else by the pattern
// with the longest beginning. When there is no such file, missed is what was
// looked for first; it is empty when nothing but a catch-all is about spec.
func (a aliases) find(spec string, exists func(string) bool) (file, missed string) {
	best, middle := alias{}, ""
	found := false
	for _, p := range a.paths {
		switch {
		case !p.star && p.before == spec:
			best, middle, found = p, "", true
		case p.star && (!found || best.star && len(p.before) > len(best.before)) &&
			len(spec) >= len(p.before)+len(p.after) && strings.HasPrefix(spec, p.before) && strings.HasSuffix(spec, p.after):
			best, middle, found = p, spec[len(p.before):len(spec)-len(p.after)], true
		}
	}
	targets := best.targets
	if !found && a.bare {
		targets = []string{spec}
	}
	for _, target := range targets {
		name := path.Join(a.base, strings.Replace(target, "*", middle, 1))
		if file, ok := findFile(name, exists); ok {
			return file, ""
		}
		if missed == "" && found && best.before != "" {
			missed = name
		}
	}
	return "", missed
}
