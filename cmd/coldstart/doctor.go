package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	boxes "coldstart/sandbox/box"
	"coldstart/web/bus"
	"coldstart/web/classroom"
)

// doctorCmd says what this host offers and what is missing.
type doctorCmd struct {
	storage
	PublicURL string        `help:"Where visitors reach the running site: ask it there, through its proxy." env:"COLDSTART_PUBLIC_URL" placeholder:"URL"`
	Class     int           `help:"Play the start of a class of so many learners too, and name the bottleneck." placeholder:"LEARNERS"`
	Steady    time.Duration `help:"With --class: how long they go on afterwards." default:"10s"`
	Lesson    string        `help:"With --class: what they open." default:"workers/hello-worker" placeholder:"TRACK/LESSON"`
}

// walls are what a child process can have around it, with what it lacks otherwise.
var walls = []struct{ name, without string }{
	{"rlimits", "a child is bounded by its supervision only"},
	{"no new privileges", "a child could gain rights by executing a privileged program, if it could execute one"},
	{"unprivileged user", "children run as the user who started coldstart, because that user may not change it"},
	{"seccomp", "a child that is taken over can make any system call; the kernel lacks seccomp filters, or forbids them here"},
	{"landlock", "a child that is taken over can open files that its user may read; the kernel is older than 5.13, or has Landlock off"},
}

// report prints what was found, one line each.
type report struct{ w io.Writer }

func (r report) say(name, format string, args ...any) {
	fmt.Fprintf(r.w, "%-18s %s\n", name, fmt.Sprintf(format, args...))
}

// Run starts the children once and asks them.
func (c *doctorCmd) Run(ctx context.Context, g *globals) error {
	plan := classPlan{Learners: c.Class, Burst: 2 * time.Second, Steady: c.Steady, Rate: 30, Lesson: c.Lesson}
	if c.Class != 0 {
		if err := plan.check(); err != nil {
			return err
		}
	}
	r := report{g.Stdout}
	r.say("machine", "%s", machine())
	cache, err := g.cacheDir("")
	if err != nil {
		return err
	}
	r.say("cache", "%s", cache)
	r.walls(ctx, g)
	r.boxes()
	c.keeping(ctx, r)
	if c.PublicURL != "" {
		r.site(ctx, c.PublicURL)
	}
	if c.Class == 0 {
		return nil
	}
	result, err := simulateClass(ctx, g, plan, io.Discard)
	if err != nil {
		return err
	}
	fmt.Fprintln(g.Stdout)
	result.print(g.Stdout)
	fmt.Fprintf(g.Stdout, "\n%s\n", result.verdict())
	return nil
}

// walls asks the children what they have around them.
func (r report) walls(ctx context.Context, g *globals) {
	b, err := g.openSandbox(ctx, sandboxOptions{})
	if err != nil {
		r.say("sandbox", "off: it does not start: %v", err)
		return
	}
	have := b.Stats().Walls
	for _, w := range walls {
		if slices.Contains(have, w.name) {
			r.say(w.name, "on")
		} else {
			r.say(w.name, "off: %s", w.without)
		}
	}
	for _, w := range have {
		if !slices.ContainsFunc(walls, func(x struct{ name, without string }) bool { return x.name == w }) {
			r.say(w, "on")
		}
	}
	if err := b.Close(); err != nil {
		r.say("sandbox", "does not end well: %v", err)
	}
}

// boxes says which contenders of the labs this host has.
func (r report) boxes() {
	try := func(name string, box interface{ Close() error }, err error) {
		var missing *boxes.MissingError
		switch {
		case errors.As(err, &missing):
			r.say(name, "off: %s; labs say so", missing.Why)
			return
		case err != nil:
			r.say(name, "off: %v", err)
			return
		}
		r.say(name, "on")
		_ = box.Close() // nothing was started
	}
	processes, err := boxes.NewProcesses(boxes.Config{Most: 1})
	try("node", processes, err)
	containers, err := boxes.NewContainers(boxes.Config{Most: 1})
	try("namespaces", containers, err)
	oci, err := boxes.NewOCI(boxes.Config{Most: 1})
	try("container runtime", oci, err)
	docker, err := boxes.NewDocker(boxes.Config{Most: 1})
	try("docker", docker, err)
	workerd, err := boxes.NewWorkerd(boxes.Config{Most: 1})
	try("workerd", workerd, err)
	switch groups := boxes.Delegated(); {
	case groups.Dir == "":
		r.say("cgroup", "off: boxes of the labs have no caps on memory, processors and tasks, because %s", groups.Why)
	case groups.Why != "":
		r.say("cgroup", "on: boxes of the labs are bounded in %s, except that %s", groups.Dir, groups.Why)
	default:
		r.say("cgroup", "on: boxes of the labs are bounded in %s", groups.Dir)
	}
}

