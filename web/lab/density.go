package lab

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/box"
	"coldstart/sandbox/trace"
)

// Density is what the density lab measured: how much memory so many copies
// hold together, for each kind of box.
type Density struct {
	Cap     int64     `json:"cap"` // bytes that are to be filled
	Lines   []Line    `json:"lines"`
	Machine string    `json:"machine"`
	At      time.Time `json:"at"` // when it ended, or was drawn last
	Whole   bool      `json:"whole"`
	Alive   *Alive    `json:"alive,omitempty"` // the shipped handler's isolates; nil before the first
}

// Line is one kind of box.
type Line struct {
	Key     string       `json:"key"` // proc, iso, own
	Name    string       `json:"name"`
	Plural  string       `json:"plural"`
	Round   bool         `json:"round,omitempty"` // an isolate
	Samples []box.Sample `json:"samples,omitempty"`
	Off     string       `json:"off,omitempty"`      // why it was not measured
	First   int64        `json:"first_us,omitempty"` // median time from asking for a copy to its first byte, in µs
	Copies  int          `json:"copies,omitempty"`   // the n of First
	Walls   []box.Wall   `json:"walls,omitempty"`    // that hold one copy in
}

// Line finds a line by its key, nil when there is none.
func (d *Density) Line(key string) *Line {
	if i := slices.IndexFunc(d.Lines, func(l Line) bool { return l.Key == key }); i >= 0 {
		return &d.Lines[i]
	}
	return nil
}

// Planned is a density before its first figure: the lines that it will
// measure, and how many isolates are to live in the end. keys are those of the
// programs beside isolates; own adds the learner's isolates.
func Planned(keys []string, own bool, want int) Density {
	d := Density{Cap: densityCap}
	for _, l := range programLines {
		if slices.Contains(keys, l.Key) {
			d.Lines = append(d.Lines, l)
		}
	}
	d.Lines = append(d.Lines, Line{Key: Isolate, Name: "isolate", Plural: "isolates", Round: true})
	if own {
		d.Lines = append(d.Lines, Line{Key: Own, Name: "isolate, your code", Plural: "isolates with your code", Round: true})
	}
	d.Alive = &Alive{Want: max(min(want, MostAlive), isolateCounts[len(isolateCounts)-1])}
	return d
}

// Keys of a density's lines.
const (
	Process   = "proc"
	Container = "cont"
	Workerd   = "workerd"
	Isolate   = "iso"
	Own       = "own"
)

// What a filling may take.
const (
	densityCap   = 256 << 20 // bytes to fill, of each kind
	mostProcess  = 8
	processTotal = 128 << 20
)

var (
	isolateCounts = []int{1, 20, 60, 200}
	processCounts = []int{1, 3, 5, mostProcess}
)

// programLines are the kinds that isolates may be compared with.
var programLines = []Line{
	{Key: Process, Name: "Node process", Plural: "Node processes"},
	{Key: Container, Name: "Linux container", Plural: "Linux containers"},
	{Key: Workerd, Name: "workerd process", Plural: "workerd processes"},
}

//go:embed visits.js
var visits []byte

// Fill measures the density lab from its begin. told gets what is known after
// each sample, and a sentence about where it stands; both from one goroutine.
// own is the learner's project, which is built as key and measured as isolates beside the shipped
// handler; nil for none. keys are those of the programs beside isolates: Process, Container, Workerd. Once the lines
// are measured, isolates go on to start until want of them live, as far as the machine has room. What was measured is returned also with an error.
func (l *Labs) Fill(ctx context.Context, key sandbox.Key, own *trace.Project, keys []string, want int, told func(Density, string)) (Density, error) {
	d := Density{Cap: densityCap, At: l.cfg.Now()}
	err := l.Turn(ctx, func(say string) { told(d, say) }, func(ctx context.Context) error {
		told(d, "Starting.")
		plan := Planned(keys, own != nil, want)
		d.Lines, d.Alive = plan.Lines, plan.Alive
		f := &filling{labs: l, d: &d, key: key, own: own, told: told}
		return f.run(ctx)
	})
	d.Machine, d.At, d.Whole = l.machine(), l.cfg.Now(), err == nil
	return d, err
}

// filling is one run of the density lab.
type filling struct {
	labs *Labs
	d    *Density
	key  sandbox.Key
	own  *trace.Project
	told func(Density, string)
	rows []*box.Row
	line map[*box.Row]*Line

	crowd *crowded // of the shipped handler's isolates
}

func (f *filling) run(ctx context.Context) (err error) {
	f.line = map[*box.Row]*Line{}
	defer func() {
		for _, r := range f.rows {
			err = errors.Join(err, r.Kind.Close())
		}
	}()
	for i := range f.d.Lines {
		line := &f.d.Lines[i]
		kind, counts, err := f.open(ctx, line.Key)
		var missing *box.MissingError
		var code *CodeError
		switch {
		case errors.As(err, &missing):
			line.Off = "not on this host, because " + missing.Why
			continue
		case errors.As(err, &code):
			line.Off = "your code does not run: " + code.Message
			continue
		case err != nil:
			return err
		}
		row := &box.Row{Kind: kind, Counts: counts}
		f.rows = append(f.rows, row)
		f.line[row] = line
	}
	for len(f.rows) > 0 {
		failed, err := f.fill(ctx)
		if err == nil {
			break
		}
		// Code that answers the first copies and then stops ends its own line only.
		var code *CodeError
		if failed == nil || f.line[failed].Key != Own || !errors.As(err, &code) {
			return err
		}
		f.line[failed].Off, f.line[failed].Samples = "your code stopped: "+code.Message, nil
		failed.Counts = failed.Counts[:len(failed.Samples)]
	}
	for _, r := range f.rows {
		if k, ok := r.Kind.(*isolates); ok && f.line[r].Key == Isolate {
			return f.gather(ctx, k)
		}
	}
	return nil
}

