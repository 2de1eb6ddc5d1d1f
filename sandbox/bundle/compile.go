package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"coldstart/sandbox/trace"
)

// isScript reports whether a file holds JavaScript or TypeScript.
func isScript(name string) bool {
	_, ok := scriptLoaders[path.Ext(name)]
	return ok && !strings.HasSuffix(name, ".d.ts")
}

// JSX is read in .js files too, as the real toolchain does.
var scriptLoaders = map[string]api.Loader{
	".js": api.LoaderJSX, ".mjs": api.LoaderJSX, ".cjs": api.LoaderJSX, ".jsx": api.LoaderJSX,
	".ts": api.LoaderTS, ".mts": api.LoaderTS, ".cts": api.LoaderTS, ".tsx": api.LoaderTSX,
}

func syntaxOf(name string) syntax {
	l := scriptLoaders[path.Ext(name)]
	return syntax{ts: l == api.LoaderTS || l == api.LoaderTSX, jsx: l == api.LoaderJSX || l == api.LoaderTSX}
}

// compile bundles a Worker's modules into w.Code.
func (b *builder) compile(c *config, w *trace.Worker, entry string) *trace.Fault {
	tsconfig, names, f := b.tsconfig(c.dir)
	if f != nil {
		return f
	}
	r := &resolver{b: b, entry: entry, node: nodeCompat(w.Date, w.Flags), aliases: names, wasm: map[string][]byte{}}
	opts := buildOptions(tsconfig)
	opts.Plugins = []api.Plugin{r.plugin()}
	opts.EntryPoints = []string{entry}
	opts.Metafile = true
	d, f := b.chooseDialect(c, entry)
	if f != nil {
		return f
	}
	r.dialect = d
	result := api.Build(opts)
	if f := r.fault(); f != nil {
		return f
	}
	if assigned := result.Errors; r.assignLater(assigned) {
		if result = api.Build(opts); len(result.Errors) > 0 {
			return b.esbuildFault(assigned)
		}
		for _, m := range assigned {
			m.Text = strings.Replace(m.Text, "Cannot assign to", "This assignment will throw because", 1)
			m.Text = strings.Replace(m.Text, "because it is a constant", "is a constant", 1)
			b.warnFrom(m)
		}
	}
	if len(result.Errors) > 0 {
		return b.esbuildFault(result.Errors)
	}
	if code, _ := output(result); r.hooks && strings.Contains(code, "AsyncLocalStorage") || strings.Contains(code, `"cloudflare:workers"`) && strings.Contains(code, "withEnv") {
		lowerAsync(&opts)
		if result = api.Build(opts); len(result.Errors) > 0 {
			f := b.esbuildFault(result.Errors)
			f.Message = "await at the top level is not available here in a Worker that uses AsyncLocalStorage or withEnv."
			f.Hint = "Keep the promise in a variable, and await it in the handler."
			return f
		}
	}
	if d == "" {
		meta := readMeta(result.Metafile, entry)
		source := b.project.Files[entry]
		if meta.commonJS && !bytes.Contains(source, []byte("exports")) {
			meta.exports = nil // a script with a return at its top level looks like one
		}
		c.exports, c.exported = meta.exports, !meta.commonJS
		switch {
		case len(meta.exports) > 0:
			if f := b.classes(c, meta, entry); f != nil {
				return f
			}
		case addsListener(source):
			w.Classic = true
			opts.Metafile = false
			opts.Format = api.FormatIIFE
			opts.Bundle = meta.imports
			if !meta.imports {
				opts.Format = api.FormatDefault
				r.plain = true
			}
			if result = api.Build(opts); len(result.Errors) > 0 {
				return b.esbuildFault(result.Errors)
			}
		default:
			return b.noExport(entry)
		}
	}
	if c.file == "" && d == "" && !r.nodes {
		// A plain Worker: without a wrangler file nobody asked for Node's globals,
		// which the compatibility date alone would bring.
		w.Flags = []string{"no_nodejs_compat"}
	}
	for _, m := range result.Warnings {
		b.warnFrom(m)
	}
	w.Code, w.SourceMap = output(result)
	w.Wasm = r.wasm
	if len(w.Wasm) == 0 {
		w.Wasm = nil
	}
	w.Sources = map[string]string{}
	for name := range r.loaded {
		if isScript(name) {
			w.Sources[name] = string(b.project.Files[name])
			b.forgottenAwaits(c, name)
		}
	}
	return nil
}

// buildOptions are esbuild's options for code that runs on QuickJS.
func buildOptions(tsconfig string) api.BuildOptions {
	return api.BuildOptions{
		Bundle:         true,
		Format:         api.FormatESModule,
		Platform:       api.PlatformNeutral,
		Target:         api.ES2024,
		Supported:      map[string]bool{"using": false},
		Charset:        api.CharsetUTF8,
		LegalComments:  api.LegalCommentsNone,
		Sourcemap:      api.SourceMapExternal,
		SourcesContent: api.SourcesContentInclude,
		TsconfigRaw:    tsconfig,
		JSX:            api.JSXAutomatic,
		// The only JSX runtime on the shelf.
		JSXImportSource: "hono/jsx",
		Define:          map[string]string{"process.env.NODE_ENV": `"production"`},
		AbsWorkingDir:   "/",
		Outfile:         "/worker.js",
		LogLevel:        api.LogLevelSilent,
		LogLimit:        50,
		// Not the learner's business: eval is refused when it runs, and the define is ours.
		LogOverride: map[string]api.LogLevel{"direct-eval": api.LogLevelSilent, "assign-to-define": api.LogLevelSilent},
	}
}

