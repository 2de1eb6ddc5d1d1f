package gojajs

import (
	"context"
	"errors"
	"fmt"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"

	"coldstart/sandbox/isolate"
)

// maxCalls bounds the depth of function calls: about what fits into the
// goroutine stack of a busy server.
const maxCalls = 2000

// Engine makes isolates by evaluating the bootstrap anew in each. It is safe
// for concurrent use.
type Engine struct {
	ops     *isolate.Ops
	prelude *goja.Program
	script  *goja.Program
}

// New compiles a bootstrap. Its script must be in the syntax goja has; its
// modules are left out, because goja has none.
func New(b isolate.Bootstrap) (*Engine, error) {
	e := &Engine{ops: b.Ops}
	if e.ops == nil {
		e.ops = &isolate.Ops{}
	}
	var err error
	if e.prelude, err = compile("coldstart:prelude", prelude); err != nil {
		return nil, err
	}
	if e.script, err = compile("coldstart:bootstrap", b.Script); err != nil {
		return nil, fmt.Errorf("compile the bootstrap: %w", err)
	}
	return e, nil
}

// Name implements isolate.Engine.
func (*Engine) Name() string { return "goja" }

// Close implements isolate.Engine; nothing is shared that needs it.
func (*Engine) Close() error { return nil }

// New implements isolate.Engine. Spec.Memory has no effect.
func (e *Engine) New(ctx context.Context, spec isolate.Spec) (isolate.Isolate, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if spec.Host == nil {
		return nil, errors.New("gojajs: Spec.Host is missing")
	}
	v := &vm{rt: goja.New(), host: spec.Host, entries: map[string]goja.Callable{}, reported: map[*goja.Promise]uint32{}}
	v.rt.SetMaxCallStackSize(maxCalls)
	v.rt.SetTimeSource(spec.Host.Now)
	v.rt.SetPromiseRejectionTracker(v.trackRejection)
	if err := v.bootstrap(e); err != nil {
		return nil, fmt.Errorf("evaluate the bootstrap: %w", err)
	}
	return v, nil
}

// compile parses a script. Source maps are not followed: stacks hold positions
// in the code itself, and a comment must not name a file to read.
func compile(name, source string) (*goja.Program, error) {
	return compileMapped(name, source, nil)
}

// compileMapped is compile whose stacks hold the positions of a source map, if any.
func compileMapped(name, source string, sourceMap []byte) (*goja.Program, error) {
	option := parser.WithDisableSourceMaps
	if sourceMap != nil {
		option = parser.WithSourceMapLoader(func(string) ([]byte, error) { return sourceMap, nil })
		source += "\n//# sourceMappingURL=map"
	}
	tree, err := parser.ParseFile(nil, name, source, 0, option)
	if err != nil {
		return nil, syntaxError(name, err)
	}
	p, err := goja.CompileAST(tree, false)
	if err != nil {
		return nil, syntaxError(name, err)
	}
	return p, nil
}

func syntaxError(name string, err error) error {
	exc := &isolate.Exception{Name: "SyntaxError", Message: err.Error()}
	var list parser.ErrorList
	var late *goja.CompilerSyntaxError
	switch {
	case errors.As(err, &list) && len(list) > 0:
		first := list[0]
		exc.Message = first.Message
		exc.Stack = fmt.Sprintf("    at %s:%d:%d", name, first.Position.Line, first.Position.Column)
	case errors.As(err, &late):
		exc.Message = late.Message
		if late.File != nil {
			p := late.File.Position(late.Offset)
			exc.Stack = fmt.Sprintf("    at %s:%d:%d", name, p.Line, p.Column)
		}
	}
	return exc
}
