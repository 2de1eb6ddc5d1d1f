package lab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/pool"
	"coldstart/sandbox/trace"
)

// Release says what the rollout lab puts before its visitors.
type Release struct {
	Old    string  `json:"old"`    // code of the version that is out there
	New    string  `json:"new"`    // code of the next one
	Plan   string  `json:"plan"`   // PlanGuard, PlanHand
	Rate   float64 `json:"rate"`   // visits a second
	Sticky bool    `json:"sticky"` // a visitor stays with a version as long as the share allows
	Seed   uint64  `json:"seed"`
	// Seconds that visitors come for, at least 1. A ninth of them passes before
	// the guard's first step, and a sixth between two.
	Seconds float64 `json:"seconds"`
}

// Who decides about the share of the new version.
const (
	PlanGuard = "guard" // it grows in steps and goes back to nothing when the new version fails
	PlanHand  = "hand"  // the learner
)

// Rollout is what the rollout lab found: two versions that answered the same
// visitors at the same time.
type Rollout struct {
	Release  Release      `json:"release"`
	Step     float64      `json:"step"` // seconds of a Beat
	Old      Side         `json:"was"`
	New      Side         `json:"next"`
	Shares   []Share      `json:"shares"` // in order; the first is 0 %
	Events   []pool.Event `json:"events"`
	Visitors int          `json:"visitors"` // who came at least once
	Mixed    int          `json:"mixed"`    // visitors who went from the new version to the old one though its share had not fallen
	Hurt     int          `json:"hurt"`     // visitors who got an error from the new version
	Stamp
	Whole   bool `json:"whole"`
	Running bool `json:"-"` // figures still come
}

// Share is the new version's from a moment on.
type Share struct {
	At      float64 `json:"at"` // seconds
	Percent float64 `json:"percent"`
}

// Percent is the new version's share now, or at the end.
func (r *Rollout) Percent() float64 {
	if len(r.Shares) == 0 {
		return 0
	}
	return r.Shares[len(r.Shares)-1].Percent
}

// Bounds of the rollout lab.
const (
	guardEnough     = 5 // answers of the new version, before its share grows
	guardFailed     = 2 // failures since the last step that are no coincidence
	rolloutVisitors = 100
	rolloutItems    = 24
)

// guardShares are the guard's steps, in percent.
var guardShares = []float64{5, 25, 50, 100}

// OldRelease and NewRelease are the versions that the lab begins with.
const (
	OldRelease = `const items = Array.from({ length: 24 }, (_, n) => ({ name: "Item " + n, price: 4 + n }));

export default {
  fetch(request) {
    const n = Number(new URL(request.url).pathname.split("/").pop());
    return Response.json({ name: items[n].name, price: items[n].price });
  },
};
`
	NewRelease = `const items = Array.from({ length: 24 }, (_, n) => ({ name: "Item " + n, price: 4 + n }));
const sale = new Map(items.filter((_, n) => n % 8 !== 7).map((item) => [item, { factor: 0.9 }]));

export default {
  fetch(request) {
    const n = Number(new URL(request.url).pathname.split("/").pop());
    return Response.json({ name: items[n].name, price: items[n].price * sale.get(items[n]).factor });
  },
};
`
)

// Rollout runs the rollout lab for a learner. A number from shares is the
// percentage that the learner sets by hand, from 0 to 100; the guard then lets
// go. told gets what is known so far, from one goroutine, five times a second.
func (l *Labs) Rollout(ctx context.Context, learner string, release Release, shares <-chan float64, told func(*Rollout, string)) (*Rollout, error) {
	r := &Rollout{Release: release, Step: beat.Seconds(), Shares: []Share{{}}}
	err := l.Turn(ctx, func(say string) { told(r, say) }, func(ctx context.Context) error {
		told(r, "Starting.")
		d := &rollout{labs: l, r: r, told: told, random: rand.New(rand.NewPCG(release.Seed, 1))}
		if err := d.open(ctx, learner); err != nil {
			return err
		}
		r.Running = true
		err := errors.Join(d.run(ctx, shares), d.door.Close())
		r.Running = false
		return err
	})
	if len(r.Old.Beats) == 0 {
		return nil, err
	}
	r.Stamp, r.Whole = Stamp{l.machine(), l.cfg.Now()}, err == nil
	return r, err
}

