package bundle

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"
	"sync"

	"coldstart/sandbox/trace"
)

// DefaultDate is the compatibility date of a Worker whose project names none.
const DefaultDate = "2026-11-01"

// nodeDate is the compatibility date from which nodejs_compat needs no flag.
const nodeDate = "2026-08-04"

// Config is what a build child holds ready for every build. The zero value
// builds without npm packages.
type Config struct {
	// Shelf holds the npm packages that projects may import by name, as OpenShelf
	// returns it. Nil means none.
	Shelf fs.FS
	// Date is the compatibility date of projects without one, YYYY-MM-DD. Empty means DefaultDate.
	Date string
}

func (c Config) withDefaults() Config {
	if c.Date == "" {
		c.Date = DefaultDate
	}
	if c.Shelf != nil {
		c.Shelf = asShelf(c.Shelf)
	}
	return c
}

// Build turns a project into Workers. The result is never nil and holds either
// Workers or a Fault; warnings come with both. The same project gives the same
// result, byte for byte.
//
// Build trusts nothing in p, but a parser can still be made to run long: when
// ctx ends first, Build returns a fault while work goes on behind it, and the
// process must then be replaced. It may be called from several goroutines.
func Build(ctx context.Context, cfg Config, p trace.Project) *trace.Deployment {
	done := make(chan *trace.Deployment, 1)
	go func() {
		b := &builder{cfg: cfg.withDefaults(), project: p, ctx: ctx}
		defer func() {
			if r := recover(); r != nil {
				done <- &trace.Deployment{Fault: &trace.Fault{
					Kind:    trace.FaultPlatform,
					Message: "The bundler failed on this project; that is our mistake, not yours.",
					Hint:    "Undo the last change and try again.",
				}}
			}
		}()
		done <- b.build()
	}()
	select {
	case d := <-done:
		return d
	case <-ctx.Done():
		return &trace.Deployment{Fault: &trace.Fault{
			Kind:    trace.FaultLimit,
			Message: "Building this project took too long and was stopped.",
			Hint:    "Look for very long or deeply nested expressions and split them.",
		}}
	}
}

// builder is one build of one project.
type builder struct {
	cfg     Config
	project trace.Project
	ctx     context.Context
	limits  trace.Limits

	mu       sync.Mutex // esbuild asks from several goroutines
	warnings []trace.Warning
	more     int // warnings beyond warningsMax
}

// warningsMax is how many warnings of one build are kept: each line of a file can
// make one.
const warningsMax = 100

func (b *builder) warn(w trace.Warning) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if slices.Contains(b.warnings, w) {
		return // of a file that several Workers share
	}
	if len(b.warnings) == warningsMax {
		b.more++
		return
	}
	b.warnings = append(b.warnings, w)
}

func (b *builder) build() *trace.Deployment {
	b.limits = withLimits(b.project.Limits)
	if f := b.checkFiles(); f != nil {
		return b.failed(f)
	}
	configs, f := b.configs()
	if f != nil {
		return b.failed(f)
	}
	d := &trace.Deployment{}
	for _, c := range configs {
		w, f := b.worker(c)
		if f != nil {
			return b.failed(f)
		}
		d.Workers = append(d.Workers, *w)
	}
	if f := b.checkReferences(configs); f != nil {
		return b.failed(f)
	}
	d.Warnings = b.sortedWarnings()
	return d
}

func (b *builder) failed(f *trace.Fault) *trace.Deployment {
	return &trace.Deployment{Fault: f, Warnings: b.sortedWarnings()}
}

func (b *builder) sortedWarnings() []trace.Warning {
	slices.SortStableFunc(b.warnings, func(x, y trace.Warning) int {
		if c := strings.Compare(x.Frame.File, y.Frame.File); c != 0 {
			return c
		}
		return x.Frame.Line - y.Frame.Line
	})
	out := slices.Compact(b.warnings)
	if b.more > 0 {
		out = append(out, trace.Warning{Message: fmt.Sprintf("More than %d warnings; the rest is not shown: %d.", warningsMax, b.more)})
	}
	return out
}

// withLimits fills in what a build needs of the limits.
func withLimits(l trace.Limits) trace.Limits {
	d := trace.Default()
	if l.Source <= 0 {
		l.Source = d.Source
	}
	if l.Files <= 0 {
		l.Files = d.Files
	}
	if l.Bundle <= 0 {
		l.Bundle = d.Bundle
	}
	return l
}

// checkFiles applies the limits on number, size and names.
func (b *builder) checkFiles() *trace.Fault {
	files := b.project.Files
	limit := func(message, hint, file string) *trace.Fault {
		f := &trace.Fault{Kind: trace.FaultLimit, Message: message, Hint: hint}
		if file != "" {
			f.Frames = []trace.Frame{{File: file}}
		}
		return f
	}
	if len(files) == 0 {
		return &trace.Fault{Kind: trace.FaultBuild, Message: "The project has no files.", Hint: "Add src/index.ts with a default export that has a fetch method."}
	}
	if len(files) > b.limits.Files {
		return limit(fmt.Sprintf("The project has %d files; the limit is %d.", len(files), b.limits.Files), "Remove or join some.", "")
	}
	if err := CheckNames(files); err != nil {
		return &trace.Fault{Kind: trace.FaultBuild, Message: sentence(err.Error())}
	}
	total, largest, size := int64(0), "", -1
	for name, data := range files {
		total += int64(len(data))
		if len(data) > size || len(data) == size && name < largest {
			largest, size = name, len(data)
		}
	}
	if total > b.limits.Source {
		return limit(
			fmt.Sprintf("The project's files are %s together; the limit is %s.", overText(total), bytesText(b.limits.Source)),
			fmt.Sprintf("The largest is %s with %s.", largest, bytesText(int64(size))), largest)
	}
	return nil
}

