package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

// Dialects is one request, answered by the same login in five accents.
type Dialects struct {
	Method string    `json:"method"`
	Body   string    `json:"body,omitempty"`
	Own    bool      `json:"own,omitempty"` // the learner's five were asked, too
	Rows   []Dialect `json:"rows"`
	Stamp
}

// Dialect is how one provider's accent handled the request.
type Dialect struct {
	Name   string          `json:"name"` // of the Worker: express lambda gcf azure worker
	Given  json.RawMessage `json:"given,omitempty"`
	Back   json.RawMessage `json:"back,omitempty"`
	Answer Answer          `json:"answer"`
	Own    *Answer         `json:"own,omitempty"` // of the learner's Worker of that name
	Source string          `json:"source"`        // the lab's file
}

// DialectNames are the Workers of the lab, in its order.
var DialectNames = []string{"express", "lambda", "gcf", "azure", "worker"}

// DialectsPlan is what is known before a request is sent: the files.
func DialectsPlan() *Dialects {
	out, p := &Dialects{}, shipped("dialects")
	for _, name := range DialectNames {
		out.Rows = append(out.Rows, Dialect{Name: name, Source: string(p.Files[name+"/src/index.js"])})
	}
	return out
}

// dialectsCPU is what a handler of ours may take: with its first body Express loads
// tables of letters, which a slow machine does not do in a learner's limit.
const dialectsCPU = 500 * time.Millisecond

// Login sends one request to the login in every dialect, the lab's own and,
// when there is one, the learner's.
func (l *Labs) Login(ctx context.Context, learner string, own *trace.Project, method, user, pass string) (*Dialects, error) {
	out := &Dialects{Method: method, Own: own != nil}
	if method != "GET" {
		body, err := json.Marshal(map[string]string{"user": user, "pass": pass})
		if err != nil {
			return nil, err
		}
		out.Body = string(body)
	}
	key, ownKey := sandbox.Key{Learner: learner, Project: "lab-dialects"}, sandbox.Key{Learner: learner, Project: "lab-dialects-own"}
	p := shipped("dialects")
	if _, err := l.stage(ctx, key, p, func(d *trace.Deployment) {
		for i := range d.Workers {
			d.Workers[i].Limits.CPU = dialectsCPU
		}
	}); err != nil {
		return nil, err
	}
	theirs := map[string]bool{}
	if own != nil {
		d, err := l.stage(ctx, ownKey, *own, nil)
		if err != nil {
			return nil, err
		}
		for _, w := range d.Workers {
			theirs[w.Name] = true
		}
	}
	for _, name := range DialectNames {
		d := Dialect{Name: name, Source: string(p.Files[name+"/src/index.js"])}
		var err error
		if d.Answer, err = l.login(ctx, key, name, out); err != nil {
			return nil, err
		}
		var told struct{ Given, Back json.RawMessage }
		if len(d.Answer.Logs) > 0 && json.Unmarshal([]byte(d.Answer.Logs[0]), &told) == nil {
			d.Given, d.Back = told.Given, told.Back
		}
		d.Answer.Logs = nil
		switch {
		case theirs[name]:
			a, err := l.login(ctx, ownKey, name, out)
			if err != nil {
				return nil, fmt.Errorf("ask the learner's Worker %q: %w", name, err)
			}
			a.Logs = nil
			d.Own = &a
		case own != nil:
			d.Own = &Answer{Outcome: "missing", Fault: "Your project has no Worker of this name."}
		}
		out.Rows = append(out.Rows, d)
	}
	out.Stamp = l.stamp()
	return out, nil
}

func (l *Labs) login(ctx context.Context, key sandbox.Key, name string, in *Dialects) (Answer, error) {
	r := sandbox.Run{Key: key, Worker: name, Method: in.Method, URL: "https://login.example/login", Headers: [][2]string{{"accept", "text/plain"}}}
	if name == "azure" {
		r.URL = "https://login.example/api/login" // where Azure puts functions
	}
	if in.Body != "" {
		r.Headers = append(r.Headers, [2]string{"content-type", "application/json"})
		r.Body, r.Length = strings.NewReader(in.Body), int64(len(in.Body))
	}
	return ask(ctx, l.cfg.Door, r)
}
