package view

import "fmt"

// Online is a Worker here and the same one somewhere else. Times are in µs.
type Online struct {
	Cold, Warm []int64 // here, to the first byte
	Off        string  // why there are none; "" for nothing to say
	First      []int64 // elsewhere, as curl told, to the first byte
	Rest       []int64 // the same without the time until the connection stood
	How        string  // when, where and how it was measured, in one line; "" before that
}

func (o Online) dots() Dots {
	none := ""
	if o.How != "" && len(o.First) == 0 {
		none = "no line of curl was pasted yet"
	}
	return Dots{Rows: []DotRow{
		{Name: "Here", Note: "in an isolate, no network", Cold: o.Cold, Warm: o.Warm, Off: o.Off},
		{Name: "Elsewhere", Note: "all that curl waited", Warm: o.First, Off: none},
		{Name: "Elsewhere, connected", Note: "what came after the connection", Warm: o.Rest, Off: none},
	}}
}

func (o Online) numbers() Numbers {
	n := Numbers{Name: "Times to the first byte, here and elsewhere", Open: true, Head: []string{"where", "p50", "slowest", "n"}, Blank: o.How == ""}
	for _, r := range []struct {
		name string
		us   []int64
	}{{"here, cold", o.Cold}, {"here, warm", o.Warm}, {"elsewhere", o.First}, {"elsewhere, connected", o.Rest}} {
		row := []string{r.name, "–", "–", "–"}
		if len(r.us) > 0 {
			row = []string{r.name, Duration(quantile(r.us, .5)), Duration(quantile(r.us, 1)), fmt.Sprint(len(r.us))}
		}
		n.Rows = append(n.Rows, row)
	}
	return n
}