// rollout is one run of the lab.
type rollout struct {
	labs   *Labs
	r      *Rollout
	told   func(*Rollout, string)
	door   sandbox.Door
	random *rand.Rand
	old    *crowd
	next   *crowd

	mu       sync.Mutex
	percent  float64
	since    float64 // seconds, when the share was last set
	fallen   int     // times that the share fell
	visitors [rolloutVisitors]visitor
	returned float64 // when the share last went to nothing
	lastNew  float64 // when the new version last answered after that
}

// visitor is one of those who come again and again.
type visitor struct {
	came, isNew, mixed, hurt bool
	fallen                   int // of rollout, when isNew was set
}

// open builds both versions and deploys them side by side in a sandbox of the lab's own.
func (d *rollout) open(ctx context.Context, learner string) error {
	versions := []struct{ name, code string }{{"old", d.r.Release.Old}, {"new", d.r.Release.New}}
	var deployments []*trace.Deployment
	for _, v := range versions {
		file := v.name + ".js"
		p := trace.Project{Files: map[string][]byte{file: []byte(v.code)}, Main: file}
		built, err := d.labs.Build(ctx, sandbox.Key{Learner: learner, Project: "rollout-" + v.name}, p)
		var code *CodeError
		if errors.As(err, &code) {
			return &CodeError{"The " + v.name + " version: " + code.Message}
		}
		if err != nil {
			return err
		}
		deployments = append(deployments, built)
	}
	door, err := d.labs.sandboxOf(ctx, Room{})
	if err != nil {
		return err
	}
	d.door = door
	begin := time.Now()
	for i, v := range versions {
		key := sandbox.Key{Learner: "visitors", Project: v.name}
		if err := door.Deploy(ctx, key, deployments[i]); err != nil {
			return errors.Join(err, door.Close())
		}
		c := newCrowd(door, key, nil)
		c.begin = begin
		if v.name == "old" {
			d.old = c
		} else {
			d.next = c
		}
	}
	return nil
}

func (d *rollout) run(ctx context.Context, shares <-chan float64) error {
	release := &d.r.Release
	arrivals := pool.Random([]pool.Rate{{PerSecond: release.Rate}}, release.Seconds, release.Seed)
	ctx, cancel := context.WithCancel(ctx)
	var coming sync.WaitGroup
	coming.Go(func() {
		stream(ctx, d.old.begin, arrivals, func(at float64, due time.Time) { d.arrive(ctx, at, due) })
	})
	defer func() { cancel(); coming.Wait(); d.old.wait(); d.next.wait() }()
	guarded := release.Plan == PlanGuard
	tick := time.NewTicker(showEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			d.look()
			return context.Cause(ctx)
		case percent := <-shares:
			if guarded {
				guarded = false
				d.note("guard", "you: the guard lets go")
			}
			d.set(percent, "you")
			continue
		case <-tick.C:
		}
		now := d.look()
		if guarded {
			guarded = d.guard(now)
		}
		d.told(d.r, d.where(now))
		if now >= d.r.Release.Seconds && d.old.away() && d.next.away() {
			d.look()
			return nil
		}
	}
}

