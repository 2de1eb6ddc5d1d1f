package view

// SetupPage is where the one-time link leads.
type SetupPage struct {
	Shell
	Token string
}

func setupShell(p SetupPage) Shell {
	s := p.Shell
	s.Title = "Set up"
	if len(s.Crumbs) == 0 {
		s.Crumbs = []Link{{Text: "Set up"}}
	}
	return s
}
