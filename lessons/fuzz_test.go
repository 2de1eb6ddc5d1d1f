package lessons

import (
	"strings"
	"testing"
	"testing/fstest"
)

// FuzzLesson feeds a lesson file to the loader. Whatever it holds, the loader
// ends, every problem has a place, and no markup but the allowed comes out.
func FuzzLesson(f *testing.F) {
	f.Add(good)
	for _, l := range mustLoad().Lessons() {
		src, _ := readAll(Shipped(), l.Dir+"/lesson.md", maxText)
		f.Add(string(src))
	}
	for _, v := range vectors {
		f.Add("---\nid: a\n---\n" + v + "\n:::quiz\n" + v + "\n- [x] " + v + "\n:::\n")
	}
	f.Add("---\n? a\n: b\n---\n")
	f.Add(":::quiz kind=number\n= {a.b} ± 1e999%\n:::")
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1<<16 {
			t.Skip("longer inputs only slow the search down")
		}
		cat, ps := Load(fstest.MapFS{
			"a/track.md":      &fstest.MapFile{Data: []byte("---\ntitle: T\n---\n")},
			"a/b/lesson.md":   &fstest.MapFile{Data: []byte(src)},
			"a/b/checks.js":   &fstest.MapFile{Data: []byte(src)},
			"a/b/_files/a.js": &fstest.MapFile{Data: []byte(src)},
		})
		lines := strings.Count(src, "\n") + 2
		for _, p := range ps {
			if p.Line < 1 || p.Line > lines || p.Column < 0 || p.Code == "" || p.File == "" || strings.ContainsAny(p.Code, " :") {
				t.Errorf("problem without a place: %+v", p)
			}
		}
		for _, l := range cat.Lessons() {
			for _, h := range markup(l) {
				if why := unsafe(string(h)); why != "" {
					t.Errorf("%s in %s", why, h)
				}
			}
			for _, q := range l.Questions {
				q.Shown()
				_, _ = q.Grade([]string{"0"}, nil)
			}
		}
	})
}

// markup lists all HTML of a lesson.
func markup(l *Lesson) []HTML {
	var out []HTML
	for _, p := range l.Pieces {
		out = append(out, p.HTML)
		if p.Lab != nil {
			out = append(out, p.Lab.HTML)
		}
	}
	for _, t := range l.Tasks {
		out = append(out, t.Title, t.Body)
	}
	for _, h := range l.Hints {
		out = append(out, h.HTML)
	}
	for _, q := range l.Questions {
		out = append(out, q.Ask, q.Why)
		for _, o := range q.Options {
			out = append(out, o.HTML, o.Why)
		}
		out = append(out, q.Partners...)
	}
	return out
}

func mustLoad() *Catalog {
	c, _ := Load(Shipped())
	return c
}