// arrive sends a visitor to a version.
func (d *rollout) arrive(ctx context.Context, at float64, due time.Time) {
	who, item := d.random.IntN(rolloutVisitors), d.random.IntN(rolloutItems)
	luck := d.random.Float64() * 100
	d.mu.Lock()
	if d.r.Release.Sticky {
		luck = (float64(who) + 0.5) * 100 / rolloutVisitors // the same for a visitor on every visit
	}
	v := &d.visitors[who]
	isNew := luck < d.percent
	if v.isNew && !isNew && v.fallen == d.fallen {
		v.mixed = true
	}
	v.came, v.isNew, v.fallen = true, isNew, d.fallen
	d.mu.Unlock()
	c := d.old
	if isNew {
		c = d.next
	}
	if !c.arrive(at) {
		return
	}
	run := sandbox.Run{Key: c.key, Method: "GET", URL: fmt.Sprintf("https://shop.example/items/%d", item), Headers: [][2]string{{"cookie", fmt.Sprintf("visitor=%d", who)}}, Length: -1}
	c.wg.Go(func() {
		ok := c.visit(ctx, at, due, run)
		if !isNew {
			return
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		v.hurt = v.hurt || !ok && ctx.Err() == nil
		d.lastNew = c.now()
	})
}

// set gives the new version a share from now on.
func (d *rollout) set(percent float64, who string) {
	now := d.old.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if percent == d.percent {
		return
	}
	if percent < d.percent {
		d.fallen++
	}
	say := fmt.Sprintf("%s: %g %% of the visits get the new version", who, percent)
	if percent == 0 {
		say = who + ": back to the old version"
		d.returned = now
	}
	d.percent, d.since = percent, now
	d.r.Shares = append(d.r.Shares, Share{now, percent})
	d.old.note("share", say)
}

func (d *rollout) note(kind, say string) { d.old.note(kind, say) }

// guard looks at the new version's answers since its share was set. It gives
// false once there is nothing left to decide.
func (d *rollout) guard(now float64) bool {
	d.mu.Lock()
	percent, since := d.percent, d.since
	d.mu.Unlock()
	answered, failed := d.next.after(since)
	switch {
	case percent == 0:
		if now >= d.r.Release.Seconds/9 {
			d.set(guardShares[0], "guard")
		}
	case failed >= guardFailed:
		d.note("guard", fmt.Sprintf("guard: %s of the new version failed within %.1f s", plural(failed, "answer", "answers"), now-since))
		d.set(0, "guard")
		return false
	case now-since >= d.r.Release.Seconds/6 && answered >= guardEnough:
		for _, next := range guardShares {
			if next > percent {
				d.set(next, "guard")
				return true
			}
		}
		return false
	}
	return true
}

// look brings the figures up to now, in seconds since the begin.
func (d *rollout) look() float64 {
	var now float64
	queued := d.door.Stats().Queued
	for _, c := range []*crowd{d.next, d.old} {
		now = c.sample(len(d.door.Isolates(c.key)), queued)
		queued = 0 // of both together
	}
	d.old.fill(&d.r.Old, Meter{})
	d.next.fill(&d.r.New, Meter{})
	d.r.Events = d.old.events()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.r.Visitors, d.r.Mixed, d.r.Hurt = 0, 0, 0
	for _, v := range d.visitors {
		d.r.Visitors += count(v.came)
		d.r.Mixed += count(v.mixed)
		d.r.Hurt += count(v.hurt)
	}
	if d.returned > 0 && now > d.returned+1 {
		say := "no request of the new version was under way any more"
		if after := d.lastNew - d.returned; after > 0 {
			say = fmt.Sprintf("the new version's last answer left %.0f ms after", after*1000)
		}
		d.returned = 0
		d.note("quiet", say)
	}
	d.r.Machine, d.r.At = d.labs.machine(), d.labs.cfg.Now()
	return now
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// where says in a sentence where the run stands.
func (d *rollout) where(now float64) string {
	if now >= d.r.Release.Seconds {
		return "The last answers."
	}
	return fmt.Sprintf("%.0f s of %.0f: %g %% of the visits get the new version.", now, d.r.Release.Seconds, d.r.Percent())
}
