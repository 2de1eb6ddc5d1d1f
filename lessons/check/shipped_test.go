package check

import (
	"context"
	"flag"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coldstart/lessons"
	"coldstart/sandbox"
	"coldstart/sandbox/runner"
)

var (
	only   = flag.String("lesson", "", "lint only the lesson with this id")
	mutate = flag.Bool("mutate", false, "also remove each line of the solutions")
)

// The test binary is also the sandbox's children.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		os.Exit(sandbox.Main(strings.TrimPrefix(os.Args[2], "--role=")))
	}
	os.Exit(m.Run())
}

// realDoor is a sandbox with children.
func realDoor(t *testing.T) sandbox.Door {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	image, err := runner.Image(t.Context(), cache+"/coldstart-test")
	if err != nil {
		t.Fatal(err)
	}
	s, err := sandbox.New(context.Background(), sandbox.Config{Image: image, Cache: cache + "/coldstart-test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		_ = image.Close()
	})
	return s
}

// TestShippedLessons runs every solution and every starter in real isolates:
// each solution passes, and no check but guards passes on the starter.
func TestShippedLessons(t *testing.T) {
	if instrumented {
		t.Skip("one check after the other, and bounds on CPU time; make test plays it without the race detector")
	}
	shipped := lessons.Shipped()
	static, err := Lint(t.Context(), LintConfig{Lessons: shipped})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range static.Problems {
		t.Error(p)
	}
	catalog, _ := lessons.Load(shipped)
	var halves [2][]string
	n := 0
	for _, l := range catalog.Lessons() {
		if *only == "" || slices.Contains(strings.Split(*only, ","), l.ID) {
			halves[n%2] = append(halves[n%2], l.ID)
			n++
		}
	}
	if n == 0 {
		t.Fatalf("no lesson is called %s", *only)
	}
	// Half of the time is waited for, so two lessons are played beside each other.
	door, begin := realDoor(t), time.Now()
	var checks atomic.Int64
	var players sync.WaitGroup
	for _, half := range halves {
		if half == nil {
			continue
		}
		players.Go(func() {
			r, err := Lint(t.Context(), LintConfig{Door: door, Lessons: shipped, Only: half, Mutate: *mutate, Progress: func(_, _ int, lesson string) {
				t.Logf("%6.1f s  %s", time.Since(begin).Seconds(), lesson)
			}})
			if err != nil {
				t.Error(err)
				return
			}
			for _, p := range r.Ran() {
				t.Error(p)
			}
			checks.Add(int64(r.Checks))
		})
	}
	players.Wait()
	if *only == "" && checks.Load() < 20 {
		t.Errorf("only %d checks ran", checks.Load())
	}
}

// TestNewLessonPassesLint follows the guide: a track, a lesson, lint with
// everything on.
func TestNewLessonPassesLint(t *testing.T) {
	root := t.TempDir()
	if _, err := lessons.NewTrack(root, "event-driven"); err != nil {
		t.Fatal(err)
	}
	if _, err := lessons.NewLesson(root, "first-event"); err != nil {
		t.Fatal(err)
	}
	r, err := Lint(t.Context(), LintConfig{Door: realDoor(t), Lessons: os.DirFS(root), Repeat: 3, Mutate: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		t.Error(p)
	}
	if r.Lessons != 1 || r.Checks != 1 || r.Mutants == 0 {
		t.Errorf("%d lessons, %d checks, %d mutants", r.Lessons, r.Checks, r.Mutants)
	}
}
