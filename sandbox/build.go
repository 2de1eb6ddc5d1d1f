package sandbox

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sort"
	"sync"

	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
)

// buildsMax is how many bytes of results are kept.
const buildsMax = 64 << 20

// builds keeps results of builds by the hash of what was built.
type builds struct {
	mu    sync.Mutex
	byKey map[[32]byte]*list.Element
	order list.List // of *built, least recently used last
	size  int
	under map[[32]byte]chan struct{} // being built
}

type built struct {
	key  [32]byte
	d    *trace.Deployment
	size int
}

func newBuilds() *builds {
	return &builds{byKey: map[[32]byte]*list.Element{}, under: map[[32]byte]chan struct{}{}}
}

func (b *builds) get(key [32]byte) *trace.Deployment {
	e := b.byKey[key]
	if e == nil {
		return nil
	}
	b.order.MoveToFront(e)
	return e.Value.(*built).d
}

func (b *builds) put(key [32]byte, d *trace.Deployment) {
	n := &built{key: key, d: d, size: sizeOf(d)}
	if n.size > buildsMax/4 || b.byKey[key] != nil {
		return
	}
	b.byKey[key] = b.order.PushFront(n)
	for b.size += n.size; b.size > buildsMax; {
		last := b.order.Remove(b.order.Back()).(*built)
		delete(b.byKey, last.key)
		b.size -= last.size
	}
}

func sizeOf(d *trace.Deployment) int {
	n := 1 << 10
	for _, w := range d.Workers {
		n += len(w.Code) + len(w.SourceMap) + 1<<10
		for _, m := range []map[string][]byte{w.Wasm, w.Assets} {
			for k, v := range m {
				n += len(k) + len(v)
			}
		}
		for k, v := range w.Sources {
			n += len(k) + len(v)
		}
		for _, b := range w.Bindings {
			n += len(b.Name) + len(b.Value) + len(b.Props) + 1<<8
		}
		for _, r := range w.Routes {
			n += len(r) + 1<<7
		}
	}
	return n
}

// hashOf identifies what a build depends on.
func hashOf(p trace.Project) [32]byte {
	h := sha256.New()
	names := make([]string, 0, len(p.Files))
	for n := range p.Files {
		names = append(names, n)
	}
	sort.Strings(names)
	fmt.Fprintf(h, "%q %+v %d\n", p.Main, p.Limits, len(names))
	for _, n := range names {
		fmt.Fprintf(h, "%q %d\n", n, len(p.Files[n]))
		h.Write(p.Files[n])
	}
	return [32]byte(h.Sum(nil))
}

// Build implements Door. The result is shared: callers must not change it.
func (s *Sandbox) Build(ctx context.Context, key Key, p trace.Project) (*trace.Deployment, error) {
	if key.Learner == "" {
		return nil, errors.New("sandbox: build without a learner")
	}
	p.Limits = p.Limits.Clamp(s.cfg.Ceiling)
	if f := tooLarge(p); f != nil {
		return &trace.Deployment{Fault: f}, nil
	}
	id := hashOf(p)
	b := s.builds
	for {
		b.mu.Lock()
		if d := b.get(id); d != nil {
			b.mu.Unlock()
			return d, nil
		}
		wait := b.under[id]
		if wait == nil {
			b.under[id] = make(chan struct{})
			b.mu.Unlock()
			break
		}
		b.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	d, err := s.ring.Build(ctx, p)
	late, lost := errors.Is(err, runner.ErrBuildLate), errors.Is(err, runner.ErrBuildLost)
	switch {
	case lost:
		d, err = &trace.Deployment{Fault: &trace.Fault{
			Kind: trace.FaultPlatform, Message: "Our builder stopped. It was not your code.",
			Hint: "Run again.",
		}}, nil
	case late:
		d, err = &trace.Deployment{Fault: &trace.Fault{
			Kind: trace.FaultPlatform, Message: "Building did not end in time: this server is busy. Nothing is wrong with your code.",
			Hint: "Run again.",
		}}, nil
	case errors.Is(err, runner.ErrBuildTime):
		d, err = &trace.Deployment{Fault: &trace.Fault{
			Kind: trace.FaultLimit, Message: "Building stopped after its 2 seconds of CPU time. The largest file is " + largest(p) + ".",
			Hint: "Undo the last change, or split what is long or deeply nested.",
		}}, nil
	case errors.Is(err, runner.ErrBuildDied):
		d, err = &trace.Deployment{Fault: &trace.Fault{
			Kind: trace.FaultLimit, Message: "Our builder stopped on this project. The largest file is " + largest(p) + ".",
			Hint: "Undo the last change, or split what is long or deeply nested.",
		}}, nil
	}
	if d != nil && d.Fault != nil && d.Fault.Kind == trace.FaultLimit {
		s.reached.add(limitBuild)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.under[id])
	delete(b.under, id)
	if err != nil {
		return nil, err
	}
	if !late && !lost { // the same files build well in a quieter moment
		b.put(id, d)
	}
	return d, nil
}

// tooLarge refuses what is not worth sending to a child.
func tooLarge(p trace.Project) *trace.Fault {
	var sum int64
	for name, b := range p.Files {
		sum += int64(len(name) + len(b))
	}
	// The bundler judges sources one by one; this only bounds the frame.
	if room := p.Limits.Source + 32<<20; sum > room {
		return &trace.Fault{Kind: trace.FaultLimit, Message: fmt.Sprintf("The project's files are %d MiB together; %s is the largest.", sum>>20, largest(p)), Hint: "Remove or shrink it."}
	}
	return nil
}

func largest(p trace.Project) string {
	best := ""
	for name, b := range p.Files {
		if best == "" || len(b) > len(p.Files[best]) || len(b) == len(p.Files[best]) && name < best {
			best = name
		}
	}
	return clip(best, 100)
}
