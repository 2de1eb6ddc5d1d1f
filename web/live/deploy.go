package live

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
)

// A Deployer builds projects and deploys them, each content once. The zero
// value is not usable; NewDeployer makes one.
type Deployer struct {
	door    sandbox.Door
	store   Store
	log     *slog.Logger
	ceiling trace.Limits
	build   string // marks what this program has built

	// Changed is told the public name of a project before something else than
	// was there is deployed as it; nil for nobody. It must not call the Deployer.
	Changed func(slug string)

	mu   sync.Mutex
	done map[sandbox.Key]*deployed
	wg   sync.WaitGroup
}

// deployed is what the sandbox has of one project. Its lock is held while the
// project is built, so that two runs of one change build it once.
type deployed struct {
	mu     sync.Mutex
	source string // hash of what is deployed; "" for nothing
	of     string // public name of the project that it is of: a new one may have an old one's key
	newest int64  // latest revision of it that was deployed
	fault  *trace.Fault
	warn   []trace.Warning
}

// has notes what is deployed now.
func (e *deployed) has(p classroom.Project, source string, fault *trace.Fault, warn []trace.Warning) {
	if e.of != p.Slug {
		e.of, e.newest = p.Slug, 0
	}
	e.source, e.fault, e.warn, e.newest = source, fault, warn, max(e.newest, p.Revision)
}

// maxDeployed is how many projects a Deployer remembers. A forgotten one is
// deployed again from the store by its next request.
const maxDeployed = 10_000

// NewDeployer makes a Deployer. build names the running binary: bundles that
// another one made are built anew. ceiling bounds what projects may ask for.
func NewDeployer(door sandbox.Door, store Store, log *slog.Logger, ceiling trace.Limits, build string) *Deployer {
	mark := sha256.Sum256([]byte(build))
	return &Deployer{door: door, store: store, log: log, ceiling: ceiling, build: hex.EncodeToString(mark[:8]) + ".", done: map[sandbox.Key]*deployed{}}
}

// Deployed says what a project's requests meet from now on.
type Deployed struct {
	Built    int64           // microseconds that the build took, 0 when nothing was to be built
	Fault    *trace.Fault    // why it could not be built; then the earlier version, if any, still answers
	Warnings []trace.Warning // of the build
}

// Deploy makes the given state of a project the one that answers. A fault of
// the learner's code is in the result; an error is the platform's.
func (d *Deployer) Deploy(ctx context.Context, p classroom.Project) (Deployed, error) {
	return d.deploy(ctx, p, true)
}

// DeployNewest is Deploy for a state that was the newest when it was read: if a
// later one was deployed meanwhile, that stays.
func (d *Deployer) DeployNewest(ctx context.Context, p classroom.Project) (Deployed, error) {
	return d.deploy(ctx, p, false)
}

func (d *Deployer) deploy(ctx context.Context, p classroom.Project, back bool) (Deployed, error) {
	key := Key(p)
	source, err := d.hash(p)
	if err != nil {
		return Deployed{}, err
	}
	e := d.entry(key)
	e.mu.Lock()
	defer e.mu.Unlock()
	later := e.source != "" && e.of == p.Slug && e.newest > p.Revision
	if e.source == source || later && !back {
		if e.of == p.Slug {
			e.newest = max(e.newest, p.Revision)
		}
		return Deployed{Fault: e.fault, Warnings: e.warn}, nil
	}
	if d.Changed != nil {
		d.Changed(p.Slug)
	}
	if e.source == "" {
		if dep, ok := d.stored(ctx, p, source); ok {
			if err := d.door.Deploy(ctx, key, dep); err != nil {
				return Deployed{}, fmt.Errorf("deploy project %q again: %w", p.ID, err)
			}
			e.has(p, source, nil, dep.Warnings)
			return Deployed{Warnings: dep.Warnings}, nil
		}
	}
	project, err := Sources(p, d.ceiling)
	if err != nil {
		return Deployed{}, err
	}
	begin := time.Now()
	dep, err := d.door.Build(ctx, key, project)
	if err != nil {
		return Deployed{}, fmt.Errorf("build project %q: %w", p.ID, err)
	}
	built := time.Since(begin).Microseconds()
	if dep.Fault != nil {
		// Remembered too: a broken project that is asked often is built once. A
		// fault of ours is forgotten, because the next build may succeed.
		if ours := dep.Fault.Kind == trace.FaultPlatform || dep.Fault.Kind == trace.FaultBusy || dep.Fault.Kind == trace.FaultRunner || dep.Fault.Kind == trace.FaultCanceled; !ours {
			e.has(p, source, dep.Fault, dep.Warnings)
		}
		return Deployed{Built: built, Fault: dep.Fault, Warnings: dep.Warnings}, nil
	}
	if err := d.door.Deploy(ctx, key, dep); err != nil {
		return Deployed{}, fmt.Errorf("deploy project %q: %w", p.ID, err)
	}
	e.has(p, source, nil, dep.Warnings)
	d.keep(ctx, p, source, dep)
	return Deployed{Built: built, Warnings: dep.Warnings}, nil
}

