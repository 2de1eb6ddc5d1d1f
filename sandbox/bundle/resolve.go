package bundle

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"

	"coldstart/sandbox/trace"
)

// The plugin's namespaces. Nothing is ever in esbuild's own "file" namespace,
// so that it has no reason to look at a disk.
const (
	nsProject = "project" // a learner's file, by path
	nsBytes   = "bytes"   // a learner's file as Uint8Array
	nsShelf   = "npm"     // a file of a package on the shelf
	nsNode    = "node"    // a Node module for require()
	nsAdapter = "adapter" // our adapters for other clouds
	nsMissing = "missing" // an import() of nothing: rejects when it runs
	nsWasm    = "wasm"    // a module whose default export is a .wasm file's
)

// wasmPrefix begins the specifier of a Wasm module; the engine has its bytes.
const wasmPrefix = "coldstart:wasm/"

// resolver answers esbuild's questions about one Worker's modules. esbuild
// calls it from several goroutines.
type resolver struct {
	b       *builder
	entry   string
	dialect string
	node    bool
	plain   bool // one file, no bundling
	aliases aliases

	mu     sync.Mutex
	wasm   map[string][]byte
	hooks  bool // node:async_hooks is imported
	nodes  bool // something of Node's is imported
	loaded map[string]bool
	failed *trace.Fault

	constants map[string][]place // constants that are assigned, by file
}

func (r *resolver) plugin() api.Plugin {
	return api.Plugin{Name: "coldstart", Setup: func(build api.PluginBuild) {
		build.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			return r.resolve(args), nil
		})
		build.OnLoad(api.OnLoadOptions{Filter: ".*"}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
			return r.load(args), nil
		})
	}}
}

// fault is what a file was refused for before the parser saw it.
func (r *resolver) fault() *trace.Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func refused(text, hint string) api.OnResolveResult {
	return api.OnResolveResult{Errors: []api.Message{{Text: text, Detail: hint}}}
}

func (r *resolver) resolve(args api.OnResolveArgs) api.OnResolveResult {
	if args.Kind == api.ResolveEntryPoint {
		if r.dialect != "" {
			return api.OnResolveResult{Path: r.dialect, Namespace: nsAdapter}
		}
		return api.OnResolveResult{Path: args.Path, Namespace: nsProject}
	}
	spec := args.Path
	if args.Namespace == nsProject && !isRelative(spec) {
		file, missed := r.aliases.find(spec, r.b.exists)
		if file != "" {
			return r.projectFile(file)
		}
		if name, _ := splitPackage(spec); missed != "" && !strings.Contains(spec, ":") && !nodeModules[name] && !slices.Contains(shelfPackages, name) {
			return refused(fmt.Sprintf("There is no file %s to import.", shorten(missed)), r.b.suggestImport(missed, args.Importer))
		}
	}
	if res, ok := r.resolveScheme(spec, args); ok {
		return res
	}
	if isRelative(spec) {
		if args.Namespace == nsShelf {
			return r.resolveInShelf(spec, args)
		}
		return r.resolveInProject(spec, args)
	}
	if strings.HasPrefix(spec, "/") {
		return refused(fmt.Sprintf("The import %q is an absolute path.", spec), "Start it with ./ or ../ to name a file of the project.")
	}
	return r.resolvePackage(spec, args)
}

func isRelative(spec string) bool {
	return spec == "." || spec == ".." || strings.HasPrefix(spec, "./") || strings.HasPrefix(spec, "../")
}

// insideNode are the names of Node's modules behind its modules.
var insideNode = regexp.MustCompile(`^_(http|stream|tls)_[a-z]+$`)

