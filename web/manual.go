package web

import (
	"errors"
	"io/fs"
	"net/http"
	"regexp"
	"slices"

	"coldstart/docs"
	"coldstart/lessons"
	"coldstart/web/view"
)

// docsFirst leads to the manual's first page.
func (s *Site) docsFirst(c *call) error {
	return c.seeOther(s.manual.Page(docs.Menu[0].Pages[0]).URL())
}

// docsPage is a page of the manual beside its menu.
func (s *Site) docsPage(c *call) error {
	page := s.manual.Page(c.param("page"))
	if page == nil {
		return fail(http.StatusNotFound, "The manual has no such page.")
	}
	p := view.DocsPage{Shell: c.shell(), Title: page.Title, Lead: view.HTML(page.Lead), Body: view.HTML(page.Body), Menu: s.docsMenu(page)}
	for _, section := range page.Sections {
		p.Sections = append(p.Sections, view.Link{Text: section.Title, Href: "#" + section.ID})
	}
	return c.page(http.StatusOK, view.Docs(p))
}

// docsMenu lists the manual's pages, the current one without an address.
func (s *Site) docsMenu(current *lessons.ManualPage) (menu []view.DocsGroup) {
	listed := map[string]bool{}
	group := func(title string, pages []string) {
		g := view.DocsGroup{Title: title}
		for _, name := range pages {
			page := s.manual.Page(name)
			if page == nil || listed[name] {
				continue
			}
			listed[name] = true
			link := view.Link{Text: page.Title, Href: page.URL()}
			if page == current {
				link.Href = ""
			}
			g.Links = append(g.Links, link)
		}
		if len(g.Links) > 0 {
			menu = append(menu, g)
		}
	}
	for _, g := range docs.Menu {
		group(g.Title, g.Pages)
	}
	var rest []string
	for _, p := range s.manual.Pages {
		rest = append(rest, p.Name)
	}
	slices.Sort(rest)
	group("More", rest)
	return menu
}

var imageName = regexp.MustCompile(`^[a-z0-9-]+\.png$`)

// docsImage is a picture of the manual.
func (s *Site) docsImage(c *call) error {
	name := c.param("image")
	if !imageName.MatchString(name) {
		return fail(http.StatusNotFound, "The manual has no such picture.")
	}
	data, err := docs.Files.ReadFile("images/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return fail(http.StatusNotFound, "The manual has no such picture.")
	}
	if err != nil {
		return err
	}
	c.w.Header().Set("Cache-Control", "public, max-age=3600")
	return c.send(http.StatusOK, "image/png", data)
}
