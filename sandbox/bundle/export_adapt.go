package bundle

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// dialectParts are the files that an adapter imports, or that stand in for a vendor's package.
var dialectParts = map[string][]string{
	"express": {"listen"}, "gcf": {"functions", "firebase"}, "azure": {"azure-functions"},
}

// adapt lays the adapter beside a Worker that was written for another cloud. It
// gives the adapter's entry file and what the vendor's package names mean, both
// as seen from the Worker's folder; "" for a Worker that needs none.
func adapt(b *builder, files map[string][]byte, c *config) (main string, aliases map[string]string) {
	entry, f := b.entry(c)
	if f != nil {
		return "", nil
	}
	dialect, f := b.chooseDialect(c, entry)
	if f != nil || dialect == "" {
		return "", nil
	}
	parts := dialectParts[dialect]
	for _, name := range append([]string{dialect}, parts...) {
		file := path.Join(c.dir, "adapter", name+".ts")
		files[file] = []byte(strings.NewReplacer(
			`"coldstart:entry"`, quoteJS(strings.TrimSuffix(relativeImport(file, entry), ".ts")),
			`"coldstart:listen"`, `"./listen"`,
			`"coldstart:functions"`, `"./functions"`,
		).Replace(AdapterSource(name)))
	}
	for spec, part := range adapterModules {
		for _, p := range parts {
			if p == part {
				if aliases == nil {
					aliases = map[string]string{}
				}
				aliases[spec] = "./adapter/" + part + ".ts"
			}
		}
	}
	return "adapter/" + dialect + ".ts", aliases
}

var (
	jsonMain    = regexp.MustCompile(`"main"\s*:\s*"((?:[^"\\]|\\.)*)"`)
	jsonDialect = regexp.MustCompile(`"dialect"\s*:\s*"([a-z]+)"\s*,?`)
	jsonAlias   = regexp.MustCompile(`"alias"\s*:\s*\{`)
	tomlMain    = regexp.MustCompile(`(?m)^[ \t]*main[ \t]*=[ \t]*["']([^"'\n]*)["'].*$`)
	tomlDialect = regexp.MustCompile(`(?m)^[ \t]*dialect[ \t]*=[ \t]*["']([a-z]+)["'].*\n?`)
	tomlAlias   = regexp.MustCompile(`(?m)^[ \t]*\[alias\].*$`)
)

// adaptConfig adapts the Worker of one wrangler file. The file loses our
// "dialect" key and names the adapter; everything else in it stays as it is.
func (d *exportData) adaptConfig(b *builder, files map[string][]byte, name string) {
	text := string(files[name])
	mainKey, dialectKey, aliasKey, isTOML := jsonMain, jsonDialect, jsonAlias, strings.HasSuffix(name, ".toml")
	if isTOML {
		mainKey, dialectKey, aliasKey = tomlMain, tomlDialect, tomlAlias
	}
	// find looks outside comments. The blanked text has the same offsets.
	find := func(key *regexp.Regexp) []int {
		if isTOML {
			return key.FindStringSubmatchIndex(text)
		}
		return key.FindStringSubmatchIndex(withoutComments(text))
	}
	c := &config{file: name, dir: strings.TrimPrefix(path.Dir(name), ".")}
	if m := find(mainKey); m != nil {
		c.Main = text[m[2]:m[3]]
	}
	if m := find(dialectKey); m != nil {
		c.dialect = text[m[2]:m[3]]
		text = text[:m[0]] + strings.TrimLeft(text[m[1]:], " \t\r\n")
	}
	main, aliases := adapt(b, files, c)
	if main == "" {
		files[name] = []byte(text)
		return
	}
	d.Adapters = append(d.Adapters, path.Join(c.dir, main))
	set, assign, list := quoteJS("main")+": "+quoteJS(main), ": ", ""
	if isTOML {
		set, assign = "main = "+quoteJS(main), " = "
	}
	for _, spec := range keys(aliases) {
		separator := ", "
		if isTOML {
			separator = "\n"
		}
		list += quoteJS(spec) + assign + quoteJS(aliases[spec]) + separator
	}
	insert := func(at int, s string) { text = text[:at] + s + text[at:] }
	switch m := find(aliasKey); {
	case list == "":
	case m != nil && isTOML:
		insert(m[1], "\n"+strings.TrimSuffix(list, "\n"))
	case m != nil:
		insert(m[1], list)
	case isTOML:
		text = strings.TrimRight(text, "\n") + "\n\n[alias]\n" + list
	default:
		set += fmt.Sprintf(",\n  \"alias\": { %s }", strings.TrimSuffix(list, ", "))
	}
	switch m := find(mainKey); {
	case m != nil:
		text = text[:m[0]] + set + text[m[1]:]
	case isTOML:
		text = set + "\n" + text
	default:
		if at := strings.IndexByte(withoutComments(text), '{'); at >= 0 {
			insert(at+1, "\n  "+set+",")
		}
	}
	files[name] = []byte(text)
}
