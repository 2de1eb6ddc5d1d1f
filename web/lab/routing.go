package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldstart/sandbox"
	"coldstart/sandbox/platform"
	"coldstart/sandbox/trace"
)

// Routing is what the routing lab found out about a project's routes.
type Routing struct {
	Own        bool         `json:"own,omitempty"` // the learner's project
	Documented bool         `json:"documented,omitempty"`
	Broken     string       `json:"broken,omitempty"` // the Worker that throws, "" for none
	Workers    []string     `json:"workers"`
	Rows       []RoutingRow `json:"rows"`
	Stamp
}

// RoutingRow is one address: how the route table decided, and who answered.
type RoutingRow struct {
	URL    string              `json:"url"`
	Match  platform.RouteMatch `json:"match"`
	Answer *Answer             `json:"answer,omitempty"` // nil when no Worker may answer
	Alive  bool                `json:"alive"`            // it answered without a fault
}

// RoutingIn is what is asked of the routing lab.
type RoutingIn struct {
	Own        *trace.Project // nil for the project that the lab brings along
	URLs       string         // one a line
	Documented bool           // the known issues of Cloudflare's order, too
	Broken     string         // a Worker whose code is to throw
}

// RoutingURLs are the addresses to begin with.
const RoutingURLs = `https://example.com/
https://example.com/api
https://example.com/api/users?page=2
https://example.com/API/users
https://example.com/img/logo.png
https://example.com/img/logo.png?v=2
https://example.com/docs/start
https://help.example.com/about`

const routingMost = 24 // addresses at once

// router is a sandbox that explains its routes.
type router interface {
	sandbox.Door
	Routes(key sandbox.Key, url string, documented bool) (platform.RouteMatch, error)
}

// brokenCode is what a broken Worker runs.
const brokenCode = `export default { fetch() { throw new Error("broken on purpose, by the lab"); } };` + "\n"

// Route deploys a project for a learner and sends a request to each address.
// The explanation is that of the look-up which then decides about the request.
func (l *Labs) Route(ctx context.Context, learner string, in RoutingIn) (*Routing, error) {
	door, ok := l.cfg.Door.(router)
	if !ok {
		return nil, errors.New("lab: the sandbox does not explain its routes")
	}
	out := &Routing{Own: in.Own != nil, Documented: in.Documented}
	p := shipped("mall")
	if in.Own != nil {
		p = *in.Own
	}
	key := sandbox.Key{Learner: learner, Project: "lab-routing"}
	_, err := l.stage(ctx, key, p, func(d *trace.Deployment) {
		for i := range d.Workers {
			w := &d.Workers[i]
			out.Workers = append(out.Workers, w.Name)
			if w.Name == in.Broken {
				out.Broken = w.Name
				w.Code, w.SourceMap, w.Wasm, w.Classic = brokenCode, nil, nil, false
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for _, url := range URLs(in.URLs) {
		row := RoutingRow{URL: url}
		if row.Match, err = door.Routes(key, url, in.Documented); err != nil {
			return nil, err
		}
		if row.Match.Worker != "" {
			a, err := ask(ctx, door, sandbox.Run{Key: key, Method: "GET", URL: url, Documented: in.Documented})
			if err != nil {
				return nil, fmt.Errorf("ask %s: %w", url, err)
			}
			row.Answer, row.Alive = &a, a.Outcome == "ok"
		}
		out.Rows = append(out.Rows, row)
	}
	out.Stamp = l.stamp()
	return out, nil
}

// URLs are the addresses of a text, one a line; without a scheme they are https.
func URLs(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if !strings.Contains(line, "://") {
			line = "https://" + line
		}
		if !slices.Contains(out, line) && len(out) < routingMost {
			out = append(out, line)
		}
	}
	return out
}
