package classroom

import (
	"encoding/json"
	"errors"
	"path"
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

func TestCheckPath(t *testing.T) {
	for _, name := range []string{"worker.js", "src/index.ts", "a/b/c.d.ts", ".gitignore", "naïve.md", "context.js", "com.txt", "__proto__"} {
		if why := CheckPath(name); why != "" {
			t.Errorf("%q is refused: %s", name, why)
		}
	}
	for _, name := range []string{
		"", "/etc/passwd", "../x", "a/../b", "a/./b", "a//b", "a/", `a\b`, `..\x`, "C:/x", "c:x", "a\x00b", "a\nb", "a\x7fb", "x\u202ejs",
		"con", "NUL.txt", "src/aux.js", "Com1", "lpt9.x.y", "a.", "a ", " a", "src./x", "a\xff", "a?b", "a*b", `a"b`, "<a>", "a|b", strings.Repeat("x", 256),
	} {
		if why := CheckPath(name); why == "" {
			t.Errorf("%q is allowed", name)
		}
	}
}

func TestFilesCheck(t *testing.T) {
	limits := trace.Default()
	limits.Source, limits.Files = 100, 3
	tests := []struct {
		name  string
		files Files
		want  string // part of the sentence; "" for allowed
		size  bool
	}{
		{"fine", Files{"a.js": []byte("x"), "b/c.js": nil}, "", false},
		{"none", Files{}, "no files", false},
		{"case", Files{"a.js": nil, "A.js": nil}, "upper and lower case", false},
		{"file and folder", Files{"a": nil, "A/b.js": nil}, "cannot be inside it", false},
		{"device", Files{"nul.js": nil}, "device", false},
		{"many", Files{"a": nil, "b": nil, "c": nil, "d": nil}, "4 files; 3 are allowed", true},
		{"large", Files{"a": []byte("x"), "big.js": make([]byte, 100)}, `largest is "big.js"`, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.files.Check(limits)
			if test.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			var e *FilesError
			if !errors.As(err, &e) || !strings.Contains(e.Reason, test.want) || e.Size != test.size {
				t.Errorf("got %v", err)
			}
		})
	}
}

// FuzzCheckPath: what is allowed stays below the folder it is joined to, and
// survives the way to the database and back.
func FuzzCheckPath(f *testing.F) {
	for _, seed := range []string{"a/b.js", "../x", `..\x`, "nul", "a\x00", "C:x", "é", "a/./b", "."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if CheckPath(name) != "" {
			return
		}
		if joined := path.Join("/root", name); joined != "/root/"+name || strings.ContainsAny(name, "\\\x00:") {
			t.Errorf("%q is allowed and lands at %q", name, joined)
		}
		data, err := json.Marshal(Files{name: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		var back Files
		if err := json.Unmarshal(data, &back); err != nil || string(back[name]) != "x" || len(back) != 1 {
			t.Errorf("%q came back as %q, %v", name, back.Names(), err)
		}
	})
}