// fill measures the rows; failed is the one that an error belongs to.
func (f *filling) fill(ctx context.Context) (failed *box.Row, err error) {
	err = box.Fill(ctx, f.rows, densityCap, func(r *box.Row) {
		line := f.line[r]
		line.Samples = slices.Clone(r.Samples)
		line.Walls = wallsOf(r.Kind)
		line.First, line.Copies = median(r.First).Microseconds(), len(r.First)
		last := r.Samples[len(r.Samples)-1]
		f.d.Machine, f.d.At = f.labs.machine(), f.labs.cfg.Now()
		f.told(*f.d, fmt.Sprintf("%s: %.1f MB.", plural(last.Copies, line.Name, line.Plural), float64(last.Bytes)/(1<<20)))
	})
	var at *box.RowError
	if errors.As(err, &at) {
		failed = at.Row
	}
	return failed, err
}

// open makes a kind ready.
func (f *filling) open(ctx context.Context, key string) (box.Kind, []int, error) {
	switch key {
	case Process, Container, Workerd:
		k, err := f.labs.programs(key)
		return k, processCounts, err
	case Own:
		k, err := kindOf(f.labs.isolates(ctx, f.key, *f.own, Room{}))
		return k, isolateCounts, err
	}
	k, err := f.labs.isolates(ctx, sandbox.Key{Learner: "lab", Project: "density"}, trace.Project{Files: map[string][]byte{"visits.js": visits}, Main: "visits.js"}, Room{Memory: crowdRoom})
	if err != nil {
		return nil, nil, err
	}
	f.watch(ctx, k)
	return k, isolateCounts, nil
}

// isolates opens a sandbox for isolates of one project.
func (l *Labs) isolates(ctx context.Context, key sandbox.Key, p trace.Project, room Room) (*isolates, error) {
	d, err := l.Build(ctx, key, p)
	if err != nil {
		return nil, err
	}
	door, err := l.sandboxOf(ctx, room)
	if err != nil {
		return nil, err
	}
	return &isolates{door: door, deploy: d}, nil
}

// gojaIsolates are the same in a sandbox whose engine is goja; it builds itself,
// because goja has another syntax.
func (l *Labs) gojaIsolates(ctx context.Context, key sandbox.Key, p trace.Project) (box.Kind, error) {
	door, err := l.sandboxOf(ctx, Room{Engine: "goja"})
	if err != nil {
		return nil, err
	}
	d, err := door.Build(ctx, key, p)
	if err == nil && d.Fault != nil {
		err = &CodeError{d.Fault.Message}
	}
	if err != nil {
		return nil, errors.Join(err, door.Close())
	}
	return &isolates{door: door, deploy: d, goja: true}, nil
}

// wallsOf are the walls around a kind's boxes, as far as it knows them.
func wallsOf(k box.Kind) []box.Wall {
	if w, ok := k.(box.Walled); ok {
		return w.Walls()
	}
	return nil
}

// Boxes measures one kind of program alone, for checks of a learner who has not
// filled: Process or Container. A host without them gives a line that is off.
// inside and outside are what a program says of where it is, in such a box and
// as a plain process; nil for Process.
func (l *Labs) Boxes(ctx context.Context, key string) (line Line, inside, outside []byte, err error) {
	line = Line{Key: key, Name: "Node process", Plural: "Node processes"}
	if key == Container {
		line.Name, line.Plural = "Linux container", "Linux containers"
	}
	err = l.Turn(ctx, func(string) {}, func(ctx context.Context) error {
		k, err := l.programs(key)
		var missing *box.MissingError
		if errors.As(err, &missing) {
			line.Off = missing.Why
			return nil
		}
		if err != nil {
			return err
		}
		if key == Container {
			if inside, err = report(ctx, k); err == nil {
				outside, err = l.plain(ctx)
			}
		}
		if err == nil {
			row := &box.Row{Kind: k, Counts: processCounts[:len(processCounts)-1]}
			err = box.Fill(ctx, []*box.Row{row}, processTotal, func(*box.Row) {})
			line.Samples = row.Samples
		}
		return errors.Join(err, k.Close())
	})
	return line, inside, outside, err
}

// programs makes a kind of program ready.
func (l *Labs) programs(key string) (box.Kind, error) {
	cfg := box.Config{Most: mostProcess, Nice: l.cfg.Nice, Path: l.cfg.Workerd}
	switch key {
	case Container:
		return kindOf(box.NewContainers(cfg))
	case Workerd:
		return kindOf(box.NewWorkerd(cfg))
	}
	return kindOf(box.NewProcesses(cfg))
}

// kindOf keeps an error from becoming a kind that is there and nil.
func kindOf[K box.Kind](k K, err error) (box.Kind, error) {
	if err != nil {
		return nil, err
	}
	return k, nil
}

// plain is the report of a plain process.
func (l *Labs) plain(ctx context.Context) ([]byte, error) {
	k, err := box.NewProcesses(box.Config{Most: 1, Nice: l.cfg.Nice})
	if err != nil {
		return nil, err
	}
	out, err := report(ctx, k)
	return out, errors.Join(err, k.Close())
}

// report asks a box of a kind where it is, and stops it.
func report(ctx context.Context, k box.Kind) ([]byte, error) {
	b, err := k.Start(ctx)
	if err != nil {
		return nil, err
	}
	var out []byte
	if r, ok := b.(box.Reporter); ok {
		out, err = r.Inside(ctx)
	}
	return out, errors.Join(err, b.Stop())
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(d))
	return s[(len(s)-1)/2]
}

// plural writes "1 isolate", "20 isolates".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
