package view

import "fmt"

func errorShell(p ErrorPage) Shell {
	s := p.Shell
	if s.Title == "" {
		s.Title = p.Heading
	}
	return s
}

func errorKind(status int) string { return fmt.Sprintf("Status %d", status) }

func docsShell(p DocsPage) Shell {
	s := p.Shell
	if s.Title == "" {
		s.Title = p.Title
	}
	if len(s.Crumbs) == 0 {
		s.Crumbs = []Link{{"Manual", "/docs"}, {Text: p.Title}}
	}
	return s
}

func galleryShell(p GalleryPage) Shell {
	s := p.Shell
	s.Title, s.Script = "Gallery", "gallery.js"
	s.Crumbs = nil // the bars among the samples have some
	return s
}
