package lab

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"coldstart/sandbox/box"
)

// What the race shows agrees with what somebody else measures of the same
// contenders in the same seconds, each started anew with nothing of the lab's:
// Node with the same handler, started and asked through plain pipes; isolates
// through a door of the test's own; without -short also those of goja, the Wasm
// module in a wazero of the test's own, and workerd, unshare and crun as a
// person would call them. A load that comes and goes moves the median of a few
// starts; so each is held against the one that was measured in the same round,
// and while those disagree, further races add their rounds.
func TestRaceAgreesWithAnIndependentMeasurement(t *testing.T) {
	if raced {
		t.Skip("the race detector slows some contenders and not others; make test runs this test without it")
	}
	labs := realLabs(t)
	outside := map[string]func() int64{"isolate": throughDoor(t, Room{})}
	keys := []string{"isolate", "node", "docker"}
	if node, err := exec.LookPath("node"); err == nil {
		outside["node"] = throughPipes(t, node, nodeArgs(t)...)
	}
	if !testing.Short() {
		keys = RaceKeys("")
		labs.cfg.Workerd = otherPrograms(t, outside)
		outside["goja"], outside["wasm"] = throughDoor(t, Room{Engine: "goja"}), throughWazero(t)
	}
	var theirs map[string][]int64
	var measure []func()
	for _, name := range slices.Sorted(maps.Keys(outside)) {
		f := outside[name]
		f() // thrown away, as the race's first round is
		measure = append(measure, func() { theirs[name] = append(theirs[name], f()) })
	}
	const rounds, races = 12, 5
	ratios := map[string][]float64{}
	for race := 1; ; race++ {
		theirs = map[string][]int64{}
		r, err := labs.Race(t.Context(), learner, nil, keys, rounds, func(_ Race, say string) {
			if strings.HasPrefix(say, "Round ") {
				slices.Reverse(measure) // nobody is always the one after Node
				for _, f := range measure {
					f()
				}
			}
		})
		if err == nil && len(theirs) == 0 && race < races {
			continue // the machine was so busy that no round was run
		}
		if err != nil || !r.Whole || len(theirs) != len(measure) {
			t.Fatalf("%v, %+v beside %v", err, r, theirs)
		}
		plausible(t, r, rounds)
		agree := true
		for _, name := range slices.Sorted(maps.Keys(theirs)) {
			us, them := r.Contender(name).Cold(), theirs[name]
			if len(us) == 0 { // it is off, and plausible has read why
				continue
			}
			for i := range min(len(us), len(them)) {
				ratios[name] = append(ratios[name], float64(us[i])/float64(them[i]))
			}
			agree = agrees(t, name, ratios[name]) && agree
		}
		if agree {
			return
		}
		if race == races {
			t.Fatalf("%d races disagree", races)
		}
	}
}

// agrees reports whether the race is within 1.5 times of what was measured from
// outside in the same rounds, by the median of their ratios.
func agrees(t *testing.T, name string, ratios []float64) bool {
	s := slices.Sorted(slices.Values(ratios))
	middle := s[(len(s)-1)/2]
	t.Logf("%s: the race shows %.2f times what is measured from outside, n = %d, from %.2f to %.2f", name, middle, len(s), s[0], s[len(s)-1])
	return middle < 1.5 && 1/middle < 1.5
}

// plausible looks at what every contender of a race must have.
func plausible(t *testing.T, r Race, rounds int) {
	for _, c := range r.Contenders {
		if c.Off != "" {
			if !strings.HasPrefix(c.Off, "not on this host, because ") {
				t.Errorf("%s is off: %q", c.Key, c.Off)
			}
			continue
		}
		for _, l := range c.Starts {
			if l.Made < 0 || l.Loaded < l.Made || l.First < l.Loaded || l.First == 0 {
				t.Errorf("%s: the phases of %+v overlap", c.Key, l)
			}
		}
		whole := len(c.Starts) == rounds || c.Short != "" && len(c.Starts) >= leastLaps // a busy machine ends a race in time
		if c.Each < 10<<10 && c.Unweighed == "" || !whole || len(c.Warm) != len(c.Starts) {
			t.Errorf("%s holds %d bytes, %d starts, %d warm requests", c.Key, c.Each, len(c.Starts), len(c.Warm))
		}
	}
}

func TestRaceOfOwnCode(t *testing.T) {
	labs := realLabs(t)
	own := project("const told = 'own'; export default { fetch() { return new Response(told); } };")
	r, err := labs.Race(t.Context(), learner, own, []string{"isolate", "goja", "node"}, 3, func(Race, string) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"isolate", "goja"} {
		if c := r.Contender(key); c.Off != "" || len(c.Starts) != 3 {
			t.Errorf("%s: %+v", key, c)
		}
	}
	if c := r.Contender("node"); c.Off != "only isolates run code that a learner wrote" || !r.Own {
		t.Errorf("node: %+v", c)
	}
	if got := len(r.Samples()); got != 9 { // three starts of two, and three warm requests
		t.Errorf("%d samples: %+v", got, r.Samples())
	}
	for code, off := range map[string]string{
		"export default {": "your code does not run: ",
		"export default { fetch() { throw new Error('no') } };": "your code stopped: ",
	} {
		r, err := labs.Race(t.Context(), learner, project(code), []string{"isolate"}, 2, func(Race, string) {})
		if err != nil {
			t.Fatal(err)
		}
		if c := r.Contender("isolate"); !strings.HasPrefix(c.Off, off) || c.Starts != nil {
			t.Errorf("%q: %+v", code, c)
		}
	}
}

// A race with a kind of box that this host lacks goes on without it.
func TestRaceWithoutPrograms(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	labs := New(Config{Workerd: os.DevNull})
	keys := []string{"goja", "workerd", "node", "container", "oci", "docker"} // the snapshot isolate is built elsewhere
	r, err := labs.Race(t.Context(), learner, nil, keys, 2, func(Race, string) {})
	if err != nil {
		t.Fatal(err)
	}
	var missing *box.MissingError
	_, want := box.NewProcesses(box.Config{Most: 1})
	if !errors.As(want, &missing) {
		t.Fatal(want)
	}
	for _, c := range r.Contenders {
		if !strings.HasPrefix(c.Off, "not on this host, because ") {
			t.Errorf("%s: %q", c.Key, c.Off)
		}
	}
	if c := r.Contender("node"); c.Off != "not on this host, because "+missing.Why {
		t.Errorf("node: %q", c.Off)
	}
}
