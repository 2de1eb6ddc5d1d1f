package view

import (
	"strings"
	"testing"
)

// Every page is drawn once, by how it stands, and every isolate has its cell.
func TestAliveMap(t *testing.T) {
	a := *sampleAlive(false)
	m := newAliveMap(a)
	for _, c := range []struct {
		name, path string
		state      byte
		n          int
	}{{"shared", m.shared, 1, m.nShared}, {"some", m.some, 2, m.nSome}, {"private", m.private, 3, m.nOwn}} {
		want := strings.Count(string(a.Map), string([]byte{c.state}))
		if drawn := strings.Count(c.path, "z"); drawn != want || c.n != want {
			t.Errorf("%s: %d cells drawn, %d counted, want %d", c.name, drawn, c.n, want)
		}
	}
	if want := "M1 5H1000M1 15H1000M1 25H50"; cellRows(0, 205, 100) != want {
		t.Errorf("205 cells are %q", cellRows(0, 205, 100))
	}
	if want := "M51 25H1000M1 35H20"; cellRows(205, 302, 100) != want {
		t.Errorf("those that are still to come are %q", cellRows(205, 302, 100))
	}
	if got := m.each(m.Private); got != "71.5" {
		t.Errorf("%s pages each", got)
	}
	if got := m.each(1019 * int64(a.Read)); got != "1,019" {
		t.Errorf("many pages each are written %s", got)
	}
}

func TestAliveSaysOnlyWhatIsKnown(t *testing.T) {
	fits := newDensity(sampleDensity()).fits
	for i := range fits {
		if fits[i].Round {
			fits[i].Key = "iso"
		}
	}
	for _, c := range []struct {
		change func(*Alive)
		want   []string
	}{
		{func(a *Alive) { a.Done = false }, nil},
		{func(a *Alive) { a.Short = "memory is full" }, []string{"Not 2,000, because memory is full.", "Right after", "Together"}},
		{func(a *Alive) { a.Fresh = 71.5 }, []string{"Together"}},
		{func(a *Alive) { a.Fresh, a.Bytes = 0, 0 }, nil},
	} {
		a := *sampleAlive(true)
		c.change(&a)
		says := newAliveMap(a).says(fits)
		if len(says) != len(c.want) {
			t.Errorf("got %q, want %q", says, c.want)
			continue
		}
		for i, s := range says {
			if !strings.HasPrefix(s, c.want[i]) {
				t.Errorf("got %q, want %q", s, c.want[i])
			}
		}
	}
}
