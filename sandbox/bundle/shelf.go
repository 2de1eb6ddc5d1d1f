package bundle

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evanw/esbuild/pkg/api"
)

// shelfPackages are what learners may import by name. hono and itty-router are
// the routers made for Workers, express is what people come from, zod and nanoid are
// the two small things that lessons reach for: checking input and making ids.
// What these depend on comes along.
var shelfPackages = []string{"express", "hono", "itty-router", "nanoid", "zod"}

// ShelfNames are the packages that projects may import by name, sorted.
func ShelfNames() []string { return slices.Sorted(slices.Values(shelfPackages)) }

// ShelfPackage is one package that projects may import.
type ShelfPackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	License string `json:"license"`
}

// PackShelf writes the shelf's packages from a node_modules folder, with what
// they depend on, as one archive for OpenShelf. The same folder gives the same bytes. It
// belongs to the build of the binary and reads the disk.
func PackShelf(nodeModules string, w io.Writer) error {
	names, err := shelfClosure(os.DirFS(nodeModules))
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, flateBest)
	for _, name := range names {
		if err := packPackage(z, nodeModules, name); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
	}
	return z.Close()
}

func flateBest(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) }

// shelfClosure lists the shelf's packages and their dependencies, sorted.
func shelfClosure(modules fs.FS) ([]string, error) {
	seen := map[string]bool{}
	todo := slices.Clone(shelfPackages)
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if seen[name] {
			continue
		}
		seen[name] = true
		data, err := fs.ReadFile(modules, name+"/package.json")
		if err != nil {
			return nil, fmt.Errorf("package %s: %w", name, err)
		}
		var p packageJSON
		if err := json.Unmarshal(data, &p); err != nil {
			return nil, fmt.Errorf("package %s: %w", name, err)
		}
		todo = append(todo, keys(p.Dependencies)...)
	}
	return keys(seen), nil
}

func packPackage(z *zip.Writer, modules, name string) error {
	root := filepath.Join(modules, filepath.FromSlash(name))
	manifest, err := os.ReadFile(filepath.Join(root, "package.json"))
	if err != nil {
		return err
	}
	var p packageJSON
	if err := json.Unmarshal(manifest, &p); err != nil {
		return err
	}
	return filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && slices.Contains([]string{"node_modules", "src", "test", "tests", "bench", "cjs", "bin", ".github"}, d.Name()) && !p.needs(rel) {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !packed(rel, p.Type == "module" || p.Module != "") {
			return nil
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: name + "/" + rel, Method: zip.Deflate, Modified: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
		out, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = out.Write(data)
		return err
	})
}

// packed chooses the files worth carrying: code, types, manifest and licence.
func packed(rel string, esm bool) bool {
	base := path.Base(rel)
	if base == "package.json" || strings.HasPrefix(strings.ToUpper(base), "LICENSE") {
		return true
	}
	switch {
	case strings.HasSuffix(base, ".d.cts"), strings.HasSuffix(base, ".d.mts"), strings.HasSuffix(base, ".min.js"):
		return false
	case strings.HasSuffix(base, ".cjs"):
		return !esm
	}
	return slices.Contains([]string{".js", ".mjs", ".json", ".ts"}, path.Ext(base))
}

// packageJSON is what resolution needs of a manifest.
type packageJSON struct {
	Name         string            `json:"name"`
	Version      string            `json:"version"`
	License      string            `json:"license"`
	Type         string            `json:"type"`
	Main         entryPath         `json:"main"`
	Module       entryPath         `json:"module"`
	Browser      json.RawMessage   `json:"browser"`
	Exports      json.RawMessage   `json:"exports"`
	Imports      json.RawMessage   `json:"imports"`
	SideEffects  json.RawMessage   `json:"sideEffects"`
	Dependencies map[string]string `json:"dependencies"`
}

// entryPath is a path, or "" where a manifest has something else.
type entryPath string

// UnmarshalJSON implements json.Unmarshaler.
func (e *entryPath) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		*e = entryPath(s)
	}
	return nil
}

// needs reports that a manifest points into a folder.
func (p *packageJSON) needs(dir string) bool {
	in := "./" + dir + "/"
	return strings.HasPrefix("./"+strings.TrimPrefix(string(p.Main), "./"), in) && p.Module == "" && len(p.Exports) == 0 ||
		bytes.Contains(p.Browser, []byte(in))
}

