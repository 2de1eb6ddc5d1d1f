package check

import (
	"context"
	"flag"
	"os"
	"strings"
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
	cfg := LintConfig{Door: realDoor(t), Lessons: lessons.Shipped(), Mutate: *mutate}
	if *only != "" {
		cfg.Only = strings.Split(*only, ",")
	}
	begin := time.Now()
	cfg.Progress = func(done, total int, lesson string) {
		t.Logf("%6.1f s  %d of %d  %s", time.Since(begin).Seconds(), done+1, total, lesson)
	}
	r, err := Lint(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		t.Error(p)
	}
	if *only == "" && r.Checks < 20 {
		t.Errorf("only %d checks ran", r.Checks)
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