// resolveScheme handles specifiers with a scheme and the names of Node modules.
func (r *resolver) resolveScheme(spec string, args api.OnResolveArgs) (api.OnResolveResult, bool) {
	scheme, rest, ok := strings.Cut(spec, ":")
	if !ok {
		if nodeModules[spec] && (r.node || args.Namespace == nsShelf) && !r.b.onShelf(spec) {
			return r.nodeModule(spec, args), true
		}
		if m := insideNode.FindStringSubmatch(spec); m != nil && args.Namespace == nsProject && !r.b.onShelf(spec) && args.Kind != api.ResolveJSDynamicImport {
			return refused(fmt.Sprintf("The module %q is not available here.", shorten(spec)), fmt.Sprintf("It is a part of Node's own: import what you need from \"node:%s\".", m[1])), true
		}
		return api.OnResolveResult{}, false
	}
	switch scheme {
	case "cloudflare", "workerd":
		return r.platformModule(spec, args), true
	case "node":
		if !nodeModules[rest] {
			if args.Kind == api.ResolveJSDynamicImport {
				return r.missing(spec, args), true
			}
			return refused(fmt.Sprintf("Node has no module %q.", spec), didYouMean("node:"+rest, nodeNames(), "Only modules of Node itself begin with node:; packages are imported by name.")), true
		}
		if !r.node && args.Namespace == nsProject {
			if args.Kind == api.ResolveJSDynamicImport {
				return r.missing(spec, args), true
			}
			return refused(fmt.Sprintf("The import %q needs Node compatibility.", spec), `Add "nodejs_compat" to "compatibility_flags" in wrangler.jsonc.`), true
		}
		return r.nodeModule(rest, args), true
	case "http", "https":
		return refused(fmt.Sprintf("The import %q is an address.", spec), "Workers import files of the project and packages, not URLs."), true
	case "coldstart":
		if args.Namespace == nsWasm {
			return api.OnResolveResult{Path: spec, External: true}, true
		}
		if args.Namespace == nsAdapter {
			if rest == "entry" {
				return api.OnResolveResult{Path: r.entry, Namespace: nsProject}, true
			}
			return api.OnResolveResult{Path: rest, Namespace: nsAdapter}, true
		}
		return refused(fmt.Sprintf("There is no module %q.", spec), "Import files with ./ and packages by name."), true
	case "assets":
		return refused(fmt.Sprintf("The module %q is not available here.", shorten(spec)), "It belongs to plugins of Pages: bind static assets in wrangler.jsonc and use env.ASSETS.fetch(request)."), true
	case "data":
		return api.OnResolveResult{}, true // esbuild decodes these itself
	}
	return refused(fmt.Sprintf("There is no module %q.", spec), "Import files with ./ and packages by name."), true
}

// platformModules are what Workers import from the platform itself, and
// absentModules what they cannot import here, each with what to do instead.
var (
	platformModules = []string{"cloudflare:workers", "cloudflare:node", "cloudflare:durable-objects"}
	absentModules   = map[string]string{
		"cloudflare:email":     "A Worker here gets no mail and sends none.",
		"cloudflare:pipelines": "Collect events with a queue, or write them to R2.",
		"cloudflare:sockets":   "There is no TCP here: use fetch(), or a binding such as d1_databases for data.",
		"cloudflare:test":      "Tests run with vitest, from the folder that Export makes.",
		"cloudflare:workflows": "Use a queue, or the alarm of a Durable Object, for work that goes on by itself.",
	}
)

func (r *resolver) platformModule(spec string, args api.OnResolveArgs) api.OnResolveResult {
	if slices.Contains(platformModules, spec) {
		if spec == "cloudflare:node" {
			r.mu.Lock()
			r.nodes = true
			r.mu.Unlock()
		}
		return api.OnResolveResult{Path: spec, External: true}
	}
	if args.Kind == api.ResolveJSDynamicImport {
		return r.missing(spec, args)
	}
	if hint, ok := absentModules[spec]; ok {
		return refused(fmt.Sprintf("The module %q is not available here.", spec), hint)
	}
	return refused(fmt.Sprintf("There is no module %q.", shorten(spec)), didYouMean(spec, append(keys(absentModules), platformModules...), "Workers can import cloudflare:workers and cloudflare:node here."))
}

func (r *resolver) nodeModule(name string, args api.OnResolveArgs) api.OnResolveResult {
	r.mu.Lock()
	r.nodes = true
	r.hooks = r.hooks || name == "async_hooks"
	r.mu.Unlock()
	if args.Kind == api.ResolveJSRequireCall || args.Kind == api.ResolveJSRequireResolve {
		return api.OnResolveResult{Path: name, Namespace: nsNode}
	}
	return api.OnResolveResult{Path: "node:" + name, External: true}
}

func (r *resolver) missing(spec string, args api.OnResolveArgs) api.OnResolveResult {
	if args.Namespace == nsProject {
		r.b.warn(trace.Warning{
			Message: fmt.Sprintf("import(%q) finds nothing and will reject when it runs.", spec),
			Frame:   trace.Frame{File: args.Importer, Line: lineOf(r.b.project.Files[args.Importer], spec)},
		})
	}
	return api.OnResolveResult{Path: spec, Namespace: nsMissing}
}

// lineOf finds the first line that holds text, 0 when none does.
func lineOf(source []byte, text string) int {
	before, _, ok := strings.Cut(string(source), text)
	if !ok {
		return 0
	}
	return strings.Count(before, "\n") + 1
}

