package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/box"
	"coldstart/sandbox/trace"
)

// Race is what the race lab measured: the same handler in several kinds of
// box, started from nothing and asked once more, in turns.
type Race struct {
	Contenders []Contender `json:"contenders"`
	Rounds     int         `json:"rounds"` // samples that were asked for, of each contender, cold and warm
	Own        bool        `json:"own"`    // the learner's code, instead of the lab's
	Machine    string      `json:"machine"`
	Before     string      `json:"before"` // the machine with its load when it began
	At         time.Time   `json:"at"`
	Whole      bool        `json:"whole"`

	now func() time.Time
}

// Contender is one kind of box in a race.
type Contender struct {
	Key     string   `json:"key"`
	Name    string   `json:"name"`
	Note    string   `json:"note"`
	Isolate bool     `json:"isolate"`
	Off     string   `json:"off,omitempty"` // why it did not race
	Starts  []Launch `json:"starts,omitempty"`
	Warm    []int64  `json:"warm_us,omitempty"` // of requests to a box that answered before, to the first byte
	Each    int64    `json:"each,omitempty"`    // bytes that one more box holds; 0 for not known
	Copies  int      `json:"copies,omitempty"`  // up to which Each was measured
	// Short is why it has fewer samples than were asked for; "" when it has all.
	Short string `json:"short,omitempty"`
	// Unweighed says why Each is not known although memory can be read here; "" for nothing to say.
	Unweighed string     `json:"unweighed,omitempty"`
	Walls     []box.Wall `json:"walls,omitempty"` // that hold one box in
}

// Launch is one start, in µs from asking for the box: when it was made, when
// its code was loaded, when its first byte came.
type Launch struct {
	Made   int64 `json:"made"`
	Loaded int64 `json:"loaded"`
	First  int64 `json:"first"`
}

// Cold are the times to the first byte of all starts, in µs.
func (c *Contender) Cold() []int64 {
	out := make([]int64, len(c.Starts))
	for i, l := range c.Starts {
		out[i] = l.First
	}
	return out
}

// Middle is the start whose time to the first byte is the median; the zero
// Launch for a contender without any.
func (c *Contender) Middle() Launch {
	if len(c.Starts) == 0 {
		return Launch{}
	}
	s := slices.Clone(c.Starts)
	slices.SortFunc(s, func(a, b Launch) int { return int(a.First - b.First) })
	return s[(len(s)-1)/2]
}

// Contender finds one by its key, nil when it did not enter.
func (r *Race) Contender(key string) *Contender {
	if i := slices.IndexFunc(r.Contenders, func(c Contender) bool { return c.Key == key }); i >= 0 {
		return &r.Contenders[i]
	}
	return nil
}

// PlannedRace is a race of the contenders with the given keys before its first figure.
func PlannedRace(keys []string) Race {
	r := Race{Contenders: make([]Contender, 0, len(entries))}
	for _, e := range entries {
		if slices.Contains(keys, e.Key) {
			r.Contenders = append(r.Contenders, Contender{Key: e.Key, Name: e.Name, Note: e.Note, Isolate: e.isolate})
		}
	}
	return r
}

// Entry is a contender that may be chosen.
type Entry struct{ Key, Name, Note string }

// Entries are all contenders there may be, in the order in which they are shown.
func Entries() []Entry {
	out := make([]Entry, len(entries))
	for i, e := range entries {
		out[i] = e.Entry
	}
	return out
}

type entry struct {
	Entry
	isolate bool
	open    func(context.Context, *Labs, sandbox.Key, trace.Project) (box.Kind, error)
}

var entries = []entry{
	{Entry{"isolate", "Snapshot isolate", "QuickJS, copied from a snapshot"}, true, func(ctx context.Context, l *Labs, key sandbox.Key, p trace.Project) (box.Kind, error) {
		return kindOf(l.isolates(ctx, key, p, Room{}))
	}},
	{Entry{"goja", "goja isolate", "a JavaScript engine in Go, no snapshot"}, true, func(ctx context.Context, l *Labs, key sandbox.Key, p trace.Project) (box.Kind, error) {
		return l.gojaIsolates(ctx, key, p)
	}},
	{Entry{"wasm", "Wasm module", "Go on wazero: equivalent, not the same code"}, true, func(ctx context.Context, l *Labs, _ sandbox.Key, _ trace.Project) (box.Kind, error) {
		return kindOf(box.NewWasm(ctx, box.Config{Most: 64, Nice: l.cfg.Nice}))
	}},
	{Entry{"workerd", "workerd", "V8, a process with one isolate"}, false, program(box.NewWorkerd)},
	{Entry{"node", "Node process", "a fresh node"}, false, program(box.NewProcesses)},
	{Entry{"container", "Linux container", "Node in namespaces of our own making"}, false, program(box.NewContainers)},
	{Entry{"oci", "OCI container", "Node in a container by crun or runc"}, false, program(box.NewOCI)},
	{Entry{"docker", "Docker", "Node in a container by Docker"}, false, program(box.NewDocker)},
}

