package view

import (
	"strings"
	"time"
)

// SharePage is a project and one run of it, as somebody shared them.
type SharePage struct {
	Shell
	ID      string
	Link    string // whole address
	Embed   string // whole address of the framed form; "" when this server allows none
	Made    time.Time
	Lesson  *Link // nil for a project of no lesson
	Mine    bool  // the visitor made it
	Files   []File
	Request Request
	Run     *Run // as recorded; nil when nothing had run
	Logs    LogRun
	Yours   *Run   // the visitor's own run of it, nil before
	Public  string // address of the visitor's own Worker of it; "" before
}

func shareShell(p SharePage) Shell {
	s := p.Shell
	s.Description = "A Worker with its request and the recorded run."
	if s.Crumbs == nil {
		s.Crumbs = []Link{{"Lessons", "/#journey"}, {Text: "Shared"}}
	}
	return s
}

// runs are the two for the waterfall: the recorded one and, beside it, the visitor's.
func (p SharePage) runs() (before, run *Run) {
	if p.Yours != nil {
		return p.Run, p.Yours
	}
	return nil, p.Run
}

// curl is a request as a command line; base is the Worker's public address.
func curl(r Request, base string) string {
	parts := []string{"curl", "-i"}
	if m := requestMethod(r); m != "GET" {
		parts = append(parts, "-X", quoted(m))
	}
	for _, h := range r.Headers {
		parts = append(parts, "-H", quoted(h[0]+": "+h[1]))
	}
	if r.Body != "" {
		parts = append(parts, "--data-raw", quoted(r.Body))
	}
	return strings.Join(append(parts, quoted(base+requestPath(r))), " ")
}

// quoted is a text as one word for a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func frameCode(p SharePage) string {
	return `<iframe src="` + p.Embed + `" width="100%" height="600" title="` + strings.NewReplacer(`"`, "&quot;", "&", "&amp;", "<", "&lt;").Replace(p.Title) + `"></iframe>`
}
