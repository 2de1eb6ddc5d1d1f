package web

import (
	"context"
	"fmt"

	"github.com/a-h/templ"

	"coldstart/sandbox/trace"
	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// onlineRounds are the cold and as many warm requests that a Worker gets here.
const onlineRounds = 20

// onlineLab draws a Worker's times here beside those that curl told of it elsewhere.
func (s *Site) onlineLab() experiment {
	return &labOf[lab.Online]{
		labInfo: labInfo{PerProject: true, LabInfo: view.LabInfo{
			ID: "online", Title: "Online", Heading: "Here and out there", Verb: "Measure here",
			Lead:        "This server calls nobody. So it measures the code here, and draws beside it what curl told you of the same code somewhere else: one line each, with the address, the seconds until the connection stood, and those until the first byte.",
			Description: "A Worker’s times here, beside those that curl told of it elsewhere.",
			Fields: []view.LabField{
				{Name: "file", Kind: view.LabText},
				{Name: "curl", Label: "What curl printed", Kind: view.LabArea, Most: 8000, Unless: "file"},
			},
		}},
		Run: s.runOnline,
		Draw: func(o *lab.Online, _ map[string]string) templ.Component {
			if o == nil {
				o = &lab.Online{}
			}
			return view.OnlineView(onlineView(o))
		},
	}
}

func (s *Site) runOnline(ctx context.Context, r *labRun[lab.Online]) (*lab.Online, error) {
	var own *trace.Project
	if len(r.Project.Files) > 0 {
		p, err := live.Sources(r.Project, s.config.Ceiling)
		if err != nil {
			return nil, err
		}
		own = &p
	}
	text := r.Values["curl"]
	if file := r.Values["file"]; file != "" {
		text = string(r.Project.Files[file])
	}
	out := &lab.Online{Curl: lab.ParseCurl(text)}
	var err error
	out.Here, err = s.labs.Race(ctx, live.Key(r.Project), own, []string{"isolate"}, onlineRounds, func(race lab.Race, say string) {
		if len(race.Contenders) == 0 {
			r.Say("%s", say)
			return
		}
		r.Show(&lab.Online{Here: race, Curl: out.Curl}, say)
	})
	if err != nil && len(out.Here.Contenders) == 0 {
		out = nil // it did not begin
	}
	return out, err
}

func onlineView(o *lab.Online) view.Online {
	var out view.Online
	for _, c := range o.Here.Contenders {
		out.Cold, out.Warm, out.Off = c.Cold(), c.Warm, c.Off
	}
	for _, c := range o.Curl {
		out.First, out.Rest = append(out.First, c.First), append(out.Rest, c.First-c.Connect)
	}
	if o.Here.Machine != "" {
		what := "the lab’s visit counter"
		if o.Here.Own {
			what = "your code"
		}
		out.How = fmt.Sprintf("Here: measured from asking for an isolate to the first byte of its answer, without any network, n = %d cold and %d warm, %s. Elsewhere: n = %d, as curl measured them and as they were pasted; this server has asked nobody. %s, on %s.",
			len(out.Cold), len(out.Warm), what, len(out.First), o.Here.At.UTC().Format("2 January 2006, 15:04 UTC"), o.Here.Machine)
	}
	return out
}
