package view

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var buf bytes.Buffer
	if err := c.Render(t.Context(), &buf); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// TestGolden compares every component of the gallery, and the body of every
// page, with its golden file: go test ./web/view -run Golden -update rewrites them.
// How a component looks is compared by web/e2e/gallery.test.mjs.
func TestGolden(t *testing.T) {
	want := map[string]bool{}
	check := func(name, got string) {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("testdata", name+".html")
			want[file] = true
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			golden, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v; run with -update to make it", err)
			}
			if diff := cmp.Diff(string(golden), got); diff != "" {
				t.Errorf("differs from %s; look at it, then run with -update (- golden, + now):\n%s", file, diff)
			}
		})
	}
	for _, s := range Gallery() {
		check("part-"+s.ID, formatted(t, render(t, s.Component), false))
	}
	for name, page := range SamplePages() {
		if name != "gallery" { // its parts are compared one by one
			check("page-"+name, formatted(t, render(t, page), true))
		}
	}
	files, err := filepath.Glob("testdata/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !want[file] {
			t.Errorf("%s belongs to no component", file)
		}
	}
}

// formatted writes markup with one element a line, so that a difference is
// seen where it is. Of a page it takes the body: the head names hashed assets.
func formatted(t *testing.T, markup string, page bool) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(markup))
	if err != nil {
		t.Fatal(err)
	}
	var body *html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "body" {
			body = n
		}
	}
	var b strings.Builder
	if page {
		writeNode(&b, body, 0)
	} else {
		for n := range body.ChildNodes() {
			writeNode(&b, n, 0)
		}
	}
	return hashed.ReplaceAllString(b.String(), "$1$2")
}

// hashed is the address of a built asset: the hash is left out of golden files.
var hashed = regexp.MustCompile(`(/static/[\w.-]+)-[A-Z0-9]{8}(\.\w+)`)

func writeNode(b *strings.Builder, n *html.Node, depth int) {
	indent := strings.Repeat("\t", depth)
	switch n.Type {
	case html.TextNode:
		text := n.Data
		if n.Parent.Data != "textarea" && n.Parent.Data != "pre" && n.Parent.Data != "code" && n.Parent.Data != "script" {
			text = strings.Join(strings.Fields(text), " ")
		}
		if text != "" {
			b.WriteString(indent + strings.ReplaceAll(html.EscapeString(text), "\n", "\n"+indent+"| ") + "\n")
		}
	case html.ElementNode:
		if n.Data == "svg" && hasClass(n, "sr") { // the sheet of icons, the same on every page
			b.WriteString(indent + "<svg class=\"sr\">…</svg>\n")
			return
		}
		b.WriteString(indent + "<" + n.Data)
		for _, a := range n.Attr {
			b.WriteString(" " + a.Key + `="` + html.EscapeString(a.Val) + `"`)
		}
		b.WriteString(">\n")
		for c := range n.ChildNodes() {
			writeNode(b, c, depth+1)
		}
	}
}

func hasClass(n *html.Node, class string) bool {
	for _, a := range n.Attr {
		if a.Key == "class" {
			for _, c := range strings.Fields(a.Val) {
				if c == class {
					return true
				}
			}
		}
	}
	return false
}