// Forget makes the next Deploy of a project talk to the sandbox again, because
// the sandbox said that it does not know the project.
func (d *Deployer) Forget(key sandbox.Key) {
	e := d.entry(key)
	e.mu.Lock()
	e.source = ""
	e.mu.Unlock()
}

// Close waits for deployments that are being written.
func (d *Deployer) Close() { d.wg.Wait() }

func (d *Deployer) entry(key sandbox.Key) *deployed {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.done[key]
	if e == nil {
		for old := range d.done {
			if len(d.done) < maxDeployed {
				break
			}
			delete(d.done, old)
		}
		e = &deployed{}
		d.done[key] = e
	}
	return e
}

// stored finds a bundle of exactly this source in the store.
func (d *Deployer) stored(ctx context.Context, p classroom.Project, source string) (*trace.Deployment, bool) {
	kept, err := d.store.Deployment(ctx, p.Workspace, p.ID)
	if err != nil {
		if !errors.Is(err, classroom.ErrNotFound) {
			d.log.Error("deployment not read", "error", err)
		}
		return nil, false
	}
	if kept.Source != source {
		return nil, false
	}
	dep := &trace.Deployment{}
	if err := cbor.Unmarshal(kept.Bundle, dep); err != nil {
		d.log.Error("deployment not decoded", "error", err)
		return nil, false
	}
	return dep, true
}

// Restore gives what is kept as deployed under a key, for a sandbox that has
// dropped it: nil when there is nothing, or nothing that this program built.
func (d *Deployer) Restore(ctx context.Context, key sandbox.Key) (*trace.Deployment, error) {
	kept, err := d.store.Deployment(ctx, key.Learner, key.Project)
	if errors.Is(err, classroom.ErrNotFound) || err == nil && !strings.HasPrefix(kept.Source, d.build) {
		return nil, nil
	}
	dep := &trace.Deployment{}
	if err == nil {
		err = cbor.Unmarshal(kept.Bundle, dep)
	}
	if err != nil {
		return nil, fmt.Errorf("read what is deployed as project %q: %w", key.Project, err)
	}
	return dep, nil
}

// keep writes the deployment beside the run that waits for it: losing it costs
// one build after a restart, nothing else.
func (d *Deployer) keep(ctx context.Context, p classroom.Project, source string, dep *trace.Deployment) {
	d.wg.Go(func() {
		bundle, err := cbor.Marshal(dep)
		if err == nil {
			err = d.store.SaveDeployment(context.WithoutCancel(ctx), p.Workspace, p.ID, classroom.Deployment{Revision: p.Revision, Source: source, Bundle: bundle})
		}
		if err != nil {
			d.log.Error("deployment not kept", "error", err)
		}
	})
}

// Key is a project's name in the sandbox.
func Key(p classroom.Project) sandbox.Key {
	return sandbox.Key{Learner: p.Workspace, Project: p.ID}
}

func (d *Deployer) hash(p classroom.Project) (string, error) {
	settings, err := json.Marshal(p.Settings)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	add := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	add(settings)
	for _, name := range p.Files.Names() {
		add([]byte(name))
		add(p.Files[name])
	}
	return d.build + hex.EncodeToString(h.Sum(nil)), nil
}

