package conformance

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"coldstart/sandbox"
	"coldstart/sandbox/runner"
)

// The test binary is also its own child processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == "child" && os.Args[2] == "goja" {
		os.Exit(runner.ChildMain(strings.TrimPrefix(os.Args[3], "--role="), runner.Goja()))
	}
	if len(os.Args) > 2 && os.Args[1] == "child" {
		os.Exit(sandbox.Main(strings.TrimPrefix(os.Args[2], "--role=")))
	}
	flag.Parse()
	if run := flag.Lookup("test.run"); run.Value.String() != "" && !strings.HasPrefix(run.Value.String(), "^") && !strings.Contains(run.Value.String(), "Test") {
		only = regexp.MustCompile(run.Value.String())
		_ = run.Value.Set("^TestConformance$") // a valid pattern
	}
	os.Exit(m.Run())
}

func newDoor(t *testing.T, engine string) sandbox.Door {
	t.Helper()
	if engine != "quickjs" && engine != "goja" {
		t.Fatalf("-engine is quickjs or goja, not %q", engine)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(dir, "coldstart-test")
	image, err := runner.Image(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	ceiling := limits()
	ceiling.Isolates = 4096
	cfg := sandbox.Config{Image: image, Cache: cache, Ceiling: ceiling, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if engine == "goja" {
		cfg.Image, cfg.Args = nil, []string{"child", "goja"}
	}
	s, err := sandbox.New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		_ = image.Close() // read only
	})
	return s
}
