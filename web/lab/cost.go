package lab

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"

	"coldstart/sandbox"
	"coldstart/sandbox/jsonline"
	"coldstart/sandbox/trace"
)

//go:embed prices.json
var prices []byte

// PricesJSON is the text of the prices that ship with the lab.
func PricesJSON() string { return string(prices) }

// ShippedPrices are the prices that ship with the lab.
func ShippedPrices() Prices {
	p, err := ParsePrices("prices.json", prices)
	if err != nil {
		panic("lab: " + err.Error()) // a test parses them
	}
	return p
}

// Prices is a prices.json: what plans cost, read from somewhere at some time.
type Prices struct {
	Read     string  `json:"read"` // when, 2026-11-21
	Currency string  `json:"currency"`
	Hours    float64 `json:"hours"` // of a month
	Plans    []Plan  `json:"plans"`
}

// Plan is how one offer is billed: a month's fee, hours, and what requests use
// beyond that which is free.
type Plan struct {
	ID            string  `json:"id"`
	Name          string  `json:"name"`
	Base          float64 `json:"base,omitempty"` // a month
	PerHour       float64 `json:"per_hour,omitempty"`
	PerMillion    float64 `json:"per_million,omitempty"` // requests
	FreeRequests  float64 `json:"free_requests,omitempty"`
	PerMillionCPU float64 `json:"per_million_cpu_ms,omitempty"`
	FreeCPU       float64 `json:"free_cpu_ms,omitempty"`
	PerGBs        float64 `json:"per_gb_s,omitempty"` // memory times the whole time, waiting included
	FreeGBs       float64 `json:"free_gb_s,omitempty"`
	PerVCPUs      float64 `json:"per_vcpu_s,omitempty"` // the whole time, waiting included
	FreeVCPUs     float64 `json:"free_vcpu_s,omitempty"`
	RoundMs       float64 `json:"round_ms,omitempty"` // time is billed in steps of so much
	RoundMB       float64 `json:"round_mb,omitempty"` // memory likewise
	Source        string  `json:"source"`
	Read          string  `json:"read,omitempty"` // when not with the others
}

// Shape is what one request uses.
type Shape struct {
	CPU float64 `json:"cpu_ms"` // CPU time
	Ms  float64 `json:"ms"`     // the whole time, waiting included
	MB  float64 `json:"mb"`     // memory that it was given
}

const mostPlans = 12

var planID = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)

// ParsePrices reads a prices.json. Errors are *jsonline.Error with the line.
func ParsePrices(file string, data []byte) (Prices, error) {
	var p Prices
	v, err := jsonline.Parse(file, data)
	if err != nil {
		return p, err
	}
	if err := v.Object("read", "currency", "hours_per_month", "plans"); err != nil {
		return p, err
	}
	if p.Read, err = v.String("read"); err != nil {
		return p, err
	}
	if p.Read == "" {
		return p, v.Errorf("read is missing; write the day on which you read these prices.")
	}
	if p.Currency, err = v.String("currency", "USD"); err != nil {
		return p, err
	}
	if p.Hours, err = v.Number("hours_per_month", 1, 744, 730); err != nil {
		return p, err
	}
	plans := v.Get("plans")
	if plans == nil || plans.Kind != "array" || len(plans.Items) == 0 || len(plans.Items) > mostPlans {
		at := v
		if plans != nil {
			at = plans
		}
		return p, at.Errorf("plans must be a list of 1 to %d plans, [ { … } ].", mostPlans)
	}
	for _, item := range plans.Items {
		plan, err := parsePlan(item)
		if err != nil {
			return p, err
		}
		if slices.ContainsFunc(p.Plans, func(o Plan) bool { return o.ID == plan.ID }) {
			return p, item.Get("id").Errorf("Two plans have the id %q; each needs its own.", plan.ID)
		}
		p.Plans = append(p.Plans, plan)
	}
	return p, nil
}

func parsePlan(v *jsonline.Value) (Plan, error) {
	var p Plan
	numbers := []struct {
		name string
		into *float64
	}{
		{"base", &p.Base},
		{"per_hour", &p.PerHour},
		{"per_million", &p.PerMillion},
		{"free_requests", &p.FreeRequests},
		{"per_million_cpu_ms", &p.PerMillionCPU},
		{"free_cpu_ms", &p.FreeCPU},
		{"per_gb_s", &p.PerGBs},
		{"free_gb_s", &p.FreeGBs},
		{"per_vcpu_s", &p.PerVCPUs},
		{"free_vcpu_s", &p.FreeVCPUs},
		{"round_ms", &p.RoundMs},
		{"round_mb", &p.RoundMB},
	}
	names := []string{"id", "name", "source", "read"}
	for _, n := range numbers {
		names = append(names, n.name)
	}
	if err := v.Object(names...); err != nil {
		return p, err
	}
	for _, s := range []struct {
		name string
		into *string
	}{{"id", &p.ID}, {"name", &p.Name}, {"source", &p.Source}, {"read", &p.Read}} {
		var err error
		if *s.into, err = v.String(s.name); err != nil {
			return p, err
		}
	}
	switch {
	case !planID.MatchString(p.ID):
		return p, v.Errorf("A plan needs an id of small letters, digits and _, such as \"vm\".")
	case p.Name == "" || len(p.Name) > 120:
		return p, v.Errorf("The plan %s needs a name of at most 120 letters.", p.ID)
	case p.Source == "":
		return p, v.Errorf("The plan %s needs a source: where its prices were read.", p.ID)
	}
	for _, n := range numbers {
		var err error
		if *n.into, err = v.Number(n.name, 0, 1e15, 0); err != nil {
			return p, err
		}
	}
	return p, nil
}

