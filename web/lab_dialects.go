package web

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/a-h/templ"

	"coldstart/web/lab"
	"coldstart/web/view"
)

// dialectsLab is one login in five providers' accents.
func (s *Site) dialectsLab() experiment {
	return &labOf[lab.Dialects]{
		labInfo: labInfo{PerProject: true, LabInfo: view.LabInfo{
			ID: "dialects", Title: "Dialects", Heading: "Same login, five accents", Verb: "Send to all five",
			Lead:        "One login, written once, behind five thin files: Express, AWS Lambda, Google and Firebase, Azure, Workers. Send one request and see what each is given, and what it must give back.",
			Description: "One request, five providers’ handlers, all live.",
			Fields: []view.LabField{
				{Name: "method", Label: "Method", Value: "POST", Kind: view.LabChoice, Options: []view.LabOption{{Value: "POST", Label: "POST"}, {Value: "GET", Label: "GET"}}},
				{Name: "user", Label: "User", Value: "ada", Kind: view.LabText},
				{Name: "pass", Label: "Password", Value: "tea", Kind: view.LabText},
			},
		}},
		Run: func(ctx context.Context, r *labRun[lab.Dialects]) (*lab.Dialects, error) {
			own, err := s.lessonProject(r.Project)
			if err != nil {
				return nil, err
			}
			out, err := s.labs.Login(ctx, r.Project.Workspace, own, r.Values["method"], r.Values["user"], r.Values["pass"])
			return out, s.told(err)
		},
		Draw: func(record *lab.Dialects, _ map[string]string) templ.Component {
			if record == nil {
				record = lab.DialectsPlan()
			}
			return view.DialectsView(dialectsView(record))
		},
	}
}

// accents are the providers as their handlers are written in the lab's project.
var accents = map[string]view.Dialect{
	"express": {Name: "Express", Shape: "(req, res) => …", Method: "req.method", Login: "req.body, parsed by express.json()", Returns: "res.status(200).send(…)"},
	"lambda":  {Name: "AWS Lambda", Shape: "async (event, context) => …", Method: "event.requestContext.http.method", Login: "event.body, as text", Returns: "{ statusCode, body }"},
	"gcf":     {Name: "Google, Firebase", Shape: "(req, res) => …", Method: "req.method", Login: "req.body, parsed already", Returns: "res.status(200).send(…)"},
	"azure":   {Name: "Azure Functions", Shape: "app.http(name, { handler: async (request, context) => … })", Method: "request.method", Login: "await request.json()", Returns: "{ status, body }"},
	"worker":  {Name: "Workers", Shape: "fetch(request, env, ctx)", Method: "request.method", Login: "await request.json()", Returns: "new Response(…)"},
}

func dialectsView(d *lab.Dialects) view.Dialects {
	out := view.Dialects{Body: d.Body, Own: d.Own}
	for _, row := range d.Rows {
		v := accents[row.Name]
		v.Key, v.Source = row.Name, row.Source
		if d.Method != "" {
			v.Given, v.Back = indented(row.Given), indented(row.Back)
		}
		v.Lab = dialectAnswer(row.Answer)
		if row.Own != nil {
			v.Mine = dialectAnswer(*row.Own)
		}
		out.Rows = append(out.Rows, v)
	}
	if d.Method == "" { // nothing was sent yet
		return out
	}
	out.Request = d.Method + " /login"
	out.How = "Each of the five is a Worker here; an adapter of ours plays the provider’s part, in the shape that the provider documents. Express is the real package. Azure’s address is /api/login. n = 1, for the answers’ sake and not for the times. " + d.Stamp.String() + "."
	return out
}

func dialectAnswer(a lab.Answer) view.DialectAnswer {
	out := view.DialectAnswer{Status: a.Status, Body: a.Body, Took: a.Wall, Cold: a.Cold}
	if a.Fault != "" {
		out.Body, out.Failed = a.Fault, true
	}
	return out
}

// indented is JSON to read; a text stands for itself.
func indented(data json.RawMessage) string {
	var text string
	if json.Unmarshal(data, &text) == nil {
		return text
	}
	var b bytes.Buffer
	if json.Indent(&b, data, "", "  ") != nil {
		return "nothing was told"
	}
	return b.String()
}