// keeping looks at where everything would be kept.
func (c *doctorCmd) keeping(ctx context.Context, r report) {
	if c.DB != "" {
		store, err := classroom.Open(ctx, classroom.Config{URL: c.DB})
		if err != nil {
			r.say("database", "off: %v", err)
			return
		}
		begin := time.Now()
		err = store.Ready(ctx)
		r.say("database", "PostgreSQL, a question takes %v", time.Since(begin).Round(10*time.Microsecond))
		if err = errors.Join(err, store.Close()); err != nil {
			r.say("database", "off: %v", err)
		}
		messages, err := bus.OpenPostgres(ctx, c.DB, nil)
		if err != nil {
			r.say("messages", "off: %v", err)
			return
		}
		r.say("messages", "on: LISTEN works, so servers can share this database")
		_ = messages.Close() // nothing waits in it
		return
	}
	dir, err := dataDir(c.Data)
	if err != nil {
		r.say("database", "off: %v", err)
		return
	}
	took, err := commitTime(dir)
	if err != nil {
		r.say("database", "off: %v", err)
		return
	}
	r.say("database", "SQLite in %s, a commit waits %v for the disk", dir, took.Round(10*time.Microsecond))
}

// commitTime is the median time in which a folder's disk takes a page.
func commitTime(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, ".try-*")
	if err != nil {
		return 0, err
	}
	var all []time.Duration
	page := make([]byte, 4096)
	for range 21 {
		begin := time.Now()
		if _, err = f.Write(page); err == nil {
			err = f.Sync()
		}
		if err != nil {
			break
		}
		all = append(all, time.Since(begin))
	}
	if err = errors.Join(err, f.Close(), os.Remove(filepath.Clean(f.Name()))); err != nil {
		return 0, err
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

// What a class should meet, in milliseconds at the 95th percentile.
const (
	fastBurst  = 2000
	fastSteady = 300
	fastPage   = 200
)

func (c classResult) fast() bool {
	return c.Errors == 0 && c.Burst.P95 <= fastBurst && c.Steady.P95 <= fastSteady && c.Page.P95 <= fastPage
}

// verdict says in words how a class went and what it waited for most.
func (c classResult) verdict() string {
	causes := []struct {
		name, advice string
		ms           float64
	}{
		{"saving", "the database's disk: use a quicker one, or PostgreSQL on another machine", c.Save.P95},
		{"building programs", "processors: builds wait for them", c.Phases["build"].P95},
		{"waiting in line", "processors: runs wait for them", c.Phases["queue"].P95},
		{"starting and running isolates", "processors", c.Phases["start"].P95 + c.Phases["load"].P95 + c.Phases["handle"].P95},
		{"pages and sockets", "processors: the site itself", max(c.Page.P95, c.Socket.P95, c.Phases["other"].P95)},
	}
	worst := causes[0]
	for _, cause := range causes {
		if cause.ms > worst.ms {
			worst = cause
		}
	}
	text := fmt.Sprintf("A class of %d begins well here: Run answers within %.0f ms for 95 of 100", c.Learners, c.Burst.P95)
	if !c.fast() {
		text = fmt.Sprintf("A class of %d is too much for this host: Run answers within %.0f ms for 95 of 100 (%d is good), then within %.0f ms (%d), pages within %.0f ms (%d), errors %d (0)",
			c.Learners, c.Burst.P95, fastBurst, c.Steady.P95, fastSteady, c.Page.P95, fastPage, c.Errors)
	}
	return fmt.Sprintf("%s. The bottleneck is %s, %.0f ms: %s.", text, worst.name, worst.ms, worst.advice)
}