// OpenShelf opens an archive of PackShelf. Files are unpacked when first read
// and kept. The result is safe for concurrent use and lives as long as the process.
func OpenShelf(archive []byte) (fs.FS, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("open shelf: %w", err)
	}
	return newShelf(z), nil
}

// Packages lists what projects may import from a shelf, sorted by name.
func Packages(shelf fs.FS) []ShelfPackage {
	s := asShelf(shelf)
	var list []ShelfPackage
	for _, name := range shelfPackages {
		if p := s.manifest(name); p != nil {
			list = append(list, ShelfPackage{Name: p.Name, Version: p.Version, License: p.License})
		}
	}
	return list
}

// shelf is a file system of packages with what was read of it.
type shelf struct {
	files fs.FS

	mu        sync.Mutex
	texts     map[string]*string // nil: no such file
	manifests map[string]*packageJSON
}

func newShelf(files fs.FS) *shelf {
	return &shelf{files: files, texts: map[string]*string{}, manifests: map[string]*packageJSON{}}
}

func asShelf(f fs.FS) *shelf {
	if f == nil {
		return nil
	}
	if s, ok := f.(*shelf); ok {
		return s
	}
	return newShelf(f)
}

// Open implements fs.FS.
func (s *shelf) Open(name string) (fs.File, error) { return s.files.Open(name) }

func (s *shelf) read(name string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.texts[name]; ok {
		if t == nil {
			return "", false
		}
		return *t, true
	}
	data, err := fs.ReadFile(s.files, name)
	if err != nil {
		s.texts[name] = nil
		return "", false
	}
	text := string(data)
	s.texts[name] = &text
	return text, true
}

func (s *shelf) exists(name string) bool {
	if s == nil {
		return false
	}
	_, ok := s.read(name)
	return ok
}

// manifest reads a package's manifest, nil when there is none.
func (s *shelf) manifest(name string) *packageJSON {
	if s == nil {
		return nil
	}
	text, ok := s.read(name + "/package.json")
	if !ok {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.manifests[name]; ok {
		return p
	}
	p := &packageJSON{}
	if json.Unmarshal([]byte(text), p) != nil {
		p = nil
	}
	s.manifests[name] = p
	return p
}

// splitPackage parts "@scope/name/sub/path" into the package and "./sub/path".
func splitPackage(spec string) (name, sub string) {
	parts := strings.SplitN(spec, "/", 3)
	n := 1
	if strings.HasPrefix(spec, "@") && len(parts) > 1 {
		n = 2
	}
	name = strings.Join(parts[:n], "/")
	if rest := strings.TrimPrefix(spec[len(name):], "/"); rest != "" {
		return name, "./" + rest
	}
	return name, "."
}

var errNoExport = errors.New("not exported")

// lookup resolves a package's subpath to a file of the shelf.
func (s *shelf) lookup(name, sub string, require bool) (string, error) {
	p := s.manifest(name)
	if p == nil {
		return "", fs.ErrNotExist
	}
	var target string
	switch {
	case len(p.Exports) > 0:
		t, err := exportTarget(p.Exports, sub, conditions(require))
		if err != nil {
			return "", err
		}
		target = t
	case sub == ".":
		var browser string
		if json.Unmarshal(p.Browser, &browser) != nil {
			browser = ""
		}
		target = firstOf(browser, string(p.Module), string(p.Main), "index.js")
	default:
		target = sub
	}
	file, ok := findPackaged(path.Join(name, target), s.exists)
	if !ok {
		return "", errNoExport
	}
	return file, nil
}

// conditions of the exports map, in the order that the real toolchain has.
func conditions(require bool) []string {
	how := "import"
	if require {
		how = "require"
	}
	return []string{"workerd", "worker", "browser", how, "module", "default"}
}

// findPackaged finds a file as Node's require does.
func findPackaged(name string, exists func(string) bool) (string, bool) {
	for _, try := range []string{name, name + ".js", name + ".mjs", name + ".cjs", name + ".json", name + "/index.js", name + "/index.mjs"} {
		if path.Ext(try) != "" && exists(try) {
			return try, true
		}
	}
	return "", false
}

// exportTarget walks an exports or imports map.
func exportTarget(raw json.RawMessage, sub string, conds []string) (string, error) {
	entries, order := objectOf(raw)
	if entries == nil || len(order) > 0 && !strings.HasPrefix(order[0], ".") && !strings.HasPrefix(order[0], "#") {
		if sub != "." {
			return "", errNoExport
		}
		return conditionTarget(raw, "", conds)
	}
	if v, ok := entries[sub]; ok {
		return conditionTarget(v, "", conds)
	}
	best, star := "", ""
	for _, key := range order {
		before, after, ok := strings.Cut(key, "*")
		if !ok || !strings.HasPrefix(sub, before) || !strings.HasSuffix(sub, after) || len(sub) < len(before)+len(after) {
			continue
		}
		if len(key) > len(best) {
			best, star = key, sub[len(before):len(sub)-len(after)]
		}
	}
	if best == "" {
		return "", errNoExport
	}
	return conditionTarget(entries[best], star, conds)
}

func conditionTarget(raw json.RawMessage, star string, conds []string) (string, error) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		if s == "" {
			return "", errNoExport
		}
		return strings.ReplaceAll(s, "*", star), nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		for _, item := range list {
			if t, err := conditionTarget(item, star, conds); err == nil {
				return t, nil
			}
		}
		return "", errNoExport
	}
	entries, order := objectOf(raw)
	for _, key := range order {
		if slices.Contains(conds, key) {
			if t, err := conditionTarget(entries[key], star, conds); err == nil {
				return t, nil
			}
		}
	}
	return "", errNoExport
}

