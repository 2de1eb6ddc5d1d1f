package bundle

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"coldstart/sandbox/trace"
)

// config is one Worker's configuration: a wrangler file, or what stands in for one.
type config struct {
	dir  string // folder of the Worker, "" for the project itself
	file string // its wrangler file, "" without one

	Main    string
	mainAt  int
	dialect string
	name    string
	nameAt  int
	date    string
	flags   []string
	cpu     time.Duration

	bindings  []trace.Binding
	bindingAt map[string]int // offset of each binding's place, by name
	routes    []string
	routeAt   []int // offset of each route
	crons     []string
	consumers []trace.Consumer
	durables  []string
	plain     []string        // those of durables without SQL
	classAt   map[string]int  // offset of each own Durable Object class
	migrated  map[string]bool // own Durable Object classes that a migration names
	serviceAt map[string]int  // offset of each Worker that a binding names
	parts     []part
	exports   []string // names that its entry file exports
	exported  bool     // whether all of them are known

	assetsDir    string
	assetsAt     int
	assetOptions trace.AssetOptions
}

// part is an export of a Worker that a binding names.
type part struct {
	service, name string
	at            int // its offset
	durable       bool
}

// configNames in the order in which the real tool looks for them.
var configNames = []string{"wrangler.json", "wrangler.jsonc", "wrangler.toml"}

// configs finds the Workers of a project: the wrangler file at its root, and
// one in each folder below that has its own.
func (b *builder) configs() ([]*config, *trace.Fault) {
	var dirs []string
	found := map[string]string{}
	for name := range b.project.Files {
		dir, base := path.Split(name)
		dir = strings.TrimSuffix(dir, "/")
		i := slices.Index(configNames, base)
		if i < 0 || strings.Contains(dir, "node_modules") {
			continue
		}
		if old, ok := found[dir]; !ok {
			dirs = append(dirs, dir)
		} else if slices.Index(configNames, path.Base(old)) < i {
			continue
		}
		found[dir] = name
	}
	if len(dirs) == 0 {
		return []*config{{name: "worker"}}, nil
	}
	slices.Sort(dirs)
	var configs []*config
	for _, dir := range dirs {
		c, f := b.readConfig(dir, found[dir])
		if f != nil {
			return nil, f
		}
		configs = append(configs, c)
	}
	return configs, nil
}

// worker starts a Worker with what its configuration says.
func (c *config) worker(date string) *trace.Worker {
	if c.date != "" {
		date = c.date
	}
	return &trace.Worker{
		Name: c.name, Date: date, Flags: c.flags, Bindings: c.bindings,
		Routes: c.routes, Crons: c.crons, Consumers: c.consumers, Durables: c.durables, Plain: c.plain,
	}
}

// configReader walks a wrangler file. The first wrong thing ends it.
type configReader struct {
	b     *builder
	c     *config
	fault *trace.Fault
}

func (b *builder) readConfig(dir, file string) (*config, *trace.Fault) {
	root, f := b.parseConfig(file, b.project.Files[file])
	if f != nil {
		return nil, f
	}
	c := &config{
		dir: dir, file: file, bindingAt: map[string]int{}, classAt: map[string]int{}, migrated: map[string]bool{}, serviceAt: map[string]int{},
	}
	c.name = path.Base(dir)
	if dir == "" {
		c.name = "worker"
	}
	r := &configReader{b: b, c: c}
	for _, m := range root.members {
		r.top(m)
		if r.fault != nil {
			return nil, r.fault
		}
	}
	r.routesOnce(root)
	if r.fault != nil {
		return nil, r.fault
	}
	for _, class := range c.durables {
		if !c.migrated[class] {
			r.warnAt(c.classAt[class], fmt.Sprintf("No migration names the Durable Object class %q.", class), "A deployment needs "+r.example("migrations", fmt.Sprintf(`[{ "tag": "v1", "new_sqlite_classes": [%q] }]`, class))+".")
		}
	}
	r.secrets(path.Join(dir, ".dev.vars"))
	if r.fault != nil {
		return nil, r.fault
	}
	if c.date == "" {
		b.warn(trace.Warning{
			Message: fmt.Sprintf("%s has no compatibility_date; %s is used.", file, b.cfg.Date),
			Hint:    fmt.Sprintf("Add \"compatibility_date\": %q.", b.cfg.Date),
			Frame:   trace.Frame{File: file, Line: 1},
		})
	}
	return c, nil
}

func (r *configReader) fail(at int, message, hint string) {
	if r.fault == nil {
		r.fault = r.b.configFault(r.c.file, at, message, hint)
	}
}

