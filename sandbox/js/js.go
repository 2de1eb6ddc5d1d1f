package js

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

//go:embed *.ts
var sources embed.FS

// Bundle is the bootstrap as engines take it; see isolate.Bootstrap.
type Bundle struct {
	Script  string   `json:"script"`
	Modules []Module `json:"modules"`
}

// Module is an ES module that learner code may import by name.
type Module struct {
	Name   string `json:"name"`
	Source string `json:"source"`
}

// Marshal gives the bundle as the bytes that Parse reads.
func (b *Bundle) Marshal() ([]byte, error) { return json.Marshal(b) }

// Parse reads what Marshal wrote.
func Parse(data []byte) (*Bundle, error) {
	var b Bundle
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, fmt.Errorf("read the bootstrap: %w", err)
	}
	if b.Script == "" {
		return nil, errors.New("read the bootstrap: it is empty; run go run ./cmd/assets")
	}
	return &b, nil
}

// Build bundles the sources with the npm packages in nodeModules, a folder of
// that name made by npm ci in web. The result depends on nothing else.
func Build(nodeModules string) (*Bundle, error) {
	script, err := bundle(nodeModules, "main.ts")
	if err != nil {
		return nil, err
	}
	// Engines call the script's value with the host. Names of functions are
	// visible to learner code, so identifiers are not shortened.
	b := &Bundle{Script: "(function (__host) {\n\"use strict\";\n" + script + "\nreturn __bootstrap.entries;\n})\n"}
	if b.Modules, err = nodeModuleSources(nodeModules); err != nil {
		return nil, err
	}
	names, err := modules()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		src, err := fs.ReadFile(sources, moduleFile(name))
		if err != nil {
			return nil, err
		}
		r := api.Transform(string(src), api.TransformOptions{Loader: api.LoaderTS, Target: api.ES2022, Format: api.FormatESModule, Sourcefile: name})
		if err := failed(r.Errors); err != nil {
			return nil, err
		}
		b.Modules = append(b.Modules, Module{Name: name, Source: string(r.Code)})
	}
	return b, nil
}

func moduleFile(name string) string {
	return "module-" + strings.NewReplacer(":", "-", "/", "-").Replace(name) + ".ts"
}

// modules lists the importable modules: each file module-<name>.ts says its
// name in its first line, "// module <name>".
func modules() ([]string, error) {
	files, err := fs.Glob(sources, "module-*.ts")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		src, err := fs.ReadFile(sources, f)
		if err != nil {
			return nil, err
		}
		first, _, _ := strings.Cut(string(src), "\n")
		name, ok := strings.CutPrefix(first, "// module ")
		if !ok || moduleFile(name) != f {
			return nil, fmt.Errorf("%s: the first line must be \"// module <name>\" for that file name", f)
		}
		names = append(names, name)
	}
	sort.Strings(names)
	return names, nil
}

// bundle makes one script of an entry file and what it imports.
func bundle(nodeModules, entry string) (string, error) {
	abs, err := filepath.Abs(nodeModules)
	if err != nil {
		return "", err
	}
	o := options(abs)
	o.EntryPoints, o.Format, o.GlobalName = []string{entry}, api.FormatIIFE, "__bootstrap"
	r := api.Build(o)
	if err := failed(r.Errors); err != nil {
		return "", err
	}
	return unavailable.Replace(string(r.OutputFiles[0].Contents)), nil
}

// unavailable puts unenv's words for what it lacks into ours.
var unavailable = strings.NewReplacer("`[unenv] ${", "`${", "} is not implemented yet!`", "} is not available here.`")

// options are what every bundle of the bootstrap shares. nodeModules is absolute.
func options(nodeModules string) api.BuildOptions {
	return api.BuildOptions{
		AbsWorkingDir:    filepath.Dir(nodeModules),
		Bundle:           true,
		Target:           api.ES2022,
		Platform:         api.PlatformNeutral,
		MainFields:       []string{"module", "main"},
		Conditions:       []string{"workerd", "worker", "import"},
		MinifyWhitespace: true,
		MinifySyntax:     true,
		LegalComments:    api.LegalCommentsNone,
		Charset:          api.CharsetUTF8,
		LogLevel:         api.LogLevelSilent,
		Plugins:          []api.Plugin{embedded(nodeModules)},
	}
}

// embedded serves the package's own files. node:* is a file of ours where there
// is one, else unenv's; everything else is an npm package of nodeModules.
func embedded(nodeModules string) api.Plugin {
	dir := filepath.Dir(nodeModules)
	return api.Plugin{Name: "coldstart", Setup: func(b api.PluginBuild) {
		own := func(name string) bool { _, err := fs.Stat(sources, name); return err == nil }
		b.OnResolve(api.OnResolveOptions{Filter: `.*`}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			if name, ok := strings.CutPrefix(a.Path, "node:"); ok {
				if file := "node-" + strings.ReplaceAll(name, "/", "-") + ".ts"; own(file) {
					return api.OnResolveResult{Path: file, Namespace: "own"}, nil
				}
				return api.OnResolveResult{Path: filepath.Join(nodeModules, "unenv", "dist", "runtime", "node", filepath.FromSlash(name)+".mjs")}, nil
			}
			if a.Kind == api.ResolveEntryPoint {
				return api.OnResolveResult{Path: a.Path, Namespace: "own"}, nil
			}
			if a.Namespace == "own" && strings.HasPrefix(a.Path, "./") {
				name := path.Clean(a.Path) + ".ts"
				if !own(name) && name != nodeAll {
					return api.OnResolveResult{}, fmt.Errorf("%s imports %s, which does not exist", a.Importer, a.Path)
				}
				return api.OnResolveResult{Path: name, Namespace: "own"}, nil
			}
			return api.OnResolveResult{}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: `web-streams-polyfill[/\\]dist[/\\]ponyfill\.mjs$`}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			src, err := os.ReadFile(a.Path)
			if err != nil {
				return api.OnLoadResult{}, err
			}
			text, err := reworded(string(src))
			if err != nil {
				return api.OnLoadResult{}, err
			}
			for _, then := range []string{"Sr(t)", "je(t)"} {
				old := "h(c(r()),()=>(t._started=!0," + then + ",null),"
				if strings.Count(text, old) != 1 {
					return api.OnLoadResult{}, fmt.Errorf("%s: %q is not there once; see streams.ts for what it is replaced with", a.Path, old)
				}
				text = strings.Replace(text, old, "((x,y,z)=>t._now?y():h(c(x),y,z))(r(),()=>(t._started=!0,"+then+",null),", 1)
			}
			text = hidden(text)
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: "own"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			text := nodeAllSource()
			if a.Path != nodeAll {
				src, err := fs.ReadFile(sources, a.Path)
				if err != nil {
					return api.OnLoadResult{}, err
				}
				text = string(src)
			}
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderTS, ResolveDir: dir}, nil
		})
	}}
}

func failed(list []api.Message) error {
	if len(list) == 0 {
		return nil
	}
	var b strings.Builder
	for _, m := range api.FormatMessages(list, api.FormatMessagesOptions{Kind: api.ErrorMessage}) {
		b.WriteString(m)
	}
	return errors.New("bundle the bootstrap: " + strings.TrimSpace(b.String()))
}
