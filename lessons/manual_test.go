package lessons

import (
	"strings"
	"testing"
	"testing/fstest"

	"coldstart/docs"
)

// TestManual demands that every shipped page can be shown: headings, links and
// pictures, and that every page the menu names is there or still to come.
func TestManual(t *testing.T) {
	m, problems := LoadManual(docs.Files)
	for _, p := range problems {
		t.Error(p)
	}
	for _, name := range []string{"learning", "keys", "authoring", "teaching"} {
		if m.Page(name) == nil {
			t.Errorf("no page %s", name)
		}
	}
	for _, p := range m.Pages {
		if p.Lead == "" || len(p.Sections) == 0 {
			t.Errorf("%s has lead %q and %d sections", p.Name, p.Lead, len(p.Sections))
		}
	}
}

func TestManualPages(t *testing.T) {
	m, problems := LoadManual(fstest.MapFS{
		"a.md": {Data: []byte("# First\n\nWhat it is *for*.\n\n## One part\n\nTo [b](b.md#two), to [above](#one-part), to [code](../CODE.md), to [nowhere](c.md).\n\n<script>alert(1)</script>\n\n![](images/x.png)\n")},
		"b.md": {Data: []byte("no title\n")},
	})
	p := m.Page("a")
	if p == nil || p.Title != "First" || p.Lead != "What it is <em>for</em>." || len(p.Sections) != 1 || p.Sections[0].ID != "s-one-part" {
		t.Fatalf("page %+v", p)
	}
	body := string(p.Body)
	for _, want := range []string{`<a href="/docs/b#s-two">b</a>`, `<a href="#s-one-part">above</a>`, `to code,`} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing in %s", want, body)
		}
	}
	if strings.Contains(body, "<script") {
		t.Errorf("a script: %s", body)
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.File+" "+p.Code)
	}
	if s := strings.Join(got, ", "); s != "a.md E030, a.md E030, b.md E002" {
		t.Errorf("problems %s", s)
	}
}

func TestSearchFindsTheManual(t *testing.T) {
	m, _ := LoadManual(docs.Files)
	plain, _ := Load(Shipped())
	before := len(plain.Search("cold").Hits)
	c := plain.WithManual(m)
	for query, href := range map[string]string{"write a lesson": "/docs/authoring", "screen reader": "/docs/keys#s-screen-readers"} {
		var hrefs []string
		for _, h := range c.Search(query).Hits {
			hrefs = append(hrefs, h.Href)
		}
		if !strings.Contains(strings.Join(hrefs, " "), href) {
			t.Errorf("%q finds %v, not %s", query, hrefs, href)
		}
	}
	if after := len(plain.Search("cold").Hits); after != before {
		t.Errorf("the catalog itself found %d, now %d", before, after)
	}
}
