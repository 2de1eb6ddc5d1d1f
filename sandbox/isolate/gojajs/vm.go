package gojajs

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dop251/goja"

	"coldstart/sandbox/isolate"
)

// watchEvery is how often running code is checked against its limits.
const watchEvery = 5 * time.Millisecond

// vm is one isolate.
type vm struct {
	rt      *goja.Runtime
	host    isolate.Host
	entries map[string]goja.Callable

	makeError, kind, buffer, offset, length, exports goja.Callable

	depth    int
	dead     error
	rejected []rejection
	reported map[*goja.Promise]uint32
	lastID   uint32
}

func (v *vm) bootstrap(e *Engine) error {
	pre, err := v.rt.RunProgram(e.prelude)
	if err != nil {
		return v.goError(err)
	}
	names := make([]any, 0, len(e.ops.Names()))
	for _, n := range e.ops.Names() {
		names = append(names, n)
	}
	f, _ := goja.AssertFunction(pre)
	made, err := f(goja.Undefined(), v.rt.ToValue(v.hostCall), v.rt.NewArray(names...))
	if err != nil {
		return v.goError(err)
	}
	parts := made.ToObject(v.rt)
	var finish goja.Callable
	for name, to := range map[string]*goja.Callable{
		"makeError": &v.makeError, "kind": &v.kind, "buffer": &v.buffer, "offset": &v.offset,
		"length": &v.length, "exports": &v.exports, "finish": &finish,
	} {
		*to, _ = goja.AssertFunction(parts.Get(name))
	}
	script, err := v.rt.RunProgram(e.script)
	if err != nil {
		return v.goError(err)
	}
	boot, ok := goja.AssertFunction(script)
	if !ok {
		return errors.New("the script's value is not a function")
	}
	result, err := boot(goja.Undefined(), parts.Get("host"))
	if err != nil {
		return v.goError(err)
	}
	entries := result.ToObject(v.rt)
	for _, k := range entries.Keys() {
		if f, ok := goja.AssertFunction(entries.Get(k)); ok {
			v.entries[k] = f
		}
	}
	_, err = finish(goja.Undefined())
	return v.goError(err)
}

// guard runs f, stopping it when the host says so. The watcher is over before
// the interrupt is cleared, else a late one would hit the next call.
func (v *vm) guard(f func() error) error {
	if v.depth > 0 {
		v.depth++
		err := f()
		v.depth--
		return err
	}
	stop, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				if v.host.Interrupted() {
					v.rt.Interrupt(isolate.ErrInterrupted)
					return
				}
			}
		}
	}()
	v.depth++
	err := f()
	v.depth--
	close(stop)
	<-over
	v.rt.ClearInterrupt()
	return err
}

// goError turns an error of goja into one of package isolate.
func (v *vm) goError(err error) error {
	var stop *goja.InterruptedError
	var deep *goja.StackOverflowError
	var exc *goja.Exception
	switch {
	case err == nil:
		return nil
	case v.dead != nil:
		return v.dead
	case errors.As(err, &stop):
		v.dead = &isolate.Stop{Cause: isolate.ErrInterrupted, Stack: frames(stop.Stack())}
		return v.dead
	case errors.As(err, &deep):
		return &isolate.Exception{Name: "RangeError", Message: "Maximum call stack size exceeded", Stack: frames(deep.Stack())}
	case errors.As(err, &exc):
		out := v.describe(exc.Value())
		if out.Stack == "" {
			out.Stack = frames(exc.Stack())
		}
		return out
	}
	return err
}

