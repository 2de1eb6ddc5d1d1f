package web

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/a-h/templ"

	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// costLab works out what a month costs.
func (s *Site) costLab() experiment {
	work := func(ctx context.Context, r *labRun[lab.Cost]) (*lab.Cost, error) {
		c, err := costOf(r.Values)
		if err != nil {
			return nil, misread(err)
		}
		if file := r.Values["own"]; file != "" {
			own, err := s.wholeProject(r.Project)
			if err != nil {
				return nil, err
			}
			if own != nil {
				err = s.labs.OwnMonthly(ctx, live.Key(r.Project), *own, file, c)
			}
			if err != nil {
				return nil, err
			}
		}
		return c, nil
	}
	return &labOf[lab.Cost]{
		labInfo: labInfo{PerProject: true, LabInfo: view.LabInfo{
			ID: "cost", Title: "Cost", Heading: "What does a month cost?", Verb: "Work it out", Live: true,
			Lead:        "A rented machine costs the same asleep and awake. The others bill what ran. Change what a request uses, or the prices, and see where the lines cross.",
			Description: "A machine by the hour against plans by the request, at prices that you can edit.",
			Fields: []view.LabField{
				{Name: "cpu_ms", Label: "CPU time", Value: "7", Kind: view.LabNumber, Min: 0, Max: 300_000, Step: 0.1, Unit: "ms"},
				{Name: "ms", Label: "Time with waiting", Value: "50", Kind: view.LabNumber, Min: 0, Max: 900_000, Step: 0.1, Unit: "ms"},
				{Name: "mb", Label: "Memory", Value: "128", Kind: view.LabNumber, Min: 1, Max: 32_768, Unit: "MB"},
				{Name: "own", Kind: view.LabText},
				{Name: "prices", Label: "prices.json", Value: lab.PricesJSON(), Kind: view.LabArea, Folded: true, Most: 32 << 10},
			},
		}},
		Run: work,
		Act: func(ctx context.Context, r *labRun[lab.Cost]) (*lab.Cost, error) {
			if r.Action != "change" {
				return nil, &live.InputError{Message: "This lab cannot do that. Load the page again."}
			}
			return work(ctx, r)
		},
		Draw: func(c *lab.Cost, values map[string]string) templ.Component {
			now, err := costOf(values)
			var trouble string
			if err != nil {
				trouble = "These are the lab's own prices. " + err.Error()
				now, _ = costOf(map[string]string{"cpu_ms": values["cpu_ms"], "ms": values["ms"], "mb": values["mb"], "prices": lab.PricesJSON()})
			}
			if c != nil && c.Text == now.Text && c.Shape == now.Shape {
				now.Own, now.Trouble = c.Own, c.Trouble
			}
			v := costView(now)
			v.Trouble = cmp.Or(trouble, v.Trouble)
			return view.CostView(v)
		},
		Values: func(c *lab.Cost) map[string]string {
			return map[string]string{"cpu_ms": fmt.Sprint(c.Shape.CPU), "ms": fmt.Sprint(c.Shape.Ms), "mb": fmt.Sprint(c.Shape.MB), "prices": c.Text}
		},
		Check: func(c *lab.Cost) any {
			from := map[string]any{}
			for _, p := range costView(c).Plans {
				if p.Cross > 0 && !math.IsInf(p.Cross, 1) {
					from[p.ID] = p.Cross
				}
			}
			return map[string]any{"dearer_from": from}
		},
	}
}

// costOf reads the lab's fields. Errors are *jsonline.Error.
func costOf(values map[string]string) (*lab.Cost, error) {
	c := &lab.Cost{
		Text:  strings.ReplaceAll(values["prices"], "\r\n", "\n"),
		Shape: lab.Shape{CPU: labNumber(values, "cpu_ms"), Ms: labNumber(values, "ms"), MB: labNumber(values, "mb")},
	}
	var err error
	c.Prices, err = lab.ParsePrices("prices.json", []byte(c.Text))
	return c, err
}

func costView(c *lab.Cost) view.Cost {
	p := &c.Prices
	v := view.Cost{
		From: lab.CostFrom, To: lab.CostTo, Read: p.Read,
		Shape: fmt.Sprintf("requests of %g ms of CPU time, %g ms with waiting and %g MB", c.Shape.CPU, c.Shape.Ms, c.Shape.MB),
	}
	if c.Trouble != "" {
		v.Trouble = "Yours is not drawn: " + c.Trouble
	}
	rented := p.Rented()
	for _, plan := range p.Plans {
		out := view.CostPlan{
			ID: plan.ID, Name: plan.Name, Cross: math.NaN(), Source: plan.Source,
			Bill: func(requests float64) float64 { return plan.Monthly(p.Hours, requests, c.Shape) },
		}
		if plan.Read != "" {
			out.Source += ", read " + plan.Read
		}
		if rented != nil && plan.ID != rented.ID {
			out.Cross = plan.BreakEven(p.Hours, rented.Monthly(p.Hours, 0, c.Shape), c.Shape)
		}
		for i, y := range c.Own[plan.ID] {
			if at := lab.OwnRequests(); y != nil && i < len(at) {
				out.Own = append(out.Own, view.PlotPoint{X: at[i], Y: *y})
			}
		}
		v.Plans = append(v.Plans, out)
	}
	return v
}
