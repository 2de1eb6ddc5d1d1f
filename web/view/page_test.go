package view

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"coldstart/static"

	"github.com/andybalholm/brotli"
	"golang.org/x/net/html"
)

// TestPagesKeepThePolicy: nothing that a strict Content-Security-Policy
// refuses, nothing from elsewhere, and no reference that leads nowhere.
func TestPagesKeepThePolicy(t *testing.T) {
	for name, page := range SamplePages() {
		t.Run(name, func(t *testing.T) {
			doc, err := html.Parse(strings.NewReader(render(t, page)))
			if err != nil {
				t.Fatal(err)
			}
			ids := map[string]int{}
			var refs, h1 []string
			for n := range doc.Descendants() {
				if n.Type != html.ElementNode {
					continue
				}
				if n.Data == "h1" {
					h1 = append(h1, n.Data)
				}
				attrs := map[string]string{}
				for _, a := range n.Attr {
					attrs[a.Key] = a.Val
					switch {
					case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
						t.Errorf("<%s> has the inline attribute %s=%q", n.Data, a.Key, a.Val)
					case a.Key == "src" && !strings.HasPrefix(a.Val, "/"):
						t.Errorf("<%s> loads %q from elsewhere", n.Data, a.Val)
					case a.Key == "id":
						ids[a.Val]++
					case a.Key == "for", a.Key == "form", a.Key == "aria-controls", a.Key == "aria-labelledby", a.Key == "aria-describedby":
						refs = append(refs, a.Key+" "+a.Val)
					case a.Key == "href" && len(a.Val) > 1 && a.Val[0] == '#' && n.Data != "a":
						refs = append(refs, "href "+a.Val[1:])
					}
				}
				switch {
				case n.Data == "style":
					t.Error("a <style> element")
				case n.Data == "script" && attrs["src"] == "" && attrs["type"] != "application/json":
					t.Error("an inline script")
				case n.Data == "svg" && attrs["aria-hidden"] == "" && (attrs["role"] != "img" || attrs["aria-label"] == ""):
					t.Errorf("an <svg class=%q> neither hidden nor named", attrs["class"])
				case n.Data == "link" && !strings.HasPrefix(attrs["href"], "/"):
					t.Errorf("<link> loads %q from elsewhere", attrs["href"])
				}
			}
			for id, n := range ids {
				if n > 1 && name != "gallery" {
					t.Errorf("id %q is used %d times", id, n)
				}
			}
			for _, ref := range refs {
				attr, to, _ := strings.Cut(ref, " ")
				for id := range strings.FieldsSeq(to) {
					if ids[id] == 0 && name != "gallery" {
						t.Errorf("%s %s leads nowhere", attr, id)
					}
				}
			}
			if len(h1) != 1 {
				t.Errorf("%d h1 elements", len(h1))
			}
		})
	}
}

// The weights that the experience promises for a lesson, compressed.
func TestLessonWeight(t *testing.T) {
	page := render(t, Lesson(SampleLesson()))
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	_, _ = io.WriteString(w, page)
	_ = w.Close()
	var br bytes.Buffer
	bw := brotli.NewWriterLevel(&br, 5)
	_, _ = io.WriteString(bw, page)
	_ = bw.Close()
	t.Logf("HTML %d B, gzip %d B, brotli %d B", len(page), gz.Len(), br.Len())
	if gz.Len() > 40<<10 {
		t.Errorf("the HTML of a lesson is %d B compressed, over 40 kB", gz.Len())
	}
	if static.Missing() != nil || !static.Has("lesson.js") {
		t.Logf("no scripts in this build: their weight is not counted")
		return
	}
	total := br.Len()
	addresses := append([]string{static.Path("app.css"), static.Path("lesson.js")}, static.Imports("lesson.js")...)
	for _, address := range addresses {
		r := httptest.NewRequest("GET", address, nil)
		r.Header.Set("Accept-Encoding", "br")
		rec := httptest.NewRecorder()
		static.Handler().ServeHTTP(rec, r)
		t.Logf("%s %d B", address, rec.Body.Len())
		total += rec.Body.Len()
	}
	if total > 60<<10 {
		t.Errorf("HTML, CSS and JavaScript before the editor are %d B compressed, over 60 kB", total)
	}
}

// What a learner wrote must come out as text, whatever it holds.
func TestLearnerTextIsEscaped(t *testing.T) {
	p := SampleLesson()
	const evil = `</textarea></script><script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	p.Files[0].Text, p.Request.Body, p.Request.Path = evil, evil, evil
	p.Result.Run.Body.Text = evil
	p.Result.Logs[0].Lines[0].Text = evil
	p.Result.Checks[1].Got = evil
	doc, err := html.Parse(strings.NewReader(render(t, Lesson(p))))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "img" {
			t.Error("the learner's markup became an element")
		}
		if n.Type == html.TextNode && strings.Contains(n.Data, "<img src=x") {
			found++
		}
	}
	if found < 5 {
		t.Errorf("the text is in the page %d times", found)
	}
}

// A textarea swallows one leading newline: a file that begins with one keeps it.
func TestFileTextIsExact(t *testing.T) {
	for _, text := range []string{"\nfirst line is empty\n", "plain\n", "", "\n\n", "tab\tand trailing space \r\nend"} {
		p := SampleLesson()
		p.Files[0].Text = text
		doc, err := html.Parse(strings.NewReader(render(t, Lesson(p))))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for n := range doc.Descendants() {
			if n.Type == html.ElementNode && n.Data == "textarea" && hasClass(n, "editor-plain") {
				content := ""
				for c := range n.ChildNodes() {
					content += c.Data
				}
				got = append(got, content)
			}
		}
		want := strings.ReplaceAll(text, "\r\n", "\n") // every HTML parser does this
		if len(got) == 0 || got[0] != want {
			t.Errorf("%q came out as %q", text, got)
		}
	}
}

func TestComingLessonsAreNoLinks(t *testing.T) {
	doc, err := html.Parse(strings.NewReader(render(t, Home(SampleHome()))))
	if err != nil {
		t.Fatal(err)
	}
	var links, plainRows int
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && hasClass(n, "stop-row") {
			if n.Data == "a" {
				links++
			} else {
				plainRows++
			}
		}
	}
	ready, coming := 0, 0
	for _, track := range SampleHome().Tracks {
		for _, l := range track.Lessons {
			if l.State == Coming {
				coming++
			} else {
				ready++
			}
		}
	}
	if links != ready || plainRows != coming {
		t.Errorf("%d links and %d plain rows for %d ready and %d coming lessons", links, plainRows, ready, coming)
	}
}

func TestTabNames(t *testing.T) {
	files := []File{{Path: "a/src/index.ts"}, {Path: "b/src/index.ts"}, {Path: "wrangler.jsonc"}}
	var got []string
	for _, f := range files {
		got = append(got, tabName(files, f.Path))
	}
	if want := []string{"a/src/index.ts", "b/src/index.ts", "wrangler.jsonc"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