var scriptSuffixes = []string{".ts", ".tsx", ".js", ".jsx", ".mts", ".mjs", ".cts", ".cjs", ".json"}

// resolveInProject finds a file of the project.
func (r *resolver) resolveInProject(spec string, args api.OnResolveArgs) api.OnResolveResult {
	spec, _, _ = strings.Cut(spec, "?")
	joined := path.Join(path.Dir(args.Importer), spec)
	if joined == ".." || strings.HasPrefix(joined, "../") {
		return refused(fmt.Sprintf("The import %q leaves the project.", args.Path), "Only files of the project can be imported.")
	}
	name, ok := findFile(joined, r.b.exists)
	if !ok {
		if args.Kind == api.ResolveJSDynamicImport {
			return r.missing(args.Path, args)
		}
		return refused(fmt.Sprintf("There is no file %s to import.", joined), r.b.suggestImport(joined, args.Importer))
	}
	return r.projectFile(name)
}

func (b *builder) exists(name string) bool {
	_, ok := b.project.Files[name]
	return ok
}

// projectFile is the answer that a file of the project is meant.
func (r *resolver) projectFile(name string) api.OnResolveResult {
	if path.Ext(name) == ".wasm" {
		r.mu.Lock()
		r.wasm[wasmPrefix+name] = r.b.project.Files[name]
		r.mu.Unlock()
		return api.OnResolveResult{Path: name, Namespace: nsWasm}
	}
	return api.OnResolveResult{Path: name, Namespace: nsProject}
}

// findFile tries a name as it is, with the suffixes of scripts, with .ts for
// .js as TypeScript writes it, and as a folder with an index file.
func findFile(name string, exists func(string) bool) (string, bool) {
	if exists(name) {
		return name, true
	}
	for _, suffix := range scriptSuffixes {
		if exists(name + suffix) {
			return name + suffix, true
		}
	}
	for js, suffixes := range map[string][]string{".js": {".ts", ".tsx"}, ".jsx": {".tsx"}, ".mjs": {".mts"}, ".cjs": {".cts"}} {
		if stem, ok := strings.CutSuffix(name, js); ok {
			for _, suffix := range suffixes {
				if exists(stem + suffix) {
					return stem + suffix, true
				}
			}
		}
	}
	for _, suffix := range scriptSuffixes {
		if index := path.Join(name, "index"+suffix); exists(index) {
			return index, true
		}
	}
	return "", false
}

// suggestImport says what to do about an import of a file that is not there.
func (b *builder) suggestImport(joined, importer string) string {
	names := keys(b.project.Files)
	near := nearest(joined, names)
	for _, name := range names { // without the suffix
		if near == "" && isScript(name) && nearest(joined, []string{strings.TrimSuffix(name, path.Ext(name))}) != "" {
			near = name
		}
	}
	if near == "" { // the same name in another folder
		stem := strings.TrimSuffix(path.Base(joined), path.Ext(joined))
		for _, name := range names {
			if strings.TrimSuffix(path.Base(name), path.Ext(name)) == stem && isScript(name) {
				near = name
				break
			}
		}
	}
	if near == "" || near == importer {
		return "Create it, or correct the path."
	}
	return fmt.Sprintf("Did you mean %q?", relativeImport(importer, near))
}

// relativeImport writes the specifier by which one file imports another.
func relativeImport(from, to string) string {
	dir := path.Dir(from)
	up := ""
	for dir != "." && !strings.HasPrefix(to, dir+"/") {
		dir = path.Dir(dir)
		up += "../"
	}
	if dir != "." {
		to = to[len(dir)+1:]
	}
	if up == "" {
		up = "./"
	}
	return up + to
}

func (r *resolver) load(args api.OnLoadArgs) api.OnLoadResult {
	text := func(s string, l api.Loader) api.OnLoadResult {
		return api.OnLoadResult{Contents: &s, Loader: l, ResolveDir: "/"}
	}
	switch args.Namespace {
	case nsNode:
		return text("import it from \"node:"+args.Path+"\"; module.exports = it;", api.LoaderJS)
	case nsWasm: // whatever is imported of it, the engine sees the one form that it knows
		return text("import it from "+quoteJS(wasmPrefix+args.Path)+"; export default it;", api.LoaderJS)
	case nsMissing:
		return text("throw new Error("+quoteJS("No such module \""+strings.TrimPrefix(args.Path, "./")+"\".")+");", api.LoaderJS)
	case nsAdapter:
		return text(r.b.adapterSource(args.Path), api.LoaderTS)
	case nsShelf:
		return r.b.loadShelf(args.Path)
	case nsBytes:
		return text(string(r.b.project.Files[args.Path]), api.LoaderBinary)
	}
	return r.loadProject(args)
}

