package lab

import (
	"math"
	"strings"
	"testing"
)

func shippedPrices(t *testing.T) Prices {
	t.Helper()
	p, err := ParsePrices("prices.json", []byte(PricesJSON()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The vendors' own examples, and bills added up by hand.
func TestMonthly(t *testing.T) {
	p := shippedPrices(t)
	for _, c := range []struct {
		plan     string
		requests float64
		shape    Shape
		want     float64
	}{
		{"workers", 15e6, Shape{7, 50, 128}, 8.00},
		{"workers", 100e6, Shape{7, 50, 128}, 45.40},
		{"workers", 0, Shape{7, 50, 128}, 5.00},
		{"lambda", 3e6, Shape{1, 1000, 512}, 18.73},
		{"lambda", 5e5, Shape{1, 50, 128}, 0},
		{"vm", 0, Shape{}, 30.37},
		{"vm", 1e9, Shape{7, 50, 128}, 30.37},
		// 10M × 0.1 s: 1,000,000 vCPU-s and 125,000 GB-s. 8M × $0.40/M + 820,000 × $0.000024.
		{"cloud_run", 10e6, Shape{7, 50, 128}, 22.88},
		// 130 MB bill as 256: 10M × 0.1 s × 0.25 GB = 250,000 GB-s, all free. 9M × $0.20/M.
		{"azure", 10e6, Shape{7, 100, 130}, 1.80},
	} {
		if got := p.Plan(c.plan).Monthly(p.Hours, c.requests, c.shape); math.Abs(got-c.want) > 0.005 {
			t.Errorf("%s, %v requests of %+v: $%.3f, want $%.2f", c.plan, c.requests, c.shape, got, c.want)
		}
	}
}

// A crossing is where the bill is exactly the other one's; known ones by hand.
func TestBreakEven(t *testing.T) {
	p := shippedPrices(t)
	vm := p.Rented().Monthly(p.Hours, 0, Shape{})
	for _, c := range []struct {
		plan  string
		shape Shape
		want  float64
	}{
		{"lambda", Shape{5, 50, 128}, 121.9e6},
		{"lambda", Shape{5, 200, 1024}, 10.49e6},
		{"workers", Shape{7, 50, 128}, 65.8e6},
	} {
		if got := p.Plan(c.plan).BreakEven(p.Hours, vm, c.shape); math.Abs(got/c.want-1) > 0.005 {
			t.Errorf("%s with %+v: %.4g, want %.4g", c.plan, c.shape, got, c.want)
		}
	}
	for _, plan := range p.Plans[1:] {
		for _, s := range []Shape{{7, 50, 128}, {0.1, 2000, 128}, {50, 50, 2048}, {0, 1, 1}} {
			for _, dollars := range []float64{5.001, 30.368, 1000} {
				at := plan.BreakEven(p.Hours, dollars, s)
				if got := plan.Monthly(p.Hours, at, s); math.Abs(got-dollars) > 1e-6*dollars {
					t.Errorf("%s %+v: at its crossing %v it costs %v, not %v", plan.ID, s, at, got, dollars)
				}
			}
		}
	}
	if at := p.Plan("workers").BreakEven(p.Hours, 4, Shape{}); at != 0 {
		t.Errorf("with a base of $5 the crossing with $4 is %v", at)
	}
	if at := p.Plan("vm").BreakEven(p.Hours, 31, Shape{}); !math.IsInf(at, 1) {
		t.Errorf("a VM's bill reaches $31 at %v", at)
	}
}

func TestParsePricesSaysWhere(t *testing.T) {
	plan := `{"read": "2026-01-01", "plans": [` + "\n" + `{"id": "vm", "name": "VM", "source": "me", `
	for _, c := range []struct{ text, want string }{
		{plan + "\n\"per_hour\": \"4 cents\"}]}", "prices.json:3: plans[0].per_hour must be a number"},
		{plan + "\n\"per_hour\": -1}]}", "prices.json:3: plans[0].per_hour is -1"},
		{plan + "\n\"per_day\": 1}]}", "prices.json:3: There is no setting plans[0].per_day."},
		{plan + "\"per_hour\": 1},\n{\"id\": \"vm\", \"name\": \"VM\", \"source\": \"me\"}]}", "prices.json:3: Two plans have the id"},
		{"{\"plans\": []}", "prices.json:1: read is missing"},
		{"{\"read\": \"x\",\n\"plans\": {}}", "prices.json:2: plans must be a list"},
		{"{\"read\": \"x\", \"plans\": [\n{\"id\": \"VM\"}]}", "prices.json:2: A plan needs an id"},
		{"{\"read\": \"x\", \"plans\": [\n{\"id\": \"vm\", \"name\": \"VM\"}]}", "prices.json:2: The plan vm needs a source"},
		{"{\"read\": \"x\", \"plans\": [\n{\"id\": \"vm\", \"source\": \"VM\"}]}", "prices.json:2: The plan vm needs a name"},
	} {
		if _, err := ParsePrices("prices.json", []byte(c.text)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.text, err, c.want)
		}
	}
}