// mostRacing is how many boxes of one kind of program live at once.
const mostRacing = 4

func program[K box.Kind](open func(box.Config) (K, error)) func(context.Context, *Labs, sandbox.Key, trace.Project) (box.Kind, error) {
	return func(_ context.Context, l *Labs, _ sandbox.Key, _ trace.Project) (box.Kind, error) {
		return open(box.Config{Most: mostRacing, Nice: l.cfg.Nice, Path: l.cfg.Workerd})
	}
}

// raceTime is how long the rounds may go on; what is there then is the result.
// A busy machine takes long to get the boxes ready, too: the rounds end while
// a quarter of the lab's whole time is left to weigh the boxes, and the weighing
// while some is left to stop them.
const raceTime = 28 * time.Second

// racer is a contender on the track.
type racer struct {
	*Contender
	kind box.Kind
}

// Race measures the contenders with the given keys, rounds starts and as many
// warm requests each, in turns; a first round is thrown away. own is the
// learner's project: then only isolates race, and they run it. told gets what
// is known after each round, and a sentence. What was measured is returned
// also with an error; the contenders that are not here say why.
func (l *Labs) Race(ctx context.Context, key sandbox.Key, own *trace.Project, keys []string, rounds int, told func(Race, string)) (Race, error) {
	r := Race{Rounds: rounds, Own: own != nil, At: l.cfg.Now(), now: l.cfg.Now}
	p := trace.Project{Files: map[string][]byte{"visits.js": visits}, Main: "visits.js"}
	if own != nil {
		p = *own
	} else {
		key = sandbox.Key{Learner: "lab", Project: "race"}
	}
	err := l.Turn(ctx, func(say string) { told(r, say) }, func(ctx context.Context) (err error) {
		told(r, "Getting the boxes ready.")
		begin := l.cfg.Now()
		r.Before = box.Machine()
		var track []racer
		defer func() {
			for _, c := range track {
				err = errors.Join(err, c.kind.Close())
			}
		}()
		r.Contenders = PlannedRace(keys).Contenders
		for i := range r.Contenders {
			c := &r.Contenders[i]
			e := entries[slices.IndexFunc(entries, func(e entry) bool { return e.Key == c.Key })]
			if own != nil && (!e.isolate || e.Key == "wasm") {
				c.Off = "only isolates run code that a learner wrote"
				continue
			}
			kind, err := e.open(ctx, l, key, p)
			var missing *box.MissingError
			var code *CodeError
			switch {
			case errors.As(err, &missing):
				c.Off = "not on this host, because " + missing.Why
			case errors.As(err, &code):
				c.Off = "your code does not run: " + code.Message
			case err != nil:
				return fmt.Errorf("open %s: %w", e.Key, err)
			default:
				track = append(track, racer{c, kind})
			}
			say := e.Name + " is ready."
			if c.Off != "" {
				say = e.Name + ": " + c.Off + "."
			}
			told(r, say)
		}
		if err := r.rounds(ctx, track, begin.Add(l.cfg.Time*3/4), func(say string) { r.At = l.cfg.Now(); r.Machine = l.machine(); told(r, say) }); err != nil {
			return err
		}
		for _, c := range track {
			c.Walls = wallsOf(c.kind)
		}
		return r.weigh(ctx, track, begin.Add(l.cfg.Time*19/20), func(say string) { told(r, say) })
	})
	r.Machine, r.At, r.Whole = l.machine(), l.cfg.Now(), err == nil
	return r, err
}

