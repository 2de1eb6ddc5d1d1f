package bundle

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"coldstart/sandbox/trace"
)

var update = flag.Bool("update", false, "write what testdata/*/*.txtar should say")

// TestFaults builds each archive of testdata/errors: a project, and in the
// file "want" the fault and warnings that it must give, word for word.
func TestFaults(t *testing.T) {
	archives, err := filepath.Glob("testdata/errors/*.txtar")
	if err != nil || len(archives) < 40 {
		t.Fatalf("%d archives: %v", len(archives), err)
	}
	for _, file := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := trace.Project{Files: map[string][]byte{}}
			want := -1
			for i, f := range a.Files {
				if f.Name == "want" {
					want = i
					continue
				}
				p.Files[f.Name] = f.Data
			}
			cfg := Config{}
			if strings.Contains(string(a.Comment), "shelf") {
				cfg = shelfForTest(t)
			}
			got := render(build(t, cfg, p))
			if *update {
				if want < 0 {
					a.Files = append(a.Files, txtar.File{Name: "want"})
					want = len(a.Files) - 1
				}
				a.Files[want].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want < 0 || got != string(a.Files[want].Data) {
				t.Errorf("got\n%s", got)
			}
		})
	}
}

func render(d *trace.Deployment) string {
	var b strings.Builder
	if f := d.Fault; f != nil {
		fmt.Fprintf(&b, "%s: %s\n", f.Kind, f.Message)
		if f.Hint != "" {
			fmt.Fprintf(&b, "hint: %s\n", f.Hint)
		}
		for _, frame := range f.Frames {
			fmt.Fprintf(&b, "at %s:%d:%d\n", frame.File, frame.Line, frame.Column)
		}
		if f.Code != "" {
			b.WriteString(f.Code + "\n")
		}
	}
	for _, w := range d.Warnings {
		fmt.Fprintf(&b, "warning: %s:%d:%d: %s", w.Frame.File, w.Frame.Line, w.Frame.Column, w.Message)
		if w.Hint != "" {
			b.WriteString(" " + w.Hint)
		}
		b.WriteString("\n")
	}
	if b.Len() == 0 {
		b.WriteString("built\n")
	}
	return b.String()
}