// objectOf reads a JSON object and the order of its keys, which matters for conditions.
func objectOf(raw json.RawMessage) (map[string]json.RawMessage, []string) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil
	}
	entries := map[string]json.RawMessage{}
	var order []string
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, nil
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return nil, nil
		}
		key, _ := t.(string)
		entries[key] = v
		order = append(order, key)
	}
	return entries, order
}

func (b *builder) onShelf(spec string) bool {
	name, _ := splitPackage(spec)
	return asShelf(b.cfg.Shelf).manifest(name) != nil
}

// resolvePackage finds a bare specifier on the shelf.
func (r *resolver) resolvePackage(spec string, args api.OnResolveArgs) api.OnResolveResult {
	s := asShelf(r.b.cfg.Shelf)
	if args.Namespace == nsProject || args.Namespace == nsAdapter {
		if adapter, ok := adapterModules[spec]; ok {
			return api.OnResolveResult{Path: adapter, Namespace: nsAdapter}
		}
	}
	require := args.Kind == api.ResolveJSRequireCall || args.Kind == api.ResolveJSRequireResolve
	if strings.HasPrefix(spec, "#") && args.Namespace == nsShelf {
		name, _ := splitPackage(args.Importer)
		p := s.manifest(name)
		target, err := exportTarget(p.Imports, spec, conditions(require))
		if err == nil {
			return r.shelfFile(path.Join(name, target))
		}
	}
	name, sub := splitPackage(spec)
	if args.Namespace == nsShelf && r.browserFalse(args.Importer, spec) {
		return emptyModule
	}
	direct := args.Namespace != nsProject || slices.Contains(shelfPackages, name)
	if s != nil && direct {
		file, err := s.lookup(name, sub, require)
		if err == nil {
			return r.shelfFile(file)
		}
		if errors.Is(err, errNoExport) && args.Namespace == nsProject {
			return refused(fmt.Sprintf("The package %q has no part %q.", name, strings.TrimPrefix(sub, "./")), didYouMean(spec, s.subpaths(name), "Look at the package's documentation for its parts."))
		}
	}
	if args.Namespace == nsShelf || args.Kind == api.ResolveJSDynamicImport {
		return r.missing(spec, args)
	}
	if nodeModules[spec] {
		return refused(fmt.Sprintf("The import %q needs Node compatibility.", spec), `Add "nodejs_compat" to "compatibility_flags" in wrangler.jsonc.`)
	}
	if name, ok := findFile(path.Join(path.Dir(args.Importer), spec), r.b.exists); ok {
		return refused(fmt.Sprintf("There is no package %q.", spec), fmt.Sprintf("A file of the project is imported with ./: %q.", relativeImport(args.Importer, name)))
	}
	return refused(fmt.Sprintf("The package %q is not available.", shorten(name)), shelfHint(name, s))
}