// rounds starts every contender once a round, each time another one first. When
// the time will not do for all, the slowest sits out so that the others get
// all their rounds, and has what time is left in the end.
func (r *Race) rounds(ctx context.Context, track []racer, until time.Time, told func(string)) error {
	p := newPace(len(track), r.Rounds, raceTime)
	p.until = until
	last := -1
	for {
		turns := p.next(r.now())
		if len(turns) == 0 {
			break
		}
		for _, i := range turns {
			c := track[i]
			begin := r.now()
			if p.over(begin) {
				break
			}
			start, warm, err := lap(ctx, c.kind)
			var code *CodeError
			switch {
			case errors.As(err, &code):
				c.Off, c.Starts, c.Warm = "your code stopped: "+code.Message, nil, nil
				p.drop(i)
				continue
			case err != nil:
				return err
			case p.warm(i):
				c.Starts, c.Warm = append(c.Starts, start), append(c.Warm, warm)
			}
			p.took(i, r.now().Sub(begin))
		}
		if round := p.round(); round > 0 && round != last {
			last = round
			told(fmt.Sprintf("Round %d of %d.", round, r.Rounds))
		}
	}
	for i, c := range track {
		if n := len(c.Starts); c.Off == "" && n < r.Rounds {
			c.Short = fmt.Sprintf("one start and stop takes %v here, and all rounds have %d s", p.lap(i).Round(time.Millisecond), max(0, int(p.time.Seconds())))
		}
	}
	return nil
}

// lap starts one box, asks it once more, and stops it.
func lap(ctx context.Context, k box.Kind) (l Launch, warm int64, err error) {
	b, err := k.Start(ctx)
	if err != nil {
		return l, 0, err
	}
	defer func() { err = errors.Join(err, b.Stop()) }()
	again, err := b.Request(ctx)
	if err != nil {
		return l, 0, err
	}
	l.First = b.FirstByte().Microseconds()
	l.Made, l.Loaded = l.First, l.First
	for _, p := range b.Phases() {
		switch p.Kind {
		case box.Start:
			l.Made = p.To.Microseconds()
		case box.Load:
			l.Loaded = p.To.Microseconds()
		}
	}
	return l, again.Microseconds(), nil
}

// weigh measures what one more box of each contender holds, as far as there is time.
func (r *Race) weigh(ctx context.Context, track []racer, until time.Time, told func(string)) error {
	left, cancel := context.WithTimeout(ctx, until.Sub(r.now()))
	defer cancel()
	for _, c := range track {
		if c.Off != "" {
			continue
		}
		if left.Err() != nil && ctx.Err() == nil {
			c.Unweighed = late
			continue
		}
		told("What one more " + c.Name + " holds.")
		// So many copies that what they hold stands out from what their process
		// holds besides, which comes and goes by some megabytes.
		counts := []int{1, mostRacing - 1}
		switch {
		case c.Key == "isolate":
			counts = []int{20, 120}
		case c.Isolate:
			counts = []int{1, 20}
		}
		row := &box.Row{Kind: c.kind, Counts: counts}
		err := box.Fill(left, []*box.Row{row}, densityCap, func(*box.Row) {})
		var code *CodeError
		if errors.As(err, &code) {
			continue
		}
		if err != nil && ctx.Err() != nil {
			return err
		}
		if err != nil && left.Err() != nil {
			c.Unweighed = late
		}
		if n := len(row.Samples); err == nil && n > 1 { // memory that cannot be read is only not known
			first, last := row.Samples[0], row.Samples[n-1]
			c.Each, c.Copies = max(0, (last.Bytes-first.Bytes)/int64(last.Copies-first.Copies)), last.Copies
		}
	}
	return nil
}

// late is why a busy machine leaves a box unweighed.
const late = "this machine is so busy that no time was left"

// RaceSample is a start as checks get it, in ms. Warm requests of isolates are
// there too, as those of a box of their own.
type RaceSample struct {
	Box    string  `json:"box"`
	Start  float64 `json:"start"`
	Load   float64 `json:"load"`
	Handle float64 `json:"handle"`
}

// Samples lists every sample, the contenders in turns.
func (r *Race) Samples() []RaceSample {
	var out []RaceSample
	ms := func(us int64) float64 { return float64(us) / 1000 }
	for i := range r.Rounds {
		for _, c := range r.Contenders {
			if i < len(c.Starts) {
				l := c.Starts[i]
				out = append(out, RaceSample{c.Key, ms(l.Made), ms(l.Loaded - l.Made), ms(l.First - l.Loaded)})
			}
			if c.Key == "isolate" && i < len(c.Warm) {
				out = append(out, RaceSample{Box: "isolate, awake", Handle: ms(c.Warm[i])})
			}
		}
	}
	return out
}

// RaceKeys reads a list of contenders as a lesson or a form writes it, with
// spaces between; an empty one means all.
func RaceKeys(list string) []string {
	keys := strings.Fields(list)
	if len(keys) == 0 {
		for _, e := range entries {
			keys = append(keys, e.Key)
		}
	}
	return keys
}
