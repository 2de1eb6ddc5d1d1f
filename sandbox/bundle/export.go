package bundle

import (
	"archive/zip"
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"coldstart/sandbox/trace"
)

// ExportMeta is what an exported project is told about itself.
type ExportMeta struct {
	Name    string // of the project: letters, digits and dashes are kept
	Title   string // for the README; Name when empty
	Date    string // compatibility date of a project without a wrangler file; DefaultDate when empty
	URL     string // where the project came from, "" for none
	Workers []trace.Worker
	// Packages gives the versions of what the project imports, as Packages lists them.
	Packages []ShelfPackage
}

//go:embed all:template
var templates embed.FS

// Export packs what ExportFiles gives as a zip archive. The same input gives the
// same bytes.
func Export(p trace.Project, meta ExportMeta) ([]byte, error) {
	files, err := ExportFiles(p, meta)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, flateBest)
	for _, name := range keys(files) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
		h.SetMode(0o644)
		w, err := z.CreateHeader(h)
		if err != nil {
			return nil, fmt.Errorf("export %s: %w", name, err)
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, fmt.Errorf("export %s: %w", name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return out.Bytes(), nil
}

// exportData is what the templates see.
type exportData struct {
	Name, Title, Date, Main, URL string
	Configs                      []string // wrangler files, sorted
	Several                      bool
	JSX                          bool
	Node                         bool // a Worker has Node's modules
	Env                          []envField
	Adapters                     []string          // entry files of ours around files that were written for other clouds
	Aliases                      map[string]string // what the vendors' package names mean, for a project without a wrangler file
}

type envField struct{ Name, Type string }

// ExportFiles lays a project out as `npm create cloudflare` does: the learner's
// files as they are, and around them package.json, tsconfig.json, tests, types
// for the bindings and a README. Files that the project has win over ours. A
// Worker that was written for another cloud gets its adapter beside it, and its
// wrangler file names that. Nothing of the project is parsed, so it may run
// anywhere. The files of p are shared, not copied.
func ExportFiles(p trace.Project, meta ExportMeta) (map[string][]byte, error) {
	if err := CheckNames(p.Files); err != nil {
		return nil, err
	}
	files := maps.Clone(p.Files)
	b := &builder{project: p}
	d := exportData{Name: workerSlug(meta.Name), Title: firstOf(meta.Title, meta.Name, "Worker"), Date: firstOf(meta.Date, DefaultDate), URL: meta.URL}
	for _, name := range keys(p.Files) {
		if slices.Contains(configNames, path.Base(name)) {
			d.Configs = append(d.Configs, name)
		}
		d.JSX = d.JSX || strings.HasSuffix(name, "x") && isScript(name)
	}
	d.Several = len(d.Configs) > 1
	d.Env = envTypes(meta.Workers)
	d.Node = slices.ContainsFunc(meta.Workers, func(w trace.Worker) bool { return nodeCompat(w.Date, w.Flags) })
	for _, name := range d.Configs {
		d.adaptConfig(b, files, name)
	}
	if len(d.Configs) == 0 {
		if main, f := b.entry(&config{}); f == nil {
			d.Main = main
		}
		if main, aliases := adapt(b, files, &config{}); main != "" {
			d.Main, d.Aliases, d.Adapters = main, aliases, []string{main}
		}
		d.Configs, d.Node = []string{"wrangler.jsonc"}, true // as our wrangler file says
		if err := d.add(files, "wrangler.jsonc"); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{".editorconfig", ".prettierrc", "tsconfig.json", "worker-configuration.d.ts", "README.md"} {
		if err := d.add(files, name); err != nil {
			return nil, err
		}
	}
	if _, ok := files[".gitignore"]; !ok {
		files[".gitignore"] = []byte("node_modules/\n.wrangler/\n.dev.vars*\n.env*\ndist/\ncoverage/\n*.log\n")
	}
	if d.Several {
		if err := d.add(files, deployScript); err != nil {
			return nil, err
		}
	} else {
		for _, name := range []string{"vitest.config.mts", "test/index.spec.ts", "test/tsconfig.json"} {
			if err := d.add(files, name); err != nil {
				return nil, err
			}
		}
	}
	if _, ok := files["package.json"]; !ok {
		files["package.json"] = d.packageJSON(b, meta.Packages)
	}
	return files, nil
}

// add fills in a template, unless the project has a file of that name.
func (d *exportData) add(files map[string][]byte, name string) error {
	if _, ok := files[name]; ok {
		return nil
	}
	text, err := templates.ReadFile("template/" + name + ".tmpl")
	if err != nil {
		return fmt.Errorf("export %s: %w", name, err)
	}
	t, err := template.New(name).Funcs(template.FuncMap{"quote": quoteJS}).Parse(string(text))
	if err != nil {
		return fmt.Errorf("export %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, d); err != nil {
		return fmt.Errorf("export %s: %w", name, err)
	}
	files[name] = out.Bytes()
	return nil
}

// deployScript deploys the Workers of a project with several, one after another.
const deployScript = "scripts/deploy.mjs"

// typegen is the command that writes the types of the bindings again. Of several
// Workers each gets a file of its own, without the runtime's types, which one
// program can have only once; those come from the package.
func (d *exportData) typegen() string {
	if !d.Several {
		return "wrangler types"
	}
	var all []string
	for _, c := range d.Configs {
		all = append(all, fmt.Sprintf("wrangler types %s -c %s --include-runtime=false", path.Join(path.Dir(c), "worker-configuration.d.ts"), c))
	}
	return strings.Join(all, " && ")
}

func (d *exportData) packageJSON(b *builder, packages []ShelfPackage) []byte {
	type object = map[string]string
	config := ""
	if d.Several {
		for _, c := range d.Configs {
			config += " -c " + c
		}
	}
	scripts := object{"dev": "wrangler dev" + config, "start": "wrangler dev" + config, "cf-typegen": d.typegen()}
	dev := object{"wrangler": "^4", "typescript": "^5.5.2", "@cloudflare/workers-types": "^5.20261117.1"}
	if d.Several {
		// npm hands the arguments after "--" to the script alone: a list of commands would give them to its last.
		scripts["deploy"] = "node " + deployScript
	} else {
		scripts["deploy"], scripts["test"] = "wrangler deploy", "vitest"
		dev["vitest"], dev["@cloudflare/vitest-plugin"] = "~4.1.0", "^1.0.0"
	}
	if d.Node {
		dev["@types/node"] = "^22"
	}
	deps := object{}
	for _, p := range packages {
		if b.mentions(`"`+p.Name) || b.mentions(`'`+p.Name) {
			deps[p.Name] = "^" + p.Version
		}
	}
	if deps["express"] != "" {
		dev["@types/express"] = "^5"
	}
	if d.JSX {
		for _, p := range packages {
			if p.Name == "hono" {
				deps[p.Name] = "^" + p.Version
			}
		}
	}
	manifest := struct {
		Name         string `json:"name"`
		Version      string `json:"version"`
		Private      bool   `json:"private"`
		Scripts      object `json:"scripts"`
		Dependencies object `json:"dependencies,omitempty"`
		Dev          object `json:"devDependencies"`
	}{d.Name, "0.0.0", true, scripts, deps, dev}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "\t")
	if err := enc.Encode(manifest); err != nil {
		panic(err) // plain strings always encode
	}
	return out.Bytes()
}

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

// workerSlug makes a name that Workers and npm accept.
func workerSlug(name string) string {
	name = strings.Trim(notSlug.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if len(name) > 54 {
		name = strings.Trim(name[:54], "-")
	}
	return firstOf(name, "my-worker")
}

// envTypes writes the TypeScript type of each binding, with the methods of what
// is called through it.
func envTypes(workers []trace.Worker) []envField {
	types := map[string]string{
		"text": "string", "secret": "string", "kv": "KVNamespace", "durable": "DurableObjectNamespace", "queue": "Queue",
		"d1": "D1Database", "r2": "R2Bucket", "service": "Fetcher", "assets": "Fetcher", "ratelimit": "RateLimit",
		"analytics": "AnalyticsEngineDataset", "version": "WorkerVersionMetadata", "json": "any",
	}
	mains := map[string]string{}
	for _, w := range workers {
		mains[w.Name] = w.Main
	}
	seen := map[string]bool{}
	var fields []envField
	for _, w := range workers {
		for _, b := range w.Bindings {
			if b.Name == "" || seen[b.Name] || types[b.Type] == "" {
				continue
			}
			seen[b.Name] = true
			text := types[b.Type]
			switch module := moduleType(mains[firstOf(b.Service, w.Name)]); {
			case module == "":
			case b.Type == "durable" && identifier.MatchString(b.Class):
				text += "<" + module + "." + b.Class + ">"
			case b.Type == "service" && identifier.MatchString(b.Entrypoint):
				text = "Service<typeof " + module + "." + b.Entrypoint + ">"
			}
			fields = append(fields, envField{quoteJS(b.Name), text})
		}
	}
	slices.SortFunc(fields, func(a, b envField) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

var identifier = regexp.MustCompile(`^[A-Za-z_$][\w$]*$`)

// moduleType is how a type names the module of a Worker's entry file.
func moduleType(main string) string {
	if main == "" {
		return ""
	}
	switch ext := path.Ext(main); ext {
	case ".ts", ".tsx", ".js", ".jsx":
		main = strings.TrimSuffix(main, ext)
	}
	return "import(" + quoteJS("./"+main) + ")"
}
