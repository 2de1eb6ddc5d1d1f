package bundle

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestCleanPath(t *testing.T) {
	for _, good := range []string{"index.ts", "src/a-b_c.d.ts", ".gitignore", "a/b/c.txt", "größe.js", "console.js", "com.js", "nul1.js", "src/com10.ts"} {
		if got, err := CleanPath(good); err != nil || got != good {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "/a", "../a", "a/../b", "a//b", "./a", "a/", "a\\b", "C:\\a", "c:a", "a\x00b", "a\nb", "a\u202eb", "\xff",
		"CON", "con.js", "a/NUL.txt", "com1", "LPT9.ts", "COM¹", "a.", "a ", " a", "a/b./c", "a?b", "a*b", "a|b", "a\"b", "<a>",
		strings.Repeat("a", 256), strings.Repeat("a/", 13) + "b", ".//.//worker.js", "nnnnn/" + strings.Repeat("n", 300),
	} {
		if _, err := CleanPath(bad); err == nil {
			t.Errorf("%q is allowed", bad)
		}
	}
}

func TestCheckNames(t *testing.T) {
	for _, test := range []struct{ names, want string }{
		{"a.js b.js src/a.js", ""},
		{"a.js A.js", `files "A.js" and "a.js" differ only in upper and lower case; rename one`},
		{"ſ.js s.js", `files "s.js" and "ſ.js" differ only in upper and lower case; rename one`},
		{"a a/b.js", `"a" is both a file and the folder of "a/b.js"; rename one`},
		{"A a/b/c.js", `"A" is both a file and the folder of "a/b/c.js"; rename one`},
	} {
		got := ""
		if err := CheckNames(set(test.names)); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.names, got, test.want)
		}
	}
}

func FuzzCleanPath(f *testing.F) {
	for _, s := range []string{"a/b", "../a", "C:x", "con", "a/./b", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := CleanPath(s)
		if err != nil {
			return
		}
		if p != s || !filepath.IsLocal(filepath.FromSlash(p)) || filepath.ToSlash(filepath.Clean(p)) != p {
			t.Errorf("%q is allowed", s)
		}
	})
}
