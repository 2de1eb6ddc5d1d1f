package bundle

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"coldstart/sandbox/trace"
)

// tsconfigs bounds the files that one tsconfig.json is put together from: lists
// of lists could name the same few for ever.
const tsconfigs = 32

// compilerOptions are the few compiler options that change what code does, and
// the names given to files, of a tsconfig.json and what it extends.
type compilerOptions struct {
	keep  map[string]any // what esbuild reads
	base  string         // baseUrl, from the project's root
	bare  bool           // baseUrl is written
	paths *node          // "paths", nil when not written
	dir   string         // of the file that "paths" is in
	files int            // read so far
}

// tsconfig reads the nearest tsconfig.json and what it extends. What does not
// change what code does is for editors.
func (b *builder) tsconfig(dir string) (string, aliases, *trace.Fault) {
	name := path.Join(dir, "tsconfig.json")
	_, ok := b.project.Files[name]
	if !ok && dir != "" {
		name = "tsconfig.json"
		_, ok = b.project.Files[name]
	}
	if !ok {
		return "{}", aliases{}, nil
	}
	o := compilerOptions{keep: map[string]any{}}
	if f := b.readTsconfig(name, nil, &o); f != nil {
		return "", aliases{}, f
	}
	text, err := json.Marshal(map[string]any{"compilerOptions": o.keep})
	if err != nil {
		return "{}", aliases{}, nil
	}
	return string(text), o.aliases(), nil
}

// readTsconfig adds a file's options to o, after those of the files that it
// extends. within are the files that extend this one.
func (b *builder) readTsconfig(name string, within []string, o *compilerOptions) *trace.Fault {
	root, f := b.parseJSONC(name, b.project.Files[name])
	if f != nil {
		return f
	}
	o.files++
	within = append(slices.Clip(within), name)
	for _, n := range extended(root) {
		spec := n.value.(string)
		base, ok := b.baseTsconfig(name, spec)
		switch {
		case !ok:
			line, column := position(string(b.project.Files[name]), n.at)
			b.warn(trace.Warning{
				Message: fmt.Sprintf("The options of %q do not count: there is no such file in this project.", spec),
				Hint:    "Check the path; packages of options are for editors.",
				Frame:   trace.Frame{File: name, Line: line, Column: column},
			})
			continue
		case slices.Contains(within, base):
			return b.configFault(name, n.at, fmt.Sprintf("%s extends itself.", base), `Remove one "extends" of the circle.`)
		case o.files >= tsconfigs:
			return b.configFault(name, n.at, fmt.Sprintf("This tsconfig.json extends more than %d files.", tsconfigs), "Write the options in one file.")
		}
		if f := b.readTsconfig(base, within, o); f != nil {
			return f
		}
	}
	options, _ := root.get("compilerOptions")
	for _, key := range []string{"jsx", "jsxFactory", "jsxFragmentFactory", "jsxImportSource"} {
		if v, ok := options.get(key); ok && v.kind == kindString {
			o.keep[key] = v.value
		}
	}
	for _, key := range []string{"experimentalDecorators", "useDefineForClassFields", "verbatimModuleSyntax"} {
		if v, ok := options.get(key); ok && v.kind == kindBool {
			o.keep[key] = v.value
		}
	}
	dir := strings.TrimPrefix(path.Dir(name), ".")
	if v, ok := options.get("baseUrl"); ok && v.kind == kindString {
		o.base, o.bare = path.Join(dir, v.value.(string)), true
	}
	if v, ok := options.get("paths"); ok {
		o.paths, o.dir = v, dir
	}
	return nil
}

// extended are the texts of "extends", which is one or a list.
func extended(root *node) []*node {
	n, ok := root.get("extends")
	if !ok {
		return nil
	}
	all := []*node{n}
	if n.kind == kindList {
		all = n.items
	}
	return slices.DeleteFunc(slices.Clone(all), func(n *node) bool { return n.kind != kindString })
}

// baseTsconfig is the file of the project that spec in the file name means.
func (b *builder) baseTsconfig(name, spec string) (string, bool) {
	if !strings.HasPrefix(spec, "./") && !strings.HasPrefix(spec, "../") {
		return "", false
	}
	base := path.Join(path.Dir(name), spec)
	for _, file := range []string{base, base + ".json"} {
		if _, ok := b.project.Files[file]; ok {
			return file, true
		}
	}
	return "", false
}
