package runner

import (
	"context"
	"fmt"

	"coldstart/sandbox/bundle"
	"coldstart/sandbox/isolate"
	"coldstart/sandbox/isolate/gojajs"
	"coldstart/sandbox/js"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
	"coldstart/static"
)

// Goja is Default with goja as the engine of Workers: the second contender of
// the isolate labs. Its isolates have no snapshot, no memory ceiling, no ES
// modules and no top-level await; the build child lowers what syntax it can.
func Goja() Setup {
	s := Default()
	builder := s.Builder
	s.Builder = func() (Builder, error) {
		b, err := builder()
		return lowering{b}, err
	}
	s.Engines = func(Inherited) (Engines, error) {
		text, err := static.File("bootstrap.json")
		if err != nil {
			return nil, err
		}
		b, err := js.Parse(text)
		if err != nil {
			return nil, err
		}
		script, err := b.Goja()
		if err != nil {
			return nil, err
		}
		e, err := gojajs.New(isolate.Bootstrap{Script: script, Ops: webapi.Ops()})
		if err != nil {
			return nil, err
		}
		scripts, err := gojajs.New(isolate.Bootstrap{Script: scriptBootstrap, Ops: scriptOps()})
		if err != nil {
			return nil, err
		}
		return &engines{engine: moduleless{e}, scripts: scripts, pool: isolate.NewPool(0), ops: webapi.Ops()}, nil
	}
	return s
}

// lowering builds Workers as classic scripts that leave their module's
// namespace in __exports.
type lowering struct{ Builder }

func (b lowering) Build(ctx context.Context, p trace.Project) (*trace.Deployment, error) {
	d, err := b.Builder.Build(ctx, p)
	if err != nil || d.Fault != nil {
		return d, err
	}
	for i := range d.Workers {
		w := &d.Workers[i]
		if w.Classic {
			continue
		}
		code, sourceMap, fault := bundle.Lower(ctx, "worker.js", w.Code)
		if fault != nil {
			fault.Message = fmt.Sprintf("goja cannot run the Worker %q: %s", w.Name, fault.Message)
			return &trace.Deployment{Fault: fault, Warnings: d.Warnings}, nil
		}
		w.Code = "(function (require) { " + code + "\nglobalThis.__exports = __coldstart_module; })(__coldstart_require);\n"
		w.SourceMap = sourceMap
	}
	return d, nil
}

// moduleless loads what lowering built.
type moduleless struct{ isolate.Engine }

func (m moduleless) New(ctx context.Context, spec isolate.Spec) (isolate.Isolate, error) {
	i, err := m.Engine.New(ctx, spec)
	if err != nil {
		return nil, err
	}
	return classic{i}, nil
}

type classic struct{ isolate.Isolate }

// Load implements isolate.Isolate.
func (c classic) Load(name, source string, _ bool) error { return c.Isolate.Load(name, source, true) }
