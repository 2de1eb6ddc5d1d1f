package check

import (
	"context"
	"fmt"
	"maps"
	"path"
	"strings"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

// project is a version of a project that this run of the checks deployed:
// the learner's, the starter, or one with a Worker killed.
type project struct {
	key    sandbox.Key
	deploy *trace.Deployment
	fault  *trace.Fault
	err    error
	ready  chan struct{}
	fresh  map[string]bool // namespaces in use, guarded by session.mu
}

// project builds and deploys files under a name, once per run.
func (s *session) project(ctx context.Context, name string, files map[string][]byte, main string) *project {
	s.mu.Lock()
	p, known := s.projects[name]
	if !known {
		p = &project{key: s.key(name), ready: make(chan struct{}), fresh: map[string]bool{}}
		s.projects[name] = p
	}
	s.mu.Unlock()
	if known {
		<-p.ready
		return p
	}
	defer close(p.ready)
	if main == "" {
		l := *s.lesson
		l.Starter = files
		main = l.Main()
		if own := s.lesson.Main(); main != "" && own != "" && files[own] != nil {
			main = own // as Run has it, also where the learner keeps a file that was the entry once
		}
	}
	p.deploy, p.err = s.cfg.Door.Build(ctx, p.key, trace.Project{Files: files, Main: main, Limits: s.lesson.Limits})
	if p.err != nil {
		return p
	}
	if p.fault = p.deploy.Fault; p.fault != nil {
		return p
	}
	p.err = s.cfg.Door.Deploy(ctx, p.key, p.deploy)
	return p
}

func (s *session) key(name string) sandbox.Key {
	return sandbox.Key{Learner: s.cfg.Learner, Project: "check/" + s.id + "/" + name}
}

// starter is the lesson's own starter, deployed beside the learner's project.
func (s *session) starter(ctx context.Context) (*project, error) {
	p := s.project(ctx, "starter", s.lesson.Starter, "")
	if p.err != nil {
		return nil, p.err
	}
	if p.fault != nil {
		return nil, fmt.Errorf("the starter does not build: %s", p.fault.Message)
	}
	return p, nil
}

// has says what is wrong when a check names a Worker that is not there; "" names none.
func (p *project) has(worker string) error {
	var names []string
	for _, w := range p.deploy.Workers {
		if worker == "" || w.Name == worker {
			return nil
		}
		names = append(names, w.Name)
	}
	return failure(fmt.Sprintf("The check asks for a Worker named %q; names stand in the wrangler files", worker), worker, strings.Join(names, ", "))
}

// killed is p with one Worker answering every event with an exception.
func (s *session) killed(ctx context.Context, p *project, worker string) (*project, error) {
	if worker == "" {
		return nil, misuse("kill takes a Worker's name: kill(\"images\")")
	}
	if err := p.has(worker); err != nil {
		return nil, err
	}
	d := trace.Deployment{Workers: append([]trace.Worker(nil), p.deploy.Workers...)}
	for i := range d.Workers {
		if w := &d.Workers[i]; w.Name == worker {
			w.Code = "export default { fetch() { throw new Error(\"This Worker was stopped by the check.\"); } };\n"
			w.SourceMap, w.Wasm, w.Classic, w.Main = nil, nil, false, ""
			w.Version = "stopped-" + w.Version
		}
	}
	out := &project{key: s.key("without-" + worker + "-" + path.Base(p.key.Project)), deploy: &d, ready: make(chan struct{}), fresh: map[string]bool{}}
	close(out.ready)
	s.mu.Lock()
	s.projects[out.key.Project] = out
	s.mu.Unlock()
	return out, s.cfg.Door.Deploy(ctx, out.key, &d)
}

// caller is the project with an entry that calls one export of one file.
func (s *session) caller(ctx context.Context, file string) (*project, error) {
	const entry = "__check_call.js"
	return s.entered(ctx, "call/"+file, file, entry, map[string][]byte{entry: []byte(fmt.Sprintf(callEntry, "./"+file))})
}

// entry is the project with one of its own files as entry.
func (s *session) entry(ctx context.Context, file string) (*project, error) {
	return s.entered(ctx, "entry/"+file, file, file, nil)
}

// entered is the project, which must hold file, with more files and another
// entry; what its wrangler files say does not count.
func (s *session) entered(ctx context.Context, name, file, entry string, more map[string][]byte) (*project, error) {
	if _, ok := s.files[file]; !ok {
		return nil, failure(fmt.Sprintf("The check needs the file %s", file), file, "no such file")
	}
	files := maps.Clone(s.files)
	for name := range files {
		switch path.Base(name) {
		case "wrangler.jsonc", "wrangler.json", "wrangler.toml":
			delete(files, name)
		}
	}
	maps.Copy(files, more)
	p := s.project(ctx, name, files, entry)
	if p.err == nil && p.fault != nil {
		return nil, failure("Your code does not build: "+p.fault.Message, "", "")
	}
	return p, p.err
}

// callEntry is the Worker around one of the learner's modules. %q is the
// module's path.
const callEntry = `import * as module from %q;
const freeze = (v) => {
  if (v !== null && typeof v === "object") {
    Object.freeze(v);
    for (const k of Object.keys(v)) freeze(v[k]);
  }
  return v;
};
export default {
  async fetch(request) {
    const { name, args, frozen } = await request.json();
    let owner = module, value = module;
    for (const part of name.split(".")) {
      owner = value;
      value = value === undefined || value === null ? undefined : value[part];
    }
    if (typeof value !== "function") return Response.json({ missing: typeof value });
    const out = await value.apply(owner === module ? undefined : owner, frozen ? freeze(args) : args);
    return Response.json({ value: out, type: typeof out });
  },
};
`

// cleanup forgets everything this run made.
func (s *session) cleanup() {
	ctx := context.Background() // also when the run was canceled
	forget := s.cfg.Door.Evict
	if f, ok := s.cfg.Door.(interface {
		Forget(ctx context.Context, key sandbox.Key, fresh string) error
	}); ok {
		forget = f.Forget
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.projects {
		for fresh := range p.fresh {
			_ = forget(ctx, p.key, fresh)
		}
		_ = forget(ctx, p.key, "")
	}
}
