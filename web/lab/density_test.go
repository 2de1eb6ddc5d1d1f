package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/box"
	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
	"coldstart/static"
)

// The tests run on the real sandbox; the test binary is also its child processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		os.Exit(sandbox.Main(strings.TrimPrefix(os.Args[2], "--role=")))
	}
	os.Exit(m.Run())
}

// opener starts real sandboxes of one runner.
func opener(t *testing.T) func(context.Context, Room) (sandbox.Door, error) {
	t.Helper()
	if err := static.Missing(); err != nil {
		t.Skip(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "coldstart-test")
	image, err := runner.Image(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { image.Close() })
	return func(_ context.Context, r Room) (sandbox.Door, error) {
		return sandbox.New(context.Background(), sandbox.Config{Image: image, Cache: cache, Runners: 1, Engine: r.Engine, Memory: r.Memory, Ceiling: Ceiling()})
	}
}

func realLabs(t *testing.T) *Labs {
	t.Helper()
	open := opener(t)
	door, err := open(t.Context(), Room{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := door.Close(); err != nil {
			t.Error(err)
		}
	})
	return New(Config{Door: door, Open: open})
}

// each is the slope between a line's first and last sample, in bytes.
func each(l *Line) float64 {
	first, last := l.Samples[0], l.Samples[len(l.Samples)-1]
	return float64(last.Bytes-first.Bytes) / float64(last.Copies-first.Copies)
}

var learner = sandbox.Key{Learner: "learner", Project: "project"}

func project(code string) *trace.Project {
	return &trace.Project{Files: map[string][]byte{"index.js": []byte(code)}, Main: "index.js"}
}

// What the lab shows of isolates agrees with what an outsider sees: the pages
// that the kernel's page map calls a runner's own in its copies of the
// snapshot, before and after requests to a hundred tenants of their own; and at
// the lab's own counts the kernel's sums of its processes in smaps_rollup.
func TestSlopeAgreesWithAnOutsideMeasurement(t *testing.T) {
	if raced {
		t.Skip("the race detector's memory would be weighed too; make test runs this test without it")
	}
	labs := realLabs(t)
	var said []string
	sums := map[string][]box.Sample{} // PSS at the counts of each line
	d, err := labs.Fill(t.Context(), learner, nil, []string{Process, Container}, 0, func(d Density, say string) {
		said = append(said, say)
		for i := range d.Lines {
			if l := &d.Lines[i]; len(l.Samples) > len(sums[l.Key]) {
				sums[l.Key] = append(sums[l.Key], box.Sample{Copies: l.Samples[len(l.Samples)-1].Copies, Bytes: rollups(t, l.Key)})
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	iso := d.Line(Isolate)
	if !d.Whole || iso == nil || len(iso.Samples) != len(isolateCounts) || iso.Off != "" {
		t.Fatalf("got %+v", d)
	}
	if len(said) < len(isolateCounts) {
		t.Errorf("it said only %q", said)
	}
	theirs := outside(t, 100)
	if ratio := each(iso) / theirs; ratio < 1/1.5 || ratio > 1.5 {
		t.Errorf("an isolate adds %.0f kB by the lab, %.0f kB by the kernel's page map", each(iso)/1024, theirs/1024)
	}
	t.Logf("an isolate adds %.0f kB by the lab, %.0f kB from outside", each(iso)/1024, theirs/1024)
	for key, samples := range sums {
		ours := *d.Line(key)
		if key != Isolate { // from three copies on, as many of each kind share Node's own pages
			ours.Samples, samples = ours.Samples[1:], samples[1:]
		}
		us, them := each(&ours), each(&Line{Samples: samples})
		if ratio := us / them; ratio < 1/1.5 || ratio > 1.5 {
			t.Errorf("%s: one more adds %.0f kB by the lab, %.0f kB by smaps_rollup; at the counts %v", ours.Name, us/1024, them/1024, samples)
		}
		t.Logf("%s: from %d to %d copies one more adds %.0f kB by the lab, %.0f kB by smaps_rollup", ours.Name, samples[0].Copies, samples[len(samples)-1].Copies, us/1024, them/1024)
	}

	proc := d.Line(Process)
	if _, err := box.NewProcesses(box.Config{Most: 1}); err != nil {
		if !strings.HasPrefix(proc.Off, "not on this host, because ") {
			t.Errorf("without node: %+v", proc)
		}
		return
	}
	if len(proc.Samples) != len(processCounts) || each(proc) < 4*each(iso) {
		t.Errorf("processes %+v, isolates %+v", proc, iso)
	}
}

// rollups is what the kernel says that the processes of a line hold: those
// below this one that run isolates, or Node, in namespaces or not.
func rollups(t *testing.T, key string) (pss int64) {
	t.Helper()
	own, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		t.Fatal(err)
	}
	children, err := exec.Command("ps", "-e", "-o", "pid=,ppid=,args=").Output()
	if err != nil {
		t.Skip("no ps to look at processes from outside: ", err)
	}
	ours := map[string]bool{fmt.Sprint(os.Getpid()): true}
	for more := true; more; {
		more = false
		for line := range strings.Lines(string(children)) {
			f := strings.Fields(line)
			if len(f) < 3 || ours[f[0]] || !ours[f[1]] {
				continue
			}
			ours[f[0]], more = true, true
			space, _ := os.Readlink("/proc/" + f[0] + "/ns/mnt") // one that has ended has none
			kind := map[bool]string{true: Process, false: Container}[space == own]
			if strings.Contains(line, "--role=run") {
				kind = Isolate
			}
			if kind != key {
				continue
			}
			rollup, err := os.ReadFile("/proc/" + f[0] + "/smaps_rollup")
			if err != nil {
				continue
			}
			var kB int64
			if _, rest, ok := strings.Cut(string(rollup), "\nPss:"); ok {
				_, err = fmt.Sscan(rest, &kB)
			}
			if err != nil || kB == 0 {
				t.Fatalf("smaps_rollup of %s is not understood: %v\n%s", f[0], err, rollup)
			}
			pss += kB << 10
		}
	}
	return pss
}

// outside measures what an isolate adds with nothing of this package, in bytes.
func outside(t *testing.T, n int) float64 {
	door, err := opener(t)(t.Context(), Room{})
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	dep, err := door.Build(t.Context(), learner, *project(string(visits)))
	if err != nil {
		t.Fatal(err)
	}
	dep, err = checked(dep)
	if err != nil {
		t.Fatal(err)
	}
	visit := func(i int) {
		key := sandbox.Key{Learner: fmt.Sprint("other-", i), Project: "p"}
		if err := door.Deploy(t.Context(), key, dep); err != nil {
			t.Fatal(err)
		}
		resp, err := door.Invoke(t.Context(), sandbox.Run{Key: key, Method: "GET", URL: "https://x.example/", Length: -1})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || string(body) != "visit 1" {
			t.Fatalf("answer %q, %v", body, err)
		}
	}
	own := func() (pages int) {
		for _, r := range door.Stats().Runners {
			if r.Role == "run" && r.Isolates > 0 {
				pages += copied(t, r.PID)
			}
		}
		return pages
	}
	// An isolate gives back what its answer needed a little later.
	rested := func() int {
		least := own()
		for calm := 0; calm < 5; calm++ {
			time.Sleep(200 * time.Millisecond)
			if now := own(); now < least {
				least, calm = now, 0
			}
		}
		return least
	}
	visit(0)
	before := rested()
	for i := 1; i <= n; i++ {
		visit(i)
	}
	return float64(rested()-before) * float64(os.Getpagesize()) / float64(n)
}

// copied are the pages of a process's mappings of the snapshot that it has a
// copy of its own of: they are in memory, and no page of the file
// (Documentation/admin-guide/mm/pagemap.rst of the kernel).
func copied(t *testing.T, pid int) (pages int) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.Open(fmt.Sprintf("/proc/%d/pagemap", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	size := int64(os.Getpagesize())
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		if !strings.Contains(line, "/memfd:isolate-image") {
			continue
		}
		if _, err := fmt.Sscanf(line, "%x-%x rw-p", &from, &to); err != nil {
			continue // another view of the file
		}
		entries := make([]byte, (to-from)/size*8)
		if _, err := table.ReadAt(entries, from/size*8); err != nil {
			t.Fatal(err)
		}
		for i := 7; i < len(entries); i += 8 {
			const present, file = 1 << 7, 1 << 5 // bits 63 and 61
			if entries[i]&present != 0 && entries[i]&file == 0 {
				pages++
			}
		}
	}
	return pages
}

func checked(d *trace.Deployment) (*trace.Deployment, error) {
	if d.Fault != nil {
		return nil, errors.New(d.Fault.Message)
	}
	return d, nil
}

func TestOwnCode(t *testing.T) {
	if raced {
		t.Skip("the race detector's memory would be weighed too; make test runs this test without it")
	}
	labs := realLabs(t)
	for _, c := range []struct{ name, code, off string }{
		{"a megabyte", "const data = new Uint8Array(1 << 20).fill(1); export default { fetch: () => new Response(String(data.length)) };", ""},
		{"no handler", "export const a = 1;", "your code"},
		{"no program", "export default {", "your code does not run: "},
		{"stops", "export default { fetch() { throw new Error('enough') } };", "your code stopped: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := labs.Fill(t.Context(), learner, project(c.code), nil, 0, func(Density, string) {})
			if err != nil {
				t.Fatal(err)
			}
			own, iso := d.Line(Own), d.Line(Isolate)
			if len(iso.Samples) != len(isolateCounts) {
				t.Errorf("the shipped handler's line suffered: %+v", iso)
			}
			if c.off != "" {
				if !strings.HasPrefix(own.Off, c.off) || own.Samples != nil {
					t.Errorf("got %+v", own)
				}
				return
			}
			if more := each(own) - each(iso); more < 0.8*(1<<20) || more > 1.6*(1<<20) {
				t.Errorf("a megabyte of data adds %.2f MB", more/(1<<20))
			}
			if last := own.Samples[len(own.Samples)-1]; last.Bytes > densityCap+100<<20 {
				t.Errorf("it went on to %+v", last)
			}
		})
	}
}

func TestFillEndsWithItsContext(t *testing.T) {
	labs := realLabs(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	left := errors.New("the learner left")
	d, err := labs.Fill(ctx, learner, nil, []string{Process}, 0, func(d Density, _ string) {
		if len(d.Lines) > 0 && len(d.Lines[0].Samples)+len(d.Lines[1].Samples) > 2 {
			cancel(left)
		}
	})
	if !errors.Is(err, left) || d.Whole {
		t.Errorf("got %+v, %v", d, err)
	}
	if _, _, _, err := labs.Boxes(t.Context(), Process); err != nil {
		t.Errorf("the next lab: %v", err)
	}
}

// Code that starts slowly is measured as far as the time goes.
func TestSlowCodeEndsInTime(t *testing.T) {
	labs := realLabs(t)
	labs.cfg.Time = 4 * time.Second
	slow := "export default { async fetch() { await new Promise((r) => setTimeout(r, 100)); return new Response('slow'); } };"
	begin := time.Now()
	d, err := labs.Fill(t.Context(), learner, project(slow), nil, 0, func(Density, string) {})
	if !errors.Is(err, ErrTime) || d.Whole {
		t.Errorf("got %v, %+v", err, d)
	}
	if own := d.Line(Own); own.Off != "" || len(own.Samples) == 0 || len(own.Samples) == len(isolateCounts) {
		t.Errorf("its line is %+v", own)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestLabsWaitForEachOtherInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		labs := New(Config{})
		var order []int
		if err := labs.enter(t.Context(), func(int) { t.Error("the first one waits") }); err != nil {
			t.Fatal(err)
		}
		for i := 1; i <= mostWaiting; i++ {
			go func() {
				if err := labs.enter(t.Context(), func(ahead int) {
					if ahead != i {
						t.Errorf("number %d hears of %d ahead", i, ahead)
					}
				}); err != nil {
					t.Error(err)
				}
				order = append(order, i)
				labs.leave()
			}()
			synctest.Wait()
		}
		if err := labs.enter(t.Context(), func(int) {}); !errors.Is(err, ErrBusy) {
			t.Errorf("one too many: %v", err)
		}
		labs.leave()
		synctest.Wait()
		for i, n := range order {
			if n != i+1 {
				t.Fatalf("they ran in the order %v", order)
			}
		}
		if len(order) != mostWaiting {
			t.Errorf("%d ran", len(order))
		}
	})
}

// A crowd lives until the end, and its pages are those that the kernel counts:
// what all of its isolates have to themselves is within the runner's own memory.
func TestCrowdIsAliveAndItsPagesAreCounted(t *testing.T) {
	labs := realLabs(t)
	rising := 0
	d, err := labs.Fill(t.Context(), learner, nil, nil, 400, func(d Density, _ string) {
		if d.Alive != nil && d.Alive.Isolates > rising {
			rising = d.Alive.Isolates
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	a := d.Alive
	if a == nil || !a.Done || a.Short != "" && a.Isolates == 400 || a.Short == "" && a.Isolates != 400 || a.Read != a.Isolates || rising == 0 {
		t.Fatalf("got %+v, seen rising to %d", a, rising)
	}
	if sum := a.Shared + a.Private + a.Untouched; sum != int64(a.Read*len(a.Map)) {
		t.Errorf("%d pages of %d isolates with %d each", sum, a.Read, len(a.Map))
	}
	if own := a.Private / int64(a.Read); own < 5 || own > 400 || a.Private*4096 > a.Bytes {
		t.Errorf("%d pages each, %d bytes of %d", own, a.Private*4096, a.Bytes)
	}
	if a.Shared < 3*a.Private {
		t.Errorf("of the pages in use %d are shared and %d are not", a.Shared, a.Private)
	}
	for _, state := range []byte{PageShared, PagePrivate} {
		if !slices.Contains(a.Map, state) {
			t.Errorf("no page stands as %d in %v", state, a.Map)
		}
	}
	t.Logf("%d isolates: %d pages each, %d right after the answer; %d MB", a.Isolates, a.Private/int64(a.Read), int(a.Fresh), a.Bytes>>20)
}