func shelfHint(name string, s *shelf) string {
	if s == nil {
		return "No packages are installed here; use files of the project and the Workers API."
	}
	if n := nearest(name, shelfPackages); n != "" {
		return fmt.Sprintf("Did you mean %q?", n)
	}
	return "Available are " + strings.Join(shelfPackages[:len(shelfPackages)-1], ", ") + " and " + shelfPackages[len(shelfPackages)-1] + "."
}

func (s *shelf) subpaths(name string) []string {
	p := s.manifest(name)
	_, order := objectOf(p.Exports)
	for i, sub := range order {
		order[i] = path.Join(name, sub)
	}
	return order
}

// resolveInShelf finds a file beside another of the same package.
func (r *resolver) resolveInShelf(spec string, args api.OnResolveArgs) api.OnResolveResult {
	s := asShelf(r.b.cfg.Shelf)
	name, _ := splitPackage(args.Importer)
	joined := path.Join(path.Dir(args.Importer), spec)
	file, ok := findPackaged(joined, s.exists)
	if !ok || !strings.HasPrefix(file, name+"/") {
		return r.missing(spec, args)
	}
	return r.shelfFile(file)
}

// browserFalse reports a dependency that a package replaces with nothing.
func (r *resolver) browserFalse(importer, spec string) bool {
	name, _ := splitPackage(importer)
	p := asShelf(r.b.cfg.Shelf).manifest(name)
	if p == nil {
		return false
	}
	m, _ := objectOf(p.Browser)
	return string(m[spec]) == "false"
}

// shelfFile applies the package's browser map to one of its files.
func (r *resolver) shelfFile(file string) api.OnResolveResult {
	s := asShelf(r.b.cfg.Shelf)
	name, sub := splitPackage(file)
	p := s.manifest(name)
	m, _ := objectOf(p.Browser)
	for _, key := range []string{sub, strings.TrimSuffix(sub, ".js")} {
		v, ok := m[key]
		if !ok {
			continue
		}
		if string(v) == "false" {
			return emptyModule
		}
		var to string
		if json.Unmarshal(v, &to) == nil {
			file = path.Join(name, to)
		}
	}
	res := api.OnResolveResult{Path: file, Namespace: nsShelf}
	if p.pure(file[len(name)+1:]) {
		res.SideEffects = api.SideEffectsFalse
	}
	return res
}

// emptyModule stands for what a package replaces with nothing.
var emptyModule = api.OnResolveResult{Path: "(empty)", Namespace: nsShelf}

// loadShelf gives esbuild a file of a package.
func (b *builder) loadShelf(name string) api.OnLoadResult {
	text, _ := asShelf(b.cfg.Shelf).read(name) // "" for the empty module
	loader := api.LoaderJS
	if path.Ext(name) == ".json" {
		loader = api.LoaderJSON
	}
	if name == zodLocales && !b.mentions("locales") {
		text = "export { default as en } from \"./en.js\";"
	}
	return api.OnLoadResult{Contents: &text, Loader: loader, ResolveDir: "/"}
}

// zodLocales lists zod's messages in 50 languages. The bundler keeps them all,
// 300 kB, because z is one object; code that never says "locales" reaches only English.
const zodLocales = "zod/v4/locales/index.js"

// mentions reports a word anywhere in the project's scripts.
func (b *builder) mentions(word string) bool {
	for name, data := range b.project.Files {
		if isScript(name) && bytes.Contains(data, []byte(word)) {
			return true
		}
	}
	return false
}

// pure reports that a package says of its file that importing it does nothing by itself.
func (p *packageJSON) pure(file string) bool {
	if string(p.SideEffects) == "false" {
		return true
	}
	var list []string
	if len(p.SideEffects) == 0 || json.Unmarshal(p.SideEffects, &list) != nil {
		return false
	}
	return !slices.ContainsFunc(list, func(pattern string) bool {
		pattern = strings.TrimPrefix(pattern, "./")
		if ok, err := path.Match(pattern, file); ok || err != nil {
			return true
		}
		ok, err := path.Match(strings.TrimPrefix(pattern, "**/"), path.Base(file))
		return ok || err != nil
	})
}