// overText writes a size that is over a limit: rounded up, so that it never
// reads as the limit itself.
func overText(n int64) string {
	for _, unit := range []struct {
		bytes int64
		name  string
	}{{1 << 20, " MiB"}, {1 << 10, " KiB"}} {
		switch {
		case n >= 10*unit.bytes:
			return fmt.Sprint((n+unit.bytes-1)/unit.bytes, unit.name)
		case n >= unit.bytes:
			return strings.TrimSuffix(fmt.Sprintf("%.1f", math.Ceil(10*float64(n)/float64(unit.bytes))/10), ".0") + unit.name
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// bytesText writes a size as people read it.
func bytesText(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<20:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/(1<<20)), ".0") + " MiB"
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// sentence turns an error's text into a sentence.
func sentence(s string) string {
	if s == "" {
		return s
	}
	if first, _, _ := strings.Cut(s, " "); !strings.ContainsAny(first, "./") { // not a file name
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// entryNames are tried in this order when nothing names the entry file.
var entryNames = []string{
	"src/index.ts", "src/index.js", "src/index.tsx", "src/index.jsx", "src/index.mjs",
	"index.ts", "index.js", "index.tsx", "index.jsx", "index.mjs", "index.cjs",
	"worker.ts", "worker.js", "worker.mjs", "src/worker.ts", "src/worker.js",
}

// entry chooses a Worker's entry file.
func (b *builder) entry(c *config) (string, *trace.Fault) {
	files := b.project.Files
	if c.Main != "" {
		main := path.Join(c.dir, c.Main)
		if _, ok := files[main]; ok {
			return main, nil
		}
		f := &trace.Fault{
			Kind:    trace.FaultConfig,
			Message: fmt.Sprintf("%s names the entry file %q, which does not exist.", c.file, c.Main),
			Hint:    didYouMean(main, b.scripts(c.dir), "Create it, or change \"main\"."),
		}
		b.place(f, c.file, c.mainAt)
		return "", f
	}
	if c.file == "" && b.project.Main != "" {
		if _, ok := files[b.project.Main]; ok {
			return b.project.Main, nil
		}
		return "", &trace.Fault{
			Kind:    trace.FaultBuild,
			Message: fmt.Sprintf("The entry file %q does not exist.", b.project.Main),
			Hint:    didYouMean(b.project.Main, b.scripts(""), "Create it, or choose another entry file."),
		}
	}
	for _, name := range entryNames {
		name = path.Join(c.dir, name)
		if _, ok := files[name]; ok {
			return name, nil
		}
	}
	if scripts := b.scripts(c.dir); len(scripts) == 1 {
		return scripts[0], nil
	}
	where := "The project"
	if c.dir != "" {
		where = "The folder " + c.dir
	}
	return "", &trace.Fault{
		Kind:    trace.FaultBuild,
		Message: where + " has no entry file.",
		Hint:    "Create src/index.ts or src/index.js, or name the file as \"main\" in wrangler.jsonc.",
	}
}

// scripts lists the script files below a folder, sorted.
func (b *builder) scripts(dir string) []string {
	var names []string
	for name := range b.project.Files {
		if isScript(name) && (dir == "" || strings.HasPrefix(name, dir+"/")) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// worker builds one Worker.
func (b *builder) worker(c *config) (*trace.Worker, *trace.Fault) {
	w := c.worker(b.cfg.Date)
	w.Limits = b.project.Limits
	if most := cmp.Or(w.Limits.CPU, trace.Default().CPU); c.cpu > 0 && c.cpu < most {
		w.Limits.CPU = c.cpu // a project may ask for less than it is given, not for more
	}
	if c.Main == "" && c.assetsOnly(b) {
		w.Code = assetsOnlyCode
	} else {
		entry, f := b.entry(c)
		if f != nil {
			return nil, f
		}
		w.Main = entry
		if f := b.compile(c, w, entry); f != nil {
			return nil, f
		}
	}
	if f := b.assets(c, w); f != nil {
		return nil, f
	}
	if size := int64(len(w.Code)); size > b.limits.Bundle {
		return nil, &trace.Fault{
			Kind:    trace.FaultLimit,
			Message: fmt.Sprintf("The bundled Worker is %s; the limit is %s.", overText(size), bytesText(b.limits.Bundle)),
			Hint:    "Import less, or smaller packages.",
		}
	}
	w.Version = version(w)
	return w, nil
}

// version hashes what makes one version of a Worker differ from another.
func version(w *trace.Worker) string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	parts := []any{
		w.Name, w.Code, w.SourceMap, w.Wasm, w.Date, w.Flags, w.Bindings, w.Routes, w.Crons, w.Consumers, w.Assets, w.Classic, w.Durables, w.Limits,
	}
	if len(w.Plain) > 0 { // others keep the version that they had before there was this
		parts = append(parts, w.Plain)
	}
	for _, part := range parts {
		if err := enc.Encode(part); err != nil {
			panic(err) // plain data always encodes
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