// CodeHash names the content of a project's files.
func CodeHash(f classroom.Files) string {
	h := sha256.New()
	for _, name := range f.Names() {
		fmt.Fprintf(h, "%d %s %d ", len(name), name, len(f[name]))
		h.Write(f[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Sources is a project as the sandbox builds it. Bindings that were set beside
// the files become a wrangler file; a project with a wrangler file of its own
// and bindings beside it is an *InputError, because neither may win silently.
func Sources(p classroom.Project, ceiling trace.Limits) (trace.Project, error) {
	out := trace.Project{Files: p.Files, Main: p.Settings.Main, Limits: limits(p.Settings.Limits, ceiling)}
	if len(p.Settings.Env) == 0 && len(p.Settings.Bindings) == 0 {
		return out, nil
	}
	for name := range p.Files {
		if IsWrangler(name) {
			return out, &InputError{Message: fmt.Sprintf("The project has %s, so its bindings belong into that file. Take them out of the settings.", name)}
		}
	}
	config, err := Wrangler(p)
	if err != nil {
		return out, err
	}
	out.Files = make(map[string][]byte, len(p.Files)+1)
	for name, data := range p.Files {
		out.Files[name] = data
	}
	out.Files["wrangler.jsonc"] = config
	return out, nil
}

// IsWrangler reports whether a path is a wrangler configuration file.
func IsWrangler(name string) bool {
	base := path.Base(name)
	return base == "wrangler.jsonc" || base == "wrangler.json" || base == "wrangler.toml"
}

// Wrangler writes the wrangler.jsonc that says what a project's settings say.
// A binding of an unknown kind is an *InputError.
func Wrangler(p classroom.Project) ([]byte, error) {
	type kv struct {
		Binding string `json:"binding"`
		ID      string `json:"id"`
	}
	type bucket struct {
		Binding string `json:"binding"`
		Name    string `json:"bucket_name"`
	}
	type database struct {
		Binding string `json:"binding"`
		ID      string `json:"database_id"`
		Name    string `json:"database_name"`
	}
	type producer struct {
		Binding string `json:"binding"`
		Queue   string `json:"queue"`
	}
	config := struct {
		Name   string                     `json:"name"`
		Main   string                     `json:"main,omitempty"`
		Date   string                     `json:"compatibility_date"`
		Vars   map[string]json.RawMessage `json:"vars,omitempty"`
		KV     []kv                       `json:"kv_namespaces,omitempty"`
		R2     []bucket                   `json:"r2_buckets,omitempty"`
		D1     []database                 `json:"d1_databases,omitempty"`
		Queues *struct {
			Producers []producer `json:"producers"`
		} `json:"queues,omitempty"`
	}{Name: workerName(p.ID), Main: mainFile(p), Date: "2026-11-01", Vars: p.Settings.Env}
	names := make([]string, 0, len(p.Settings.Bindings))
	for name := range p.Settings.Bindings {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		id := strings.ToLower(name)
		switch kind := p.Settings.Bindings[name]; kind {
		case "kv":
			config.KV = append(config.KV, kv{name, id})
		case "r2":
			config.R2 = append(config.R2, bucket{name, id})
		case "d1":
			config.D1 = append(config.D1, database{name, id, id})
		case "queue":
			if config.Queues == nil {
				config.Queues = &struct {
					Producers []producer `json:"producers"`
				}{}
			}
			config.Queues.Producers = append(config.Queues.Producers, producer{name, id})
		default:
			return nil, &InputError{Message: fmt.Sprintf("The binding %q has the kind %q. The kinds here are kv, r2, d1 and queue; others go into wrangler.jsonc.", name, kind)}
		}
	}
	return json.MarshalIndent(config, "", "  ")
}

// workerName is a name that wrangler takes, made of a project's id.
func workerName(id string) string {
	if id == "" {
		return "worker"
	}
	return id
}

// mainFile is the entry that a wrangler file must name.
func mainFile(p classroom.Project) string {
	if p.Settings.Main != "" {
		return p.Settings.Main
	}
	for _, name := range []string{"src/index.ts", "src/index.js", "index.ts", "index.js", "worker.ts", "worker.js"} {
		if _, ok := p.Files[name]; ok {
			return name
		}
	}
	return ""
}

// limits turns what a project asks for into limits within the ceiling.
func limits(want classroom.LimitSettings, ceiling trace.Limits) trace.Limits {
	var l trace.Limits
	for name, n := range want {
		l.Name(name, n, ceiling)
	}
	return l
}

// An InputError is nonsense from a page, in one sentence for the learner.
type InputError struct{ Message string }

func (e *InputError) Error() string { return e.Message }
