package sandbox

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"coldstart/sandbox/trace"
)

var update = flag.Bool("update", false, "write what testdata/errors/*.txtar should say")

// TestErrors runs each archive of testdata/errors: a project with a mistake,
// what is asked of it in the comment's last line (METHOD /path [body]), and in the file
// "want" what its author is told, word for word: the fault or the uncaught
// error, the place in their own files, the code around it and what to do.
func TestErrors(t *testing.T) {
	archives, err := filepath.Glob("testdata/errors/*.txtar")
	if err != nil || len(archives) < 30 {
		t.Fatalf("%d archives: %v", len(archives), err)
	}
	s := open(t)
	for _, file := range archives {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
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
			if name == "recursion" {
				p.Limits.CPU = time.Second // under the race detector growing the stack takes longer than a request may
			}
			lines := strings.Split(strings.TrimSpace(string(a.Comment)), "\n")
			got := mistake(t, s, key(name), p, strings.SplitN(lines[len(lines)-1], " ", 3))
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

// mistake builds and asks a project and gives what its author reads.
func mistake(t *testing.T, s *Sandbox, k Key, p trace.Project, request []string) string {
	t.Helper()
	var b strings.Builder
	d, err := s.Build(t.Context(), k, p)
	if err != nil {
		t.Fatal(err)
	}
	if d.Fault != nil {
		tell(&b, d.Fault)
		return b.String()
	}
	if err := s.Deploy(t.Context(), k, d); err != nil {
		t.Fatal(err)
	}
	a := get(t, s, k, request[1], func(r *Run) {
		r.Method = request[0]
		if len(request) == 3 {
			r.Body, r.Length = strings.NewReader(request[2]), int64(len(request[2]))
		}
	})
	fmt.Fprintln(&b, "status", a.status)
	for _, e := range a.events {
		switch {
		case e.Kind == trace.KindFault && e.Fault != nil:
			tell(&b, e.Fault)
		case e.Kind == trace.KindLog:
			fmt.Fprintf(&b, "log %s: %s\n", e.Log.Level, e.Log.Text)
		}
	}
	if f := a.sum.Fault; f != nil && !strings.Contains(b.String(), f.Message) {
		tell(&b, f)
	}
	return b.String()
}

func tell(b *strings.Builder, f *trace.Fault) {
	fmt.Fprintf(b, "%s: %s", f.Kind, f.Message)
	if f.Name != "" {
		fmt.Fprintf(b, " (%s)", f.Name)
	}
	fmt.Fprintln(b)
	if f.Hint != "" {
		fmt.Fprintf(b, "hint: %s\n", f.Hint)
	}
	for _, at := range f.Frames {
		fmt.Fprintf(b, "at %s %s:%d:%d\n", at.Func, at.File, at.Line, at.Column)
	}
	if f.Code != "" {
		fmt.Fprintln(b, strings.TrimRight(f.Code, "\n"))
	}
}

// TestLogShowsNoPrivateState: what a stream keeps for itself is no property that
// a learner could open in the log; its own properties are.
func TestLogShowsNoPrivateState(t *testing.T) {
	s, k := open(t), key("private")
	deploy(t, s, k, map[string]string{"src/index.js": `export default {
  fetch(request) {
    const stream = new Response("x").body;
    stream.mine = 1;
    console.log(stream, { _own: 2 });
    return new Response("ok");
  },
};
`})
	for _, e := range get(t, s, k, "/").events {
		if e.Kind != trace.KindLog {
			continue
		}
		var got []string
		for _, v := range e.Log.Args {
			for _, entry := range v.Entries {
				got = append(got, entry.Key)
			}
		}
		if want := "mine _own"; strings.Join(got, " ") != want {
			t.Errorf("the log opens to %q, want %q", got, want)
		}
		return
	}
	t.Fatal("nothing was logged")
}

// TestLogPlaces: a log line leads to the name of the method of console that was
// called, in the learner's own file.
func TestLogPlaces(t *testing.T) {
	s, k := open(t), key("logs")
	deploy(t, s, k, map[string]string{"src/index.ts": `type Visit = { path: string };

export default {
  fetch(request: Request): Response {
    const visit: Visit = { path: new URL(request.url).pathname };
    console.log("1", visit, visit.path);
    console.warn(
      "2",
      "(",
      visit.path,
    );
    console.info("3", ["x"].map((x) => { console.debug("4", x); return x; }), visit.path);
    console.error();
    console.log("é ü", "𝄞"); console.log("6", visit.path);
    const { log } = console;
    log("7", visit.path);
    return new Response("ok");
  },
};
`})
	var got []string
	for _, e := range get(t, s, k, "/a").events {
		if e.Kind == trace.KindLog && e.Log.Frame != nil {
			f := e.Log.Frame
			got = append(got, fmt.Sprintf("%s %s:%d:%d", e.Log.Level, f.File, f.Line, f.Column))
		}
	}
	want := []string{
		"log src/index.ts:6:13", "warn src/index.ts:7:13", "debug src/index.ts:12:50", "info src/index.ts:12:13",
		"error src/index.ts:13:13", "log src/index.ts:14:13", "log src/index.ts:14:39",
	}
	if len(got) != len(want)+1 || !slices.Equal(got[:len(want)], want) || !strings.HasPrefix(got[len(want)], "log src/index.ts:16:") {
		t.Errorf("logs are of\n%s\nwant\n%s\nand line 16", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
