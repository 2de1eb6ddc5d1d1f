package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"coldstart/sandbox/bundle"
	"coldstart/sandbox/js"
	"coldstart/static"

	"github.com/evanw/esbuild/pkg/api"
)

// assets collects the output before any of it is written.
type assets struct {
	web    map[string][]byte // served files by hashed name
	engine map[string][]byte // parts of the engine by name
	static.Manifest
}

// build makes everything and writes what changed.
func (b builder) build() error {
	out := assets{
		web:      map[string][]byte{},
		engine:   map[string][]byte{},
		Manifest: static.Manifest{Files: map[string]string{}, Imports: map[string][]string{}, Release: b.release},
	}
	steps := []struct {
		name string
		run  func(*assets) error
	}{
		{"styles", b.styles},
		{"editor types", b.types},
		{"workers", b.workers},
		{"pages", b.pages},
		{"engine", b.engine},
		{"Wasm module", b.module},
		{"licenses", b.licenses},
	}
	for _, step := range steps {
		if err := step.run(&out); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return b.write(out)
}

// module compiles the visit counter that the race lab runs as a Wasm module.
func (b builder) module(out *assets) error {
	dir, err := os.MkdirTemp("", "coldstart-module-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "visits.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags", "-s -w", "-o", file, "./sandbox/box/visits")
	cmd.Dir = b.root
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	out.engine["visits.wasm"], err = os.ReadFile(file)
	return err
}

func (b builder) web(names ...string) string {
	return filepath.Join(append([]string{b.root, "web"}, names...)...)
}

// options are what all bundles share.
func (b builder) options() api.BuildOptions {
	return api.BuildOptions{
		AbsWorkingDir:     b.web(),
		Outdir:            b.web("out"), // nothing is written there: Write is false
		Bundle:            true,
		Format:            api.FormatESModule,
		Target:            api.ES2022,
		Charset:           api.CharsetUTF8,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsExternal,
		EntryNames:        "[name]-[hash]",
		ChunkNames:        "chunk-[hash]",
		AssetNames:        "[name]-[hash]",
		Loader:            map[string]api.Loader{".woff2": api.LoaderFile},
		Metafile:          true,
		LogLevel:          api.LogLevelSilent,
	}
}

// styles bundles web/style/app.css with its fonts, and takes the icon of the site.
func (b builder) styles(out *assets) error {
	o := b.options()
	o.EntryPoints = []string{"style/app.css"}
	o.Engines = []api.Engine{{Name: api.EngineChrome, Version: "123"}, {Name: api.EngineFirefox, Version: "128"}, {Name: api.EngineSafari, Version: "17.5"}}
	o.Target = api.DefaultTarget
	if err := b.bundle(o, out); err != nil {
		return err
	}
	icon, err := os.ReadFile(b.web("style", "favicon.svg"))
	if err != nil {
		return err
	}
	out.add("favicon.svg", icon)
	return nil
}

// add takes a served file that esbuild does not make, under a name with a hash.
func (out *assets) add(name string, data []byte) {
	sum := sha256.Sum256(data)
	ext := filepath.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "-" + strings.ToUpper(hex.EncodeToString(sum[:4])) + ext
	out.web[hashed] = data
	out.Files[name] = hashed
}

// workers bundles web/client/*.worker.ts, each whole: a page may never need it.
func (b builder) workers(out *assets) error {
	entries, err := b.entries(func(name string) bool { return strings.HasSuffix(name, ".worker.ts") })
	if err != nil || len(entries) == 0 {
		return err
	}
	o := b.options()
	o.EntryPoints = entries
	o.Define = map[string]string{"process.env.NODE_ENV": `"production"`, "global": "globalThis"}
	o.Plugins = []api.Plugin{assetAddresses(out)}
	return b.bundle(o, out)
}

// pages bundles the entry scripts, web/client/<page>.ts, into shared chunks;
// what they import() becomes chunks that load on demand.
func (b builder) pages(out *assets) error {
	entries, err := b.entries(func(name string) bool {
		return strings.HasSuffix(name, ".ts") && !strings.HasPrefix(name, "_") && name != "protocol.ts" &&
			!strings.HasSuffix(name, ".worker.ts") && !strings.HasSuffix(name, ".test.ts") && !strings.HasSuffix(name, ".d.ts")
	})
	if err != nil || len(entries) == 0 {
		return err
	}
	o := b.options()
	o.EntryPoints = entries
	o.Splitting = true
	o.Define = map[string]string{"process.env.NODE_ENV": `"production"`}
	o.Plugins = []api.Plugin{assetAddresses(out), emacsBindings()}
	// The compiler is the type worker's business. Code for both sides of that
	// worker names it; the page gets web/client/_typescript.ts in its place.
	if _, err := os.Stat(b.web("client", "_typescript.ts")); err == nil {
		o.Alias = map[string]string{"typescript": b.web("client", "_typescript.ts")}
	}
	return b.bundle(o, out)
}

// entries lists files of web/client, sorted; none when the folder is absent.
func (b builder) entries(want func(name string) bool) ([]string, error) {
	files, err := os.ReadDir(b.web("client"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		if !f.IsDir() && want(f.Name()) {
			names = append(names, "client/"+f.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}

// assetAddresses makes `import assets from "coldstart:assets"` give an object
// from plain names to addresses of what was built before: {"types.worker.js": "/static/…"}.
func assetAddresses(out *assets) api.Plugin {
	return api.Plugin{Name: "asset addresses", Setup: func(build api.PluginBuild) {
		build.OnResolve(api.OnResolveOptions{Filter: `^coldstart:assets$`}, func(api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: "assets", Namespace: "coldstart"}, nil
		})
		build.OnLoad(api.OnLoadOptions{Filter: `^assets$`, Namespace: "coldstart"}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
			addresses := map[string]string{}
			for name, hashed := range out.Files {
				addresses[name] = static.Prefix + hashed
			}
			data, err := json.Marshal(addresses)
			text := "export default " + string(data)
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, err
		})
	}}
}

// emacsBindings keeps the calls that bind the Emacs keys: the package marks them
// as pure, though they are there for their effect alone, and esbuild drops what
// is pure and unused.
func emacsBindings() api.Plugin {
	return api.Plugin{Name: "emacs bindings", Setup: func(build api.PluginBuild) {
		build.OnLoad(api.OnLoadOptions{Filter: `codemirror-emacs[\\/]dist[\\/]index\.js$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
			data, err := os.ReadFile(args.Path)
			text := strings.ReplaceAll(string(data), "/*@__PURE__*/EmacsHandler.", "EmacsHandler.")
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, err
		})
	}}
}

// bundle runs esbuild and takes its output into out.
func (b builder) bundle(o api.BuildOptions, out *assets) error {
	result := api.Build(o)
	for _, text := range api.FormatMessages(result.Warnings, api.FormatMessagesOptions{Kind: api.WarningMessage}) {
		fmt.Fprint(b.out, text)
	}
	if len(result.Errors) > 0 {
		return errors.New(strings.Join(api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage}), ""))
	}
	for _, f := range result.OutputFiles {
		out.web[filepath.Base(f.Path)] = f.Contents
	}
	var meta struct {
		Outputs map[string]struct {
			EntryPoint string
			Inputs     map[string]any
			Imports    []struct{ Path, Kind string }
		}
	}
	if err := json.Unmarshal([]byte(result.Metafile), &meta); err != nil {
		return err
	}
	ours := map[string]bool{} // chunks that load on demand have an entry point too, and no name of their own
	for _, entry := range o.EntryPoints {
		ours[entry] = true
	}
	for name, output := range meta.Outputs {
		hashed := filepath.Base(name)
		switch {
		case ours[output.EntryPoint]:
			plain := strings.TrimSuffix(filepath.Base(output.EntryPoint), filepath.Ext(output.EntryPoint)) + filepath.Ext(name)
			out.Files[plain] = hashed
			if chunks := eager(name, func(of string) (paths []string) {
				for _, imp := range meta.Outputs[of].Imports {
					if imp.Kind == "import-statement" {
						paths = append(paths, imp.Path)
					}
				}
				return paths
			}); len(chunks) > 0 {
				out.Imports[plain] = chunks
			}
		case filepath.Ext(name) == ".woff2":
			for input := range output.Inputs {
				out.Files[fontName(input)] = hashed
			}
		}
	}
	return nil
}

// eager lists the hashed names of all chunks that an output loads by static
// imports, directly or through other chunks, sorted.
func eager(name string, imports func(string) []string) []string {
	seen := map[string]bool{name: true}
	var chunks []string
	queue := []string{name}
	for len(queue) > 0 {
		for _, next := range imports(queue[0]) {
			if !seen[next] {
				seen[next] = true
				chunks = append(chunks, filepath.Base(next))
				queue = append(queue, next)
			}
		}
		queue = queue[1:]
	}
	sort.Strings(chunks)
	return chunks
}

// fontName turns …/commissioner-latin-wght-normal.woff2 into commissioner.woff2
// and the extended file into commissioner-ext.woff2.
func fontName(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), "-wght-normal.woff2")
	if family, ok := strings.CutSuffix(name, "-latin-ext"); ok {
		return family + "-ext.woff2"
	}
	return strings.TrimSuffix(name, "-latin") + ".woff2"
}

// engine takes the parts that isolates start from.
func (b builder) engine(out *assets) error {
	wasm, err := os.ReadFile(b.web("node_modules", "quickjs-wasi", "quickjs.wasm"))
	if err != nil {
		return err
	}
	bootstrap, err := js.Build(b.web("node_modules"))
	if err != nil {
		return err
	}
	script, err := bootstrap.Marshal()
	if err != nil {
		return err
	}
	var shelf bytes.Buffer
	if err := bundle.PackShelf(b.web("node_modules"), &shelf); err != nil {
		return err
	}
	out.engine["quickjs.wasm"] = wasm
	out.engine["bootstrap.json"] = script
	out.engine["shelf.zip"] = shelf.Bytes()
	return nil
}