func (r *configReader) warnAt(at int, message, hint string) {
	line, column := position(string(r.b.project.Files[r.c.file]), at)
	r.b.warn(trace.Warning{Message: message, Hint: hint, Frame: trace.Frame{File: r.c.file, Line: line, Column: column}})
}

// want checks a value's type; example shows what to write.
func (r *configReader) want(m member, k kind, example string) bool {
	if m.node.kind == k {
		return true
	}
	r.fail(m.node.at, fmt.Sprintf("%q must be %s, not %s.", m.key, k, m.node.kind), "Write "+r.example(m.key, example)+".")
	return false
}

// example writes a key and a value as the file's language does.
func (r *configReader) example(key, value string) string {
	if strings.HasSuffix(r.c.file, ".toml") {
		if strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[{") {
			return "a table [" + key + "]"
		}
		return key + " = " + value
	}
	return fmt.Sprintf("%q: %s", key, value)
}

func (r *configReader) str(m member, example string) string {
	if !r.want(m, kindString, example) {
		return ""
	}
	return m.node.value.(string)
}

func (r *configReader) boolean(m member) bool {
	if !r.want(m, kindBool, "true") {
		return false
	}
	return m.node.value.(bool)
}

// number reads a whole number within bounds.
func (r *configReader) number(m member, low, high int) int {
	if !r.want(m, kindNumber, fmt.Sprint(low)) {
		return 0
	}
	f := m.node.value.(float64)
	n := int(f)
	if float64(n) != f || n < low || n > high {
		r.fail(m.node.at, fmt.Sprintf("%q must be a whole number from %d to %d.", m.key, low, high), "")
		return 0
	}
	return n
}

func (r *configReader) list(m member, example string) []*node {
	if !r.want(m, kindList, example) {
		return nil
	}
	return m.node.items
}

func (r *configReader) stringList(m member, example string) []string {
	var out []string
	for _, n := range r.list(m, example) {
		out = append(out, r.str(member{m.key, n}, example))
	}
	return out
}

// object calls f for each member; f reports whether it knows the key.
func (r *configReader) object(key string, n *node, example string, known []string, f func(m member)) {
	if !r.want(member{key, n}, kindObject, example) {
		return
	}
	for _, m := range n.members {
		if r.fault != nil {
			return
		}
		if !slices.Contains(known, m.key) {
			r.unknown(m, known, " in "+key)
			continue
		}
		f(m)
	}
}

func (r *configReader) unknown(m member, known []string, where string) {
	r.warnAt(m.node.keyAt, fmt.Sprintf("Unknown key %q%s is ignored.", m.key, where), didYouMean(m.key, known, ""))
}

// need complains about a key that is missing from an object.
func (r *configReader) need(n *node, key, value, what, example string) {
	if value == "" {
		r.fail(n.at, fmt.Sprintf("%s has no %q.", what, key), "Write "+r.example(key, example)+" in it.")
	}
}

func (r *configReader) bind(n *node, b trace.Binding) {
	if r.fault != nil {
		return
	}
	at := n.at
	if b.Name == "" && b.Type != "assets" {
		r.fail(at, "A binding has an empty name.", "Give it the name that your code uses after env.")
		return
	}
	if _, ok := r.c.bindingAt[b.Name]; ok && b.Name != "" {
		r.fail(at, fmt.Sprintf("Two bindings are named %q.", b.Name), "Rename one; each is a property of env.")
		return
	}
	r.c.bindingAt[b.Name] = at
	r.c.bindings = append(r.c.bindings, b)
}

// Keys that change nothing here, with no word about it.
var quietKeys = set(`$schema account_id workers_dev preview_urls observability upload_source_maps dev send_metrics
	placement logpush dependencies_instrumentation keep_vars compliance_region minify keep_names
	preserve_file_names tsconfig legacy_env first_party_worker previews`)

// Keys that the real tool acts on and this one does not, with what holds instead.
var idleKeys = map[string]string{
	"access":                   "Everybody who may see the project reaches the Worker.",
	"addresses":                "A Worker here gets no mail.",
	"alias":                    "Import the file or package by its own name.",
	"base_dir":                 bySuffix,
	"build":                    "main is read as it is; no command runs before.",
	"cache":                    "Keep answers with caches.default.",
	"connect":                  "No TCP connection reaches a Worker: it answers requests.",
	"define":                   "Write the value into the code, or put it under vars.",
	"env":                      "The settings outside env are used.",
	"exports":                  `Name classes of Durable Objects under "durable_objects" and "migrations".`,
	"find_additional_modules":  bySuffix,
	"jsx_factory":              "",
	"jsx_fragment":             "",
	"no_bundle":                "Workers are always bundled from main and what it imports.",
	"pages_build_output_dir":   "Pages are not run here: use assets for static files, and a main.",
	"python_modules":           "Workers are written in JavaScript or TypeScript here.",
	"rules":                    bySuffix,
	"secrets":                  "Put NAME=value into .dev.vars for each; env.NAME is then the text.",
	"site":                     "Use assets for static files.",
	"streaming_tail_consumers": tails,
	"tail_consumers":           tails,
}

const (
	bySuffix = "Import each file: scripts, .json, .txt, .html, .sql, .bin and .wasm are known by their suffix."
	tails    = "The log of every request is shown here; tail Workers get no events."
)

var topKeys = slices.Concat(keys(quietKeys), keys(idleKeys), keys(trace.AbsentBindings), []string{
	"name", "main", "compatibility_date", "compatibility_flags", "vars", "kv_namespaces", "d1_databases", "r2_buckets",
	"queues", "durable_objects", "migrations", "services", "assets", "route", "routes", "triggers", "ratelimits",
	"analytics_engine_datasets", "version_metadata", "limits", "dialect",
})

//go:embed flags.txt
var flagList string

// knownFlags are the compatibility flags of the real runtime, those that turn a change off among them.
var knownFlags = sync.OnceValue(func() []string { return strings.Fields(flagList) })

var (
	workerName  = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$`)
	datePattern = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
)

func (r *configReader) top(m member) {
	c := r.c
	switch m.key {
	case "name":
		c.name, c.nameAt = r.str(m, `"my-worker"`), m.node.at
		if r.fault == nil && !workerName.MatchString(c.name) {
			r.fail(m.node.at, fmt.Sprintf("The Worker's name %q is not allowed.", shorten(c.name)), "Use up to 63 of a–z, 0–9, - and _, beginning and ending with a letter or digit.")
		}
	case "main":
		c.Main, c.mainAt = path.Clean(r.str(m, `"src/index.ts"`)), m.node.at
	case "dialect":
		c.dialect = r.oneOf(m, dialectNames...)
	case "compatibility_date":
		c.date = r.str(m, `"`+r.b.cfg.Date+`"`)
		if at, err := time.Parse(time.DateOnly, c.date); r.fault == nil && (err != nil || !datePattern.MatchString(c.date)) {
			r.fail(m.node.at, fmt.Sprintf("The compatibility date %q is not a date.", shorten(c.date)), "Write "+r.example(m.key, `"`+r.b.cfg.Date+`"`)+".")
		} else if err == nil && c.date > r.b.cfg.Date && time.Until(at) > 24*time.Hour { // a clock that is behind is ours
			r.warnAt(m.node.at, fmt.Sprintf("The compatibility date %s has not come yet.", c.date), "The real runtime does not start with it: write "+r.example(m.key, `"`+r.b.cfg.Date+`"`)+".")
		}
	case "compatibility_flags":
		c.flags = r.stringList(m, `["nodejs_compat"]`)
		for i, flag := range c.flags {
			if !slices.Contains(knownFlags(), flag) {
				r.warnAt(m.node.items[i].at, fmt.Sprintf("There is no compatibility flag %q.", shorten(flag)), didYouMean(flag, knownFlags(), "The real runtime does not start with it: take it out."))
			}
		}
	case "vars":
		r.vars(m)
	case "kv_namespaces":
		r.kv(m)
	case "d1_databases":
		r.d1(m)
	case "r2_buckets":
		r.r2(m)
	case "queues":
		r.queues(m)
	case "durable_objects":
		r.durables(m)
	case "migrations":
		r.migrations(m)
	case "services":
		r.services(m)
	case "assets":
		r.assets(m)
	case "route":
		r.route(m.node)
	case "routes":
		for _, n := range r.list(m, `["example.com/*"]`) {
			r.route(n)
		}
	case "triggers":
		r.object(m.key, m.node, `{ "crons": ["0 * * * *"] }`, []string{"crons"}, r.cronList)
	case "ratelimits":
		r.rateLimits(m)
	case "analytics_engine_datasets":
		r.analytics(m)
	case "version_metadata":
		r.version(m)
	case "limits":
		r.object(m.key, m.node, `{ "cpu_ms": 50 }`, []string{"cpu_ms", "subrequests"}, func(m member) {
			if m.key == "cpu_ms" {
				c.cpu = time.Duration(r.number(m, 1, 300_000)) * time.Millisecond
			}
		})
	default:
		hint, idle := idleKeys[m.key]
		_, absent := trace.AbsentBindings[m.key]
		switch {
		case quietKeys[m.key]:
		case idle:
			r.warnAt(m.node.keyAt, fmt.Sprintf("%q has no effect here.", m.key), hint)
		case absent:
			r.absent(m)
		default:
			r.unknown(m, topKeys, "")
		}
	}
}

func shorten(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

func (r *configReader) oneOf(m member, values ...string) string {
	s := r.str(m, `"`+values[0]+`"`)
	if r.fault == nil && !slices.Contains(values, s) {
		r.fail(m.node.at, fmt.Sprintf("%q cannot be %q.", m.key, shorten(s)), didYouMean(s, values, "Use one of: "+strings.Join(values, ", ")+"."))
	}
	return s
}

func (r *configReader) vars(m member) {
	if !r.want(m, kindObject, `{ "GREETING": "Hello" }`) {
		return
	}
	for _, v := range m.node.members {
		b := trace.Binding{Name: v.key, Type: "text"}
		if s, ok := v.node.value.(string); ok {
			b.Value = s
		} else {
			text, err := json.Marshal(v.node.plain())
			if err != nil {
				r.fail(v.node.at, fmt.Sprintf("The variable %q cannot be written as JSON.", v.key), "")
				return
			}
			b.Type, b.Value = "json", string(text)
		}
		r.bind(v.node, b)
	}
}

// secrets reads NAME=value lines, as the real tool does during development.
func (r *configReader) secrets(file string) {
	data, ok := r.b.project.Files[file]
	if !ok {
		return
	}
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		text = strings.TrimSpace(text)
		text = strings.TrimPrefix(text, "export ")
		if text == "" || text[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(text, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" {
			r.b.warn(trace.Warning{Message: "A line that is not NAME=value is ignored.", Frame: trace.Frame{File: file, Line: line}})
			continue
		}
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			quote := value[0]
			value = value[1 : n-1]
			if quote == '"' {
				value = strings.ReplaceAll(value, `\n`, "\n")
			}
		}
		// A secret takes the place of a variable of the same name.
		r.c.bindings = slices.DeleteFunc(r.c.bindings, func(b trace.Binding) bool { return b.Name == name })
		r.c.bindings = append(r.c.bindings, trace.Binding{Name: name, Type: "secret", Value: value})
	}
}

// checkReferences looks at what Workers say of each other.
func (b *builder) checkReferences(configs []*config) *trace.Fault {
	names := map[string]*config{}
	var all []string
	for _, c := range configs {
		if other, ok := names[c.name]; ok {
			return b.configFault(c.file, c.nameAt, fmt.Sprintf("Two Workers are named %q: here and in %s.", c.name, other.file), "Give each Worker its own \"name\".")
		}
		names[c.name] = c
		all = append(all, c.name)
	}
	owner := map[string]string{}
	for _, c := range configs {
		for i, route := range c.routes {
			if other, ok := owner[route]; ok {
				return b.configFault(c.file, c.routeAt[i], fmt.Sprintf("The route %q belongs to both %s and %s.", shorten(plainRoute(route)), other, c.name), "Remove it from one of them.")
			}
			owner[route] = c.name
		}
		b.checkParts(c, names)
		for _, service := range keys(c.serviceAt) {
			if names[service] != nil {
				continue
			}
			line, column := position(string(b.project.Files[c.file]), c.serviceAt[service])
			b.warn(trace.Warning{
				Message: fmt.Sprintf("This project has no Worker named %q; calls to it will fail.", shorten(service)),
				Hint:    didYouMean(service, all, ""),
				Frame:   trace.Frame{File: c.file, Line: line, Column: column},
			})
		}
	}
	return nil
}

// checkParts warns of bindings that name what the other Worker does not export:
// the real runtime does not start with them, and here each call fails.
func (b *builder) checkParts(c *config, names map[string]*config) {
	for _, p := range c.parts {
		of := names[p.service]
		if of == nil || !of.exported || slices.Contains(of.exports, p.name) {
			continue
		}
		what, hint := "entrypoint", fmt.Sprintf("Export a class of that name there: export class %s extends WorkerEntrypoint { … }.", shorten(p.name))
		if p.durable {
			what, hint = "Durable Object class", fmt.Sprintf("Write export class %s extends DurableObject { … } there.", shorten(p.name))
		}
		line, column := position(string(b.project.Files[c.file]), p.at)
		b.warn(trace.Warning{
			Message: fmt.Sprintf("The %s %q is not exported by the Worker %q; calls to it will fail.", what, shorten(p.name), of.name),
			Hint:    didYouMean(p.name, of.exports, hint),
			Frame:   trace.Frame{File: c.file, Line: line, Column: column},
		})
	}
}