func quoteJS(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

// textSuffixes arrive as strings, as the real toolchain's rules say.
var textSuffixes = []string{".txt", ".html", ".sql"}

func (r *resolver) loadProject(args api.OnLoadArgs) api.OnLoadResult {
	name := args.Path
	data := string(r.b.project.Files[name])
	r.mu.Lock()
	if r.loaded == nil {
		r.loaded = map[string]bool{}
	}
	r.loaded[name] = true
	r.mu.Unlock()
	result := api.OnLoadResult{Contents: &data, ResolveDir: "/"}
	ext := path.Ext(name)
	kind := args.With["type"]
	switch {
	case kind == "text" || kind == "" && slices.Contains(textSuffixes, ext):
		result.Loader = api.LoaderText
	case kind == "bytes":
		result.Loader = api.LoaderBinary
	case kind == "json" || kind == "" && ext == ".json":
		if f := scanJSON(data); f != nil {
			return r.refuse(name, data, f)
		}
		result.Loader = api.LoaderJSON
	case kind != "":
		return api.OnLoadResult{Errors: []api.Message{{
			Text:   fmt.Sprintf("The import attribute type: %q is not known.", kind),
			Detail: `Use "json", "text" or "bytes".`,
		}}}
	case ext == ".bin":
		js := "import data from " + quoteJS("./"+path.Base(name)) + " with { type: \"bytes\" };\n" +
			"export default data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);"
		result.Contents, result.Loader = &js, api.LoaderJS
	default:
		loader, ok := scriptLoaders[ext]
		if !ok {
			return api.OnLoadResult{Errors: []api.Message{{
				Text:   fmt.Sprintf("%s cannot be imported: nothing says what %q files become.", name, ext),
				Detail: "Scripts, .json, .txt, .html, .sql, .bin and .wasm can be imported; others with { type: \"text\" }.",
			}}}
		}
		if f := scanScript(data, syntaxOf(name)); f != nil {
			return r.refuse(name, data, f)
		}
		data = noRequire(r.withAssigned(name, data))
		result.Loader = loader
	}
	return result
}

// refuse records what the scan found and ends the build.
func (r *resolver) refuse(name, source string, found *finding) api.OnLoadResult {
	line, column := position(source, found.offset)
	f := &trace.Fault{
		Kind: trace.FaultBuild, Message: found.message, Hint: found.hint,
		Frames: []trace.Frame{{File: name, Line: line, Column: column}},
		Code:   trace.CodeFrame(source, line, column),
	}
	r.mu.Lock()
	if r.failed == nil {
		r.failed = f
	}
	r.mu.Unlock()
	return api.OnLoadResult{Errors: []api.Message{{Text: found.message}}}
}

// position turns a byte offset into line and UTF-16 column.
func position(source string, offset int) (line, column int) {
	offset = min(max(offset, 0), len(source))
	before := source[:offset]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, trace.UTF16Column(source[start:], offset-start)
}

// scanJSON finds where JSON nests deeper than maxNesting, and what JSON has no
// place for but the parser reads on after.
func scanJSON(s string) *finding {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			for i++; i < len(s) && s[i] != '"' && s[i] != '\n'; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		case '/':
			return &finding{i, "JSON files cannot have comments.", "Remove it, or make the file a .ts file with export default."}
		case '\'':
			return &finding{i, "JSON strings are written with double quotes.", "Replace the single quotes."}
		case '[', '{':
			if depth++; depth > maxNesting {
				return &finding{i, "Brackets are nested more than 200 deep here.", "Make the data flatter."}
			}
		case ']', '}':
			depth--
		}
	}
	return nil
}

// keys lists a map's keys, sorted.
func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// nodeModules are the names that Node's own modules have.
var nodeModules = set(`
	assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram
	diagnostics_channel dns dns/promises domain events fs fs/promises http http2 https inspector
	inspector/promises module net os path path/posix path/win32 perf_hooks process punycode querystring
	readline readline/promises repl sqlite stream stream/consumers stream/promises stream/web
	string_decoder sys test timers timers/promises tls trace_events tty url util util/types v8 vm wasi
	worker_threads zlib`)

func nodeNames() []string {
	names := keys(nodeModules)
	for i := range names {
		names[i] = "node:" + names[i]
	}
	return names
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