// lowerAsync has async functions written with promises: AsyncLocalStorage and withEnv
// follow calls of then(), which the engine's own await does not make.
func lowerAsync(o *api.BuildOptions) {
	o.Supported = maps.Clone(o.Supported)
	for _, syntax := range []string{"async-await", "async-generator", "for-await"} {
		o.Supported[syntax] = false
	}
}

// nodeCompat reports whether node:* modules are there.
func nodeCompat(date string, flags []string) bool {
	on := date >= nodeDate
	for _, flag := range flags {
		switch flag {
		case "nodejs_compat", "nodejs_compat_v2":
			on = true
		case "no_nodejs_compat", "no_nodejs_compat_v2":
			on = false
		}
	}
	return on
}

// output takes code and source map from a build that succeeded.
func output(r api.BuildResult) (code string, sourceMap []byte) {
	for _, f := range r.OutputFiles {
		if strings.HasSuffix(f.Path, ".map") {
			sourceMap = cleanMap(f.Contents)
		} else {
			code = namespaceTag.ReplaceAllString(string(f.Contents), `var $1 = Object.defineProperty({}, Symbol.toStringTag, { value: "Module" });$2`)
		}
	}
	return code, sourceMap
}

// namespaceTag finds the objects that esbuild makes for "import * as" and
// import(), which should say that they are modules. Lines stay what they were.
var namespaceTag = regexp.MustCompile(`(?m)^var (\w+) = \{\};(\n__export\()`)

// sourceMapV3 is what this package keeps of a source map.
type sourceMapV3 struct {
	Version  int       `json:"version"`
	Sources  []string  `json:"sources"`
	Contents []*string `json:"sourcesContent,omitempty"`
	Mappings string    `json:"mappings"`
	Names    []string  `json:"names"`
}

// cleanMap names sources as the learner does and drops the text of packages.
func cleanMap(data []byte) []byte {
	var m sourceMapV3
	if err := json.Unmarshal(data, &m); err != nil {
		return nil // esbuild always writes JSON
	}
	for i, s := range m.Sources {
		space, name, ok := strings.Cut(s, ":")
		switch {
		case !ok:
		case space == nsProject:
			m.Sources[i] = name
		default:
			m.Sources[i] = space + ":" + name
			if i < len(m.Contents) {
				m.Contents[i] = nil
			}
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		return nil
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// moduleMeta is what esbuild knows of the entry file.
type moduleMeta struct {
	exports  []string
	imports  bool
	commonJS bool
}

func readMeta(metafile, entry string) moduleMeta {
	var m struct {
		Inputs map[string]struct {
			Imports []struct {
				Path string `json:"path"`
			} `json:"imports"`
			Format string `json:"format"`
		} `json:"inputs"`
		Outputs map[string]struct {
			Exports    []string `json:"exports"`
			EntryPoint string   `json:"entryPoint"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(metafile), &m); err != nil {
		return moduleMeta{}
	}
	var meta moduleMeta
	for _, o := range m.Outputs {
		if o.EntryPoint == nsProject+":"+entry {
			meta.exports = o.Exports
		}
	}
	in := m.Inputs[nsProject+":"+entry]
	for _, i := range in.Imports {
		if !strings.HasPrefix(i.Path, "<runtime>") {
			meta.imports = true
		}
	}
	meta.imports = meta.imports || in.Format == "esm"
	meta.commonJS = in.Format == "cjs" || in.Format == "" && slices.Equal(meta.exports, []string{"default"})
	return meta
}

var listenerPattern = regexp.MustCompile(`\baddEventListener\s*\(`)

// addsListener reports service-worker syntax.
func addsListener(source []byte) bool {
	return bytes.Contains(source, []byte("addEventListener")) && listenerPattern.MatchString(withoutComments(string(source)))
}

// classes checks that a Worker exports the Durable Object classes it is configured with.
func (b *builder) classes(c *config, meta moduleMeta, entry string) *trace.Fault {
	for _, class := range c.durables {
		if meta.commonJS || slices.Contains(meta.exports, class) {
			continue
		}
		return b.configFault(c.file, c.classAt[class],
			fmt.Sprintf("The Durable Object class %q is not exported by %s.", class, entry),
			didYouMean(class, meta.exports, fmt.Sprintf("Write export class %s extends DurableObject { … } there.", class)))
	}
	return nil
}

func (b *builder) noExport(entry string) *trace.Fault {
	f := &trace.Fault{
		Kind:    trace.FaultHandler,
		Message: fmt.Sprintf("%s has no default export.", entry),
		Hint:    "Export an object with a fetch method: export default { async fetch(request) { return new Response(\"Hello\"); } };",
		Frames:  []trace.Frame{{File: entry, Line: 1, Column: 1}},
	}
	f.Code = trace.CodeFrame(string(b.project.Files[entry]), 1, 0)
	return f
}
