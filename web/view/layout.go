package view

import "coldstart/static"

// icons are our own line drawings on a 20 by 20 grid.
var icons = [...]struct{ name, markup string }{
	{"run", `<path d="M6 4.2v11.6l9.5-5.8z"/>`},
	{"check", `<path d="m4.5 10.5 3.6 3.6 7.4-8.2"/>`},
	{"cross", `<path d="m5.5 5.5 9 9m0-9-9 9"/>`},
	{"theme", `<circle cx="10" cy="10" r="6.5"/><path d="M10 3.5a6.5 6.5 0 0 1 0 13z" fill="currentColor"/>`},
	{"class", `<path d="M3.5 4.5h13v11h-13zM3.5 8.2h13M3.5 11.8h13M8 4.5v11"/>`},
	{"file", `<path d="M5.5 2.8h6l3.5 3.5v10.9H5.5zM11.5 2.8v3.5H15"/>`},
	{"folder", `<path d="M2.8 15.5v-11h5l1.7 2h7.7v9z"/>`},
	{"next", `<path d="m7.5 5 5 5-5 5"/>`},
	{"down", `<path d="m5 7.5 5 5 5-5"/>`},
	{"copy", `<path d="M7.5 7.5h8v8h-8zM12.5 7.5v-3h-8v8h3"/>`},
	{"history", `<path d="M4 10a6 6 0 1 0 2-4.5L3.8 7.4M3.8 4v3.4h3.4M10 6.8V10l2.3 1.6"/>`},
	{"undo", `<path d="M4 8h8a4 4 0 0 1 0 8H8M7 4.5 3.7 8 7 11.5"/>`},
	{"export", `<path d="M10 3.5v9M6.8 9.4 10 12.6l3.2-3.2M4 16.5h12"/>`},
	{"reset", `<path d="M4.2 4v12M8 10h8.5M11 6.8 7.8 10l3.2 3.2"/>`},
	{"diff", `<path d="M10 4v6M7 7h6M7 15h6"/>`},
	{"pen", `<path d="M4 16l.8-3.4L13.4 4 16 6.6l-8.6 8.6zM11.6 5.8l2.6 2.6"/>`},
	{"plus", `<path d="M10 4.5v11M4.5 10h11"/>`},
	{"warn", `<path d="M10 3.8 17 16H3zM10 8.5v3.6M10 14.1v.1"/>`},
	{"evict", `<path d="M9 4.5H4.5v11H9M8.5 10H17M13.8 6.8 17 10l-3.2 3.2"/>`},
	{"pin", `<path d="M7.2 3.5h5.6l-.7 5.2 2.4 2.8h-9l2.4-2.8zM10 11.5v5.2"/>`},
	{"plug", `<path d="M7 3.5v4M13 3.5v4M5 7.5h10v2.3a5 5 0 0 1-10 0zM10 14.8v2.7"/>`},
	{"note", `<path d="M4 4h12v9l-3.5 3.5H4zM12.5 16.5V13H16"/>`},
	{"flask", `<path d="M8 3.5v5L4 15.8c-.3.6.1 1.2.8 1.2h10.4c.7 0 1.1-.6.8-1.2L12 8.5v-5M6.8 3.5h6.4M6.3 12.5h7.4"/>`},
	{"key", `<path d="M3.5 5.5h13v9h-13zM6 8.3h.1M9 8.3h.1M12 8.3h.1M6.5 11.6h7"/>`},
	{"share", `<path d="M8 6.5H4.5v10h11v-10H12M10 12V3M6.8 6 10 2.8 13.2 6"/>`},
	{"hand", `<path d="M6 10.5V5.2a1.2 1.2 0 0 1 2.4 0V9m0-4.8a1.2 1.2 0 0 1 2.4 0V9m0-4a1.2 1.2 0 0 1 2.4 0v5m0-3.2a1.2 1.2 0 0 1 2.4 0V12c0 3-2 5-4.7 5S7 15.7 6 13.7l-1.9-3.3c-.5-1 .9-2 1.9-.6"/>`},
	{"search", `<circle cx="9" cy="9" r="5.5"/><path d="m13 13 3.8 3.8"/>`},
}

// mark is what verdict draws: kind is its shape, word what a screen reader says.
type mark struct{ kind, icon, word string }

func checkMark(s CheckState) mark {
	switch s {
	case CheckPassed:
		return mark{"pass", "check", "passed"}
	case CheckFailed:
		return mark{"fail", "cross", "not yet"}
	case CheckRunning:
		return mark{"now", "", "running"}
	}
	return mark{"", "", "not checked"}
}

func lessonMark(l LessonRow) mark {
	switch {
	case l.State == Done:
		return mark{"ink", "check", "done"}
	case l.State == Started:
		return mark{"now", "", "begun"}
	case l.State == Coming:
		return mark{"coming", "", "coming"}
	case l.Challenge:
		return mark{"challenge", "", "challenge"}
	}
	return mark{"", "", "not started"}
}

// scripts are the plain names of the page's scripts that were built.
func scripts(s Shell) []string {
	name := s.Script
	if name == "" {
		name = "site.js"
	}
	if !static.Has(name) {
		return nil
	}
	return []string{name}
}

func crumbsName(kind string) string {
	if kind == "page-home" {
		return "Main"
	}
	return "Where you are"
}