// Plan finds a plan by its id, nil when there is none.
func (p *Prices) Plan(id string) *Plan {
	if i := slices.IndexFunc(p.Plans, func(o Plan) bool { return o.ID == id }); i >= 0 {
		return &p.Plans[i]
	}
	return nil
}

// part is one item of a bill: so much for each unit beyond those that are free.
type part struct{ each, free, perRequest float64 }

func (p Plan) parts(s Shape) []part {
	ms, mb := roundUp(s.Ms, p.RoundMs), roundUp(s.MB, p.RoundMB)
	return []part{
		{p.PerMillion / 1e6, p.FreeRequests, 1},
		{p.PerMillionCPU / 1e6, p.FreeCPU, s.CPU},
		{p.PerGBs, p.FreeGBs, ms / 1000 * mb / 1024},
		{p.PerVCPUs, p.FreeVCPUs, ms / 1000},
	}
}

func roundUp(v, step float64) float64 {
	if step <= 0 {
		return v
	}
	return math.Ceil(v/step-1e-9) * step
}

// Monthly is what a month with so many requests costs.
func (p Plan) Monthly(hours, requests float64, s Shape) float64 {
	sum := p.Base + p.PerHour*hours
	for _, x := range p.parts(s) {
		sum += x.each * math.Max(0, requests*x.perRequest-x.free)
	}
	return sum
}

// BreakEven is the number of requests a month from which the plan costs more
// than dollars: 0 when it always does, +Inf when it never does. A bill is
// linear between the points where something stops being free, so the crossing
// is solved, not searched.
func (p Plan) BreakEven(hours, dollars float64, s Shape) float64 {
	cost := p.Base + p.PerHour*hours
	if cost > dollars {
		return 0
	}
	parts := slices.DeleteFunc(p.parts(s), func(x part) bool { return x.each == 0 || x.perRequest == 0 })
	slices.SortFunc(parts, func(a, b part) int { return cmpFloat(a.free/a.perRequest, b.free/b.perRequest) })
	at, slope := 0.0, 0.0
	for _, x := range parts {
		bend := x.free / x.perRequest
		if slope > 0 && cost+slope*(bend-at) > dollars {
			break
		}
		cost += slope * (bend - at)
		at = bend
		slope += x.each * x.perRequest
	}
	if slope == 0 {
		return math.Inf(1)
	}
	return at + (dollars-cost)/slope
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Rented is the first plan that is paid by the hour, nil when there is none.
func (p *Prices) Rented() *Plan {
	if i := slices.IndexFunc(p.Plans, func(o Plan) bool { return o.PerHour > 0 }); i >= 0 {
		return &p.Plans[i]
	}
	return nil
}

// Cost is what the cost lab worked out.
type Cost struct {
	Text   string `json:"text"` // of the prices, as they were edited
	Prices Prices `json:"prices"`
	Shape  Shape  `json:"shape"`
	// Own is what the learner's monthly() answers by plan, for each of
	// OwnRequests; NaN is kept as null. Nil without one.
	Own     map[string][]*float64 `json:"own,omitempty"`
	Trouble string                `json:"trouble,omitempty"` // why there is no Own, or not for a plan
}

// OwnRequests are the numbers of requests a month for which a learner's
// function is asked: none, then four in each decade of the axis.
func OwnRequests() []float64 {
	out := []float64{0}
	for i := 0; i <= 4*costDecades; i++ {
		out = append(out, math.Round(CostFrom*math.Pow(10, float64(i)/4)))
	}
	return out
}

// The axis of requests a month.
const (
	costDecades = 6
	CostFrom    = 1e4 // the fewest on it
	CostTo      = 1e10
)

// OwnMonthly asks the learner's monthly(plan, use) of one file, for all plans
// that it knows.
func (l *Labs) OwnMonthly(ctx context.Context, key sandbox.Key, p trace.Project, file string, c *Cost) error {
	type use struct {
		Requests float64 `json:"requests"`
		Shape
	}
	var q struct {
		Plans []string `json:"plans"`
		Uses  []use    `json:"uses"`
	}
	for _, plan := range c.Prices.Plans {
		q.Plans = append(q.Plans, plan.ID)
	}
	for _, r := range OwnRequests() {
		q.Uses = append(q.Uses, use{r, c.Shape})
	}
	var answer struct {
		Missing bool                  `json:"missing"`
		Own     map[string][]*float64 `json:"own"`
	}
	err := l.Ask(ctx, key, p, fmt.Sprintf(monthlyEntry, "./"+file), q, &answer)
	var code *CodeError
	switch {
	case errors.As(err, &code):
		c.Trouble = code.Message
	case err != nil:
		return err
	case answer.Missing:
		c.Trouble = file + " exports no function monthly"
	default:
		c.Own = answer.Own
	}
	return nil
}

// monthlyEntry asks monthly for each plan. One that it throws for is left out:
// a lesson's file need not know them all.
const monthlyEntry = `import * as own from %q;
export default {
  async fetch(request) {
    const { plans, uses } = await request.json();
    if (typeof own.monthly !== "function") return Response.json({ missing: true });
    const out = {};
    for (const plan of plans) {
      try {
        out[plan] = uses.map((use) => { const v = own.monthly(plan, { ...use }); return typeof v === "number" ? v : null; });
      } catch {}
    }
    return Response.json({ own: out });
  },
};
`
