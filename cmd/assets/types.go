package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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
	return nil
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
