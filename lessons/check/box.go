package check

import (
	"context"
	"encoding/json"
	"fmt"
)

// Line is what n copies of a box hold in memory: dots, and the line through
// them.
type Line struct {
	Available bool    `json:"available"`
	Why       string  `json:"why,omitempty"` // when not available
	Fixed     float64 `json:"fixed_mb"`      // paid once, MB
	Each      float64 `json:"each_mb"`       // paid per copy, MB
	Dots      []Dot   `json:"dots"`
	Method    string  `json:"method,omitempty"` // how it was measured, one sentence
	// Inside is what a program in such a box, or behind the walls that were asked for,
	// says of where it is, Outside what the same program says as a plain process; JSON,
	// absent for boxes that say nothing.
	Inside  json.RawMessage `json:"inside,omitempty"`
	Outside json.RawMessage `json:"outside,omitempty"`
}

// Dot is one measured point of a Line.
type Dot struct {
	Copies int     `json:"copies"`
	MB     float64 `json:"mb"`
}

// boxCopies are the counts at which isolates are measured.
var boxCopies = [...]int{1, 12, 30}

// box measures a kind of box, once per run of the checks.
func (s *session) box(ctx context.Context, t *running, raw []json.RawMessage) (any, error) {
	var name string
	var o map[string]any
	if err := arg("box", raw, 1, &name); err != nil {
		return nil, err
	}
	if err := arg("box", raw, 2, &o); err != nil {
		return nil, err
	}
	of, _ := o["of"].(string)
	worker, _ := o["worker"].(string)
	key := name
	if len(raw) > 2 {
		key += " " + string(raw[2])
	}
	s.mu.Lock()
	line, known := s.line[key]
	s.mu.Unlock()
	if known {
		return line, nil
	}
	var err error
	switch {
	case name == "isolate":
		line, err = s.isolates(ctx, t, of, worker)
	case s.cfg.Box == nil:
		line = Line{Why: "boxes other than isolates are not set up on this server"}
	default:
		line, err = s.cfg.Box(ctx, name, o)
	}
	if err != nil {
		return nil, err
	}
	if line.Dots == nil {
		line.Dots = []Dot{}
	}
	s.mu.Lock()
	if s.line == nil {
		s.line = map[string]Line{}
	}
	s.line[key] = line
	s.mu.Unlock()
	return line, nil
}

// isolates measures private pages of cold isolates one after the other. What
// a runner process holds with no isolate in it is the fixed part.
func (s *session) isolates(ctx context.Context, t *running, of, worker string) (Line, error) {
	p := t.project
	if of == "starter" {
		var err error
		if p, err = s.starter(ctx); err != nil {
			return Line{}, err
		}
	}
	l := Line{Available: true, Method: "private pages of fresh isolates after one request each, over what a runner holds"}
	var fixed int64
	for _, r := range s.cfg.Door.Stats().Runners {
		if r.Role == "run" && r.RSS > 0 && (fixed == 0 || r.RSS < fixed) {
			fixed = r.RSS
		}
	}
	mb := float64(fixed) / (1 << 20)
	first := mb
	copies := 0
	for _, want := range boxCopies {
		for ; copies < want; copies++ {
			got, err := s.sample(ctx, t, p, "GET /", sendOptions{Cold: true, Worker: worker})
			if err != nil {
				return Line{}, err
			}
			if got.memory <= 0 {
				return Line{Why: fmt.Sprintf("the sandbox told no memory for an isolate (status %d)", got.status)}, nil
			}
			mb += float64(got.memory) / (1 << 20)
		}
		l.Dots = append(l.Dots, Dot{copies, mb})
	}
	l.Fixed, l.Each = Fit(l.Dots)
	if l.Fixed < 0 {
		l.Fixed = first
	}
	return l, nil
}

// Fit is the least-squares line through dots: what is paid once and what each
// copy adds, in MB. Fewer than two different counts give (0, 0).
func Fit(dots []Dot) (fixed, each float64) {
	var n, sx, sy, sxx, sxy float64
	for _, d := range dots {
		x := float64(d.Copies)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+d.MB, sxx+x*x, sxy+x*d.MB
	}
	den := n*sxx - sx*sx
	if n < 2 || den == 0 {
		return 0, 0
	}
	each = (n*sxy - sx*sy) / den
	return (sy - each*sx) / n, each
}
