package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"coldstart/sandbox/bundle"
)

// types packs what the editor's TypeScript service knows, as one JSON object
// from virtual path to text: the language's own library (no DOM) and the
// Workers types. Comments are left out: they are more than half of it.
func (b builder) types(out *assets) error {
	files := map[string]string{}
	lib := b.web("node_modules", "typescript", "lib")
	if err := libraries(lib, "lib.es2023.d.ts", files); err != nil {
		return err
	}
	workers, err := os.ReadFile(b.web("node_modules", "@cloudflare", "workers-types", "index.d.ts"))
	if err != nil {
		return err
	}
	files["/node_modules/@cloudflare/workers-types/index.d.ts"] = stripComments(string(workers))
	data, err := json.Marshal(files)
	if err != nil {
		return err
	}
	out.add("types.json", data)
	return b.shelfTypes(out)
}

// shelfTypes packs the declarations of each package on the shelf for itself:
// an editor takes only those that its project imports.
func (b builder) shelfTypes(out *assets) error {
	for _, p := range bundle.ShelfNames() {
		files, err := b.packageTypes(p)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		data, err := json.Marshal(files)
		if err != nil {
			return err
		}
		out.add("types-"+p+".json", data)
	}
	return nil
}

var declaration = regexp.MustCompile(`\.d\.[cm]?ts$`)

// packageTypes is a package's manifest, as far as types are looked up in it,
// and its declarations. What comes without them has ours in web/client/shelf.
func (b builder) packageTypes(name string) (map[string]string, error) {
	root, at := b.web("node_modules", name), "/node_modules/"+name
	files := map[string]string{}
	if own, err := os.ReadFile(b.web("client", "shelf", name+".d.ts")); err == nil {
		files[at+"/package.json"] = fmt.Sprintf(`{"name":%q,"types":"index.d.ts"}`, name)
		files[at+"/index.d.ts"] = stripComments(string(own))
		return files, nil
	}
	data, err := os.ReadFile(filepath.Join(root, "package.json"))
	if err != nil {
		return nil, err
	}
	manifest := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &manifest); err != nil {
		return nil, err
	}
	for key := range manifest {
		if !slices.Contains([]string{"name", "version", "type", "types", "typesVersions", "exports", "main", "module"}, key) {
			delete(manifest, key)
		}
	}
	if data, err = json.Marshal(manifest); err != nil {
		return nil, err
	}
	files[at+"/package.json"] = string(data)
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !declaration.MatchString(file) {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		files[at+"/"+filepath.ToSlash(rel)] = stripComments(string(text))
		return nil
	})
	if err == nil && len(files) == 1 {
		err = fmt.Errorf("has no types; write web/client/shelf/%s.d.ts", name)
	}
	return files, err
}

var libraryReference = regexp.MustCompile(`/// <reference lib="([^"]+)" />`)

// libraries reads a library file of TypeScript and those it refers to.
func libraries(dir, name string, files map[string]string) error {
	if _, ok := files["/"+name]; ok {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	var refs strings.Builder
	files["/"+name] = ""
	for _, m := range libraryReference.FindAllStringSubmatch(string(data), -1) {
		refs.WriteString(m[0] + "\n")
		if err := libraries(dir, "lib."+m[1]+".d.ts", files); err != nil {
			return err
		}
	}
	files["/"+name] = refs.String() + stripComments(string(data))
	return nil
}

// stripComments removes // and /* */ comments and blank lines from a
// declaration file. Strings and template types keep what looks like one.
func stripComments(src string) string {
	var out strings.Builder
	for i := 0; i < len(src); {
		switch c := src[i]; {
		case strings.HasPrefix(src[i:], "//"):
			i += strings.IndexByte(src[i:]+"\n", '\n')
		case strings.HasPrefix(src[i:], "/*"):
			end := strings.Index(src[i+2:], "*/")
			if end < 0 {
				return collapse(out.String())
			}
			i += end + 4
		case c == '"' || c == '\'' || c == '`':
			end := i + 1
			for end < len(src) && src[end] != c {
				if src[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(src))
			out.WriteString(src[i:end])
			i = end
		default:
			out.WriteByte(c)
			i++
		}
	}
	return collapse(out.String())
}

var blank = regexp.MustCompile(`[ \t\r]*\n\s*`)

// collapse drops blank lines and indentation: no line of a declaration depends on them.
func collapse(s string) string {
	return strings.TrimSpace(blank.ReplaceAllString(s, "\n")) + "\n"
}