func frames(list []goja.StackFrame) string {
	var b strings.Builder
	for _, f := range list {
		p := f.Position()
		place := "native"
		if p.Line > 0 {
			place = fmt.Sprintf("%s:%d:%d", p.Filename, p.Line, p.Column)
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if name := f.FuncName(); name != "" && name != "<anonymous>" && name != "<native>" {
			fmt.Fprintf(&b, "    at %s (%s)", name, place)
		} else {
			fmt.Fprintf(&b, "    at %s", place)
		}
	}
	return b.String()
}

// pc matches the program counter that goja adds to a frame's place.
var pc = regexp.MustCompile(`(?m)\(\d+\)(\)?)$`)

// describe makes an Exception of a thrown value. Properties may be getters that
// throw; what cannot be read is left out.
func (v *vm) describe(val goja.Value) *isolate.Exception {
	exc := &isolate.Exception{}
	obj, ok := val.(*goja.Object)
	if !ok || obj.ClassName() != "Error" {
		exc.Message = "a value that cannot be shown"
		if s, err := v.text(val); err == nil {
			exc.Message = s
		}
		return exc
	}
	exc.Name, exc.Message = v.property(obj, "name"), v.property(obj, "message")
	exc.Stack = isolate.Frames(pc.ReplaceAllString(strings.ReplaceAll(v.property(obj, "stack"), "\t", ""), "$1"))
	if exc.Name == "" {
		exc.Name = "Error"
	}
	return exc
}

func (v *vm) text(val goja.Value) (s string, err error) {
	if ex := v.rt.Try(func() { s = val.String() }); ex != nil {
		return "", ex
	}
	return s, nil
}

func (v *vm) property(obj *goja.Object, name string) string {
	var x goja.Value
	if ex := v.rt.Try(func() { x = obj.Get(name) }); ex != nil || x == nil {
		return ""
	}
	if _, ok := x.(goja.String); !ok {
		return ""
	}
	return x.String()
}

// broken is the answer of a spent isolate to a further call.
func (v *vm) broken() error {
	if errors.Is(v.dead, isolate.ErrBroken) {
		return v.dead
	}
	return fmt.Errorf("%w: it was stopped before (%v)", isolate.ErrBroken, v.dead)
}

// Call implements isolate.Isolate.
func (v *vm) Call(entry string, args ...isolate.Value) (isolate.Value, error) {
	if v.dead != nil {
		return nil, v.broken()
	}
	f, ok := v.entries[entry]
	if !ok {
		return nil, fmt.Errorf("isolate: the bootstrap has no entry %q", entry)
	}
	in := make([]goja.Value, len(args))
	for i, a := range args {
		x, err := v.toJS(a, 0)
		if err != nil {
			return nil, err
		}
		in[i] = x
	}
	var out isolate.Value
	err := v.guard(func() error {
		r, err := f(goja.Undefined(), in...)
		if err == nil {
			out, err = v.toGo(r, 0)
			var t *isolate.Throw
			if errors.As(err, &t) {
				err = fmt.Errorf("isolate: entry %q: %w", entry, err)
			}
		}
		err = v.goError(err)
		if v.depth == 1 && v.dead == nil {
			if e := v.reportRejections(); err == nil {
				err = e
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Load implements isolate.Isolate. goja has no modules: the bundler lowers
// them to a classic script that assigns __exports.
func (v *vm) Load(name, source string, classic bool) error {
	if !classic {
		return isolate.ErrUnsupported
	}
	return v.load(name, source, nil)
}

// LoadMapped is Load of a classic script whose stacks show the positions of
// its source map, which must be trusted.
func (v *vm) LoadMapped(name, source string, sourceMap []byte) error {
	return v.load(name, source, sourceMap)
}

func (v *vm) load(name, source string, sourceMap []byte) error {
	if v.dead != nil {
		return v.broken()
	}
	loaded, ok := v.entries["loaded"]
	if !ok {
		return errors.New("isolate: the bootstrap has no entry \"loaded\"")
	}
	p, err := compileMapped(name, source, sourceMap)
	if err != nil {
		return err
	}
	return v.guard(func() error {
		_, err := v.rt.RunProgram(p)
		if err == nil {
			var ns goja.Value
			if ns, err = v.exports(goja.Undefined()); err == nil {
				_, err = loaded(goja.Undefined(), ns)
			}
		}
		err = v.goError(err)
		if v.dead == nil {
			if e := v.reportRejections(); err == nil {
				err = e
			}
		}
		return err
	})
}

// hostCall is host.call.
func (v *vm) hostCall(call goja.FunctionCall) goja.Value {
	op := -1
	var args []isolate.Value
	for i, a := range call.Arguments {
		if i == 0 {
			if n, ok := a.Export().(int64); ok {
				op = int(n)
			}
			continue
		}
		x, err := v.toGo(a, 0)
		if err != nil {
			panic(v.thrown(err))
		}
		args = append(args, x)
	}
	out, err := v.host.HostCall(op, args)
	if v.dead != nil {
		v.rt.Interrupt(v.dead) // a nested call was stopped: nothing more may run
		return goja.Undefined()
	}
	if err != nil {
		panic(v.thrown(err))
	}
	x, err := v.toJS(out, 0)
	if err != nil {
		panic(v.thrown(err))
	}
	return x
}

// thrown is the JavaScript error for a Go one.
func (v *vm) thrown(err error) goja.Value {
	t := &isolate.Throw{Name: "Error", Message: err.Error()}
	var exc *isolate.Exception
	var js *goja.Exception
	switch {
	case errors.As(err, &t):
	case errors.As(err, &js):
		return js.Value()
	case errors.As(err, &exc):
		t.Name, t.Message = exc.Name, exc.Message
	}
	e, err := v.makeError(goja.Undefined(), v.newString(t.Name), v.newString(t.Message), v.newString(t.Code))
	if err != nil {
		return v.rt.NewGoError(err)
	}
	return e
}

// rejection is a promise that was rejected without a handler, or got one.
type rejection struct {
	promise *goja.Promise
	handled bool
}

func (v *vm) trackRejection(p *goja.Promise, op goja.PromiseRejectionOperation) {
	if op == goja.PromiseRejectionReject {
		v.rejected = append(v.rejected, rejection{p, false})
		return
	}
	for i, r := range v.rejected {
		if r.promise == p && !r.handled {
			v.rejected = append(v.rejected[:i], v.rejected[i+1:]...)
			return
		}
	}
	if _, ok := v.reported[p]; ok {
		v.rejected = append(v.rejected, rejection{p, true})
	}
}

// maxReported bounds the promises remembered for a later "handled".
const maxReported = 1024

func (v *vm) reportRejections() error {
	for len(v.rejected) > 0 {
		list := v.rejected
		v.rejected = nil
		for _, r := range list {
			if len(v.reported) >= maxReported {
				clear(v.reported)
			}
			id, known := v.reported[r.promise]
			if !known {
				v.lastID++
				id = v.lastID
				v.reported[r.promise] = id
			}
			if r.handled {
				delete(v.reported, r.promise)
			}
			f, ok := v.entries["rejection"]
			if !ok {
				v.host.Rejection(id, v.describe(r.promise.Result()), r.handled)
				continue
			}
			if _, err := f(goja.Undefined(), v.rt.ToValue(r.promise), r.promise.Result(), v.rt.ToValue(r.handled)); err != nil {
				return v.goError(err)
			}
		}
	}
	return nil
}

// Memory implements isolate.Isolate: goja's objects are on the shared Go heap
// and cannot be told apart.
func (v *vm) Memory() isolate.Memory { return isolate.Memory{} }

// Pages implements isolate.Isolate.
func (v *vm) Pages() []byte { return nil }

// Idle implements isolate.Isolate.
func (v *vm) Idle() {}

// Close implements isolate.Isolate.
func (v *vm) Close() error {
	if v.depth > 0 {
		return errors.New("isolate: closed from inside one of its own calls")
	}
	v.dead, v.rt, v.entries = isolate.ErrBroken, nil, nil
	return nil
}
