package lessons

import (
	"fmt"
	"html"
	"image/png"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Manual is the program's own documentation: Markdown files of one folder,
// trusted as the program is. It is not changed after LoadManual.
type Manual struct {
	Pages []*ManualPage // by name
}

// ManualPage is one page of a Manual.
type ManualPage struct {
	Name     string // of the file without .md
	Title    string // its first heading, plain
	Lead     HTML   // its first paragraph, without <p>
	Body     HTML   // what follows
	Sections []Section
	text     map[string]string // section id ("" for the beginning) to plain text
}

// Section is a second-level heading of a ManualPage.
type Section struct {
	ID    string // anchor
	Title string // plain
}

// URL is the page's address on the site.
func (p *ManualPage) URL() string { return "/docs/" + p.Name }

// Page is the page of that name, nil when there is none.
func (m *Manual) Page(name string) *ManualPage {
	for _, p := range m.Pages {
		if p.Name == name {
			return p
		}
	}
	return nil
}

var (
	manualTitle   = regexp.MustCompile(`\A\s*# (.+)\n`)
	sectionForm   = regexp.MustCompile(`<h2 id="([^"]+)">(.*?)</h2>`)
	manualPicture = regexp.MustCompile(`^images/[a-z0-9-]+\.png$`)
)

// LoadManual reads every .md file of the folder, with the pictures in its
// images folder. A page begins with a first-level heading and a paragraph that
// says what it is for. Links between pages are file names; links that leave
// the folder are shown as their text, because only the folder is shipped.
// Problems name what is missing; pages without problems are usable regardless.
func LoadManual(fsys fs.FS) (*Manual, []Problem) {
	m, problems := &Manual{}, sink{}
	names, err := fs.Glob(fsys, "*.md")
	if err != nil || len(names) == 0 {
		problems.add(".", 1, 1, "E007", "the manual has no pages")
		return m, problems.problems
	}
	sources := map[string]string{}
	for _, name := range names {
		b, err := readAll(fsys, name, maxText)
		if err != nil {
			problems.add(name, 1, 1, "E007", "cannot read: %s", reason(err))
			continue
		}
		sources[name] = clean(string(b))
	}
	for _, name := range names {
		src, ok := sources[name]
		if !ok {
			continue
		}
		p := &ManualPage{Name: strings.TrimSuffix(name, ".md"), text: map[string]string{}}
		title := manualTitle.FindStringSubmatch(src)
		if title == nil {
			problems.add(name, 1, 1, "E002", "begin the page with # and its title")
			continue
		}
		p.Title = strings.TrimSpace(title[1])
		d := (&loader{cat: &Catalog{}}).document(name, "")
		d.in = &problems
		d.manual = fsys
		d.links = func(to string) (string, bool) {
			_, ok := sources[to]
			return "/docs/" + strings.TrimSuffix(to, ".md"), ok
		}
		body := string(d.block(src[len(title[0]):], 1+strings.Count(title[0], "\n")))
		if end := strings.Index(body, "</p>"); strings.HasPrefix(body, "<p>") && end > 0 {
			p.Lead, body = HTML(body[len("<p>"):end]), strings.TrimSpace(body[end+len("</p>"):])
		} else {
			problems.add(name, 2, 1, "E002", "say in the first paragraph what the page is for")
		}
		p.Body = HTML(body)
		p.sections()
		m.Pages = append(m.Pages, p)
	}
	slices.SortFunc(m.Pages, func(a, b *ManualPage) int { return strings.Compare(a.Name, b.Name) })
	return m, problems.problems
}

// sections lists the headings and what stands below each.
func (p *ManualPage) sections() {
	body := string(p.Body)
	id, from := "", 0
	for _, at := range sectionForm.FindAllStringSubmatchIndex(body, -1) {
		p.text[id] = plainText(HTML(body[from:at[0]]))
		id, from = body[at[2]:at[3]], at[1]
		p.Sections = append(p.Sections, Section{ID: id, Title: strings.TrimSpace(plainText(HTML(body[at[4]:at[5]])))})
	}
	p.text[id] = plainText(HTML(body[from:]))
}

// WithManual is the catalog with a manual among what its search finds. The
// catalog itself is not changed.
func (c *Catalog) WithManual(m *Manual) *Catalog {
	out := *c
	out.index = &index{words: map[string]map[int]int{}}
	if c.index != nil {
		out.index.hits = slices.Clone(c.index.hits)
		for w, hits := range c.index.words {
			out.index.words[w] = maps.Clone(hits)
		}
	}
	for _, p := range m.Pages {
		out.index.page(p)
	}
	out.index.sort()
	return &out
}

// page adds a page of the manual: itself, and each of its sections.
func (x *index) page(p *ManualPage) {
	n := len(x.hits)
	lead := plainText(p.Lead)
	x.hits = append(x.hits, Hit{Kind: "manual", Title: p.Title, Href: p.URL(), Where: "Docs", Text: lead})
	x.add(n, p.Title, inTitle)
	x.add(n, lead+" "+p.text[""], inText)
	for _, s := range p.Sections {
		n = len(x.hits)
		x.hits = append(x.hits, Hit{Kind: "manual", Title: s.Title, Href: p.URL() + "#" + s.ID, Where: "Docs · " + p.Title, Text: opening(p.text[s.ID])})
		x.add(n, s.Title, inSummary)
		x.add(n, p.text[s.ID], inText)
	}
}

// opening is the begin of a text, cut between words.
func opening(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= 160 {
		return text
	}
	return text[:strings.LastIndexByte(text[:160], ' ')] + " …"
}

// picture draws an image of the manual, with its size so that nothing moves
// when it arrives.
func (d *document) picture(to, alt string) (string, error) {
	if !manualPicture.MatchString(to) {
		return "", fmt.Errorf("write images/name.png, small letters and hyphens")
	}
	if strings.TrimSpace(alt) == "" {
		return "", fmt.Errorf("say in the brackets what it shows")
	}
	f, err := d.manual.Open(to)
	if err != nil {
		return "", fmt.Errorf("no such file; make docs-images draws them")
	}
	defer f.Close()
	size, err := png.DecodeConfig(f)
	if err != nil {
		return "", fmt.Errorf("not a PNG")
	}
	return fmt.Sprintf(`<img src="/docs/%s" alt="%s" width="%d" height="%d" loading="lazy" decoding="async">`, path.Clean(to), html.EscapeString(alt), size.Width, size.Height), nil
}
