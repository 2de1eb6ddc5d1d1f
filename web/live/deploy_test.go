package live

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
)

func TestDeployBuildsOnceAndFindsItAgain(t *testing.T) {
	w := newWorld(t, nil)
	p := w.save("code")
	newDeployer := func(build string) *Deployer {
		return NewDeployer(w.door, w.store, slog.New(slog.DiscardHandler), trace.Ceiling(), build)
	}
	d := newDeployer("b1")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := d.Deploy(t.Context(), p); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	d.Close()
	if builds, deploys := w.door.Counts(); builds != 1 || deploys != 1 {
		t.Fatalf("eight at once built %d and deployed %d times", builds, deploys)
	}
	// A sandbox that dropped it gets the same back; of others there is nothing.
	if got, err := d.Restore(t.Context(), Key(p)); err != nil || got == nil || len(got.Workers) == 0 || got.Workers[0].Code == "" {
		t.Errorf("restored %+v, %v", got, err)
	}
	if got, err := d.Restore(t.Context(), sandbox.Key{Learner: p.Workspace, Project: "other"}); err != nil || got != nil {
		t.Errorf("restored of nothing %+v, %v", got, err)
	}
	if got, err := newDeployer("b2").Restore(t.Context(), Key(p)); err != nil || got != nil {
		t.Errorf("restored for another program %+v, %v", got, err)
	}
	// After a restart the stored bundle is deployed; nothing is built.
	d = newDeployer("b1")
	if got, err := d.Deploy(t.Context(), p); err != nil || got.Built != 0 {
		t.Errorf("deploy after a restart: %+v, %v", got, err)
	}
	if builds, deploys := w.door.Counts(); builds != 1 || deploys != 2 {
		t.Errorf("after a restart: %d builds, %d deploys", builds, deploys)
	}
	// Another program's bundle is not trusted to be the same.
	d = newDeployer("b2")
	if _, err := d.Deploy(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	d.Close()
	if builds, _ := w.door.Counts(); builds != 2 {
		t.Errorf("after an update: %d builds", builds)
	}
	d.Forget(Key(p))
	if _, err := d.Deploy(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if builds, deploys := w.door.Counts(); builds != 2 || deploys != 4 {
		t.Errorf("after Forget: %d builds, %d deploys", builds, deploys)
	}
}

// A run that read the project before a save may deploy after the save was:
// the save stays, unless the older state is what was asked for.
func TestDeployDoesNotGoBackByItself(t *testing.T) {
	w := newWorld(t, nil)
	d := NewDeployer(w.door, w.store, slog.New(slog.DiscardHandler), trace.Ceiling(), "b1")
	t.Cleanup(d.Close)
	var told []string
	d.Changed = func(slug string) { told = append(told, slug) }
	older := w.save("older")
	newer := older
	newer.Revision, newer.Files = older.Revision+1, classroom.Files{"src/index.js": []byte("newer")}
	deploy := func(f func(context.Context, classroom.Project) (Deployed, error), p classroom.Project, builds, changes int) {
		t.Helper()
		if _, err := f(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if got, _ := w.door.Counts(); got != builds || len(told) != changes {
			t.Errorf("%d builds, told of %q; want %d and %d", got, told, builds, changes)
		}
	}
	deploy(d.DeployNewest, newer, 1, 1)
	deploy(d.DeployNewest, older, 1, 1) // read before, deployed after
	deploy(d.Deploy, older, 2, 2)       // asked for
	deploy(d.DeployNewest, older, 2, 2) // is what is there
	deploy(d.DeployNewest, newer, 3, 3)
	again := older // deleted and begun anew under the same id
	again.Slug = "another"
	deploy(d.DeployNewest, again, 4, 4)
}

func TestSourcesWritesAWranglerFile(t *testing.T) {
	p := classroom.Project{
		Files: classroom.Files{"worker.js": []byte("x")},
		Settings: classroom.Settings{
			Env:      map[string]json.RawMessage{"A": json.RawMessage(`"a"`), "__proto__": json.RawMessage(`{"admin":true}`)},
			Bindings: map[string]string{"NOTES": "kv", "JOBS": "queue"},
			Limits:   classroom.LimitSettings{"cpu_ms": 500, "wall_ms": 99_999_999, "memory_mb": 64, "kv_keys": 3, "body_kb": 0},
		},
	}
	got, err := Sources(p, trace.Ceiling())
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(got.Files["wrangler.jsonc"], &config); err != nil {
		t.Fatal(err)
	}
	text := string(got.Files["wrangler.jsonc"])
	for _, want := range []string{`"main": "worker.js"`, `"A": "a"`, `"__proto__": {`, `"binding": "NOTES"`, `"queue": "jobs"`, `"compatibility_date": "2026-11-01"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if len(p.Files) != 1 {
		t.Error("the learner's own files were changed")
	}
	if got.Limits.CPU != 500*time.Millisecond || got.Limits.Wall != trace.Ceiling().Wall || got.Limits.Memory != 64<<20 || got.Limits.KVKeys != 3 || got.Limits.Body != 0 {
		t.Errorf("limits %+v", got.Limits)
	}
	var input *InputError
	p.Files = classroom.Files{"worker.js": nil, "wrangler.toml": nil}
	if _, err := Sources(p, trace.Ceiling()); !errors.As(err, &input) || !strings.Contains(input.Message, "wrangler.toml") {
		t.Errorf("bindings beside a wrangler file give %v", err)
	}
	p.Files, p.Settings.Bindings = classroom.Files{"worker.js": nil}, map[string]string{"X": "toaster"}
	if _, err := Sources(p, trace.Ceiling()); !errors.As(err, &input) || !strings.Contains(input.Message, `"toaster"`) {
		t.Errorf("an unknown kind gives %v", err)
	}
}
