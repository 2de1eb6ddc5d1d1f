package view

import (
	"fmt"
	"strconv"
)

// Rollout is what the rollout lab shows: two versions under the same visits.
type Rollout struct {
	Action string // where the buttons post without scripts
	Beats
	Old, New              AutoSide
	Shares                []PlotPoint // seconds, and the new version's percent from then on
	Events                []AutoEvent
	Visitors, Hurt, Mixed int
	How                   string // how it was measured, in one line
	Percents              []int  // what the buttons offer
}

// rows compare the two versions in figures.
func (r Rollout) rows() [][3]string {
	of := func(name string, f func(AutoSide) string) [3]string { return [3]string{name, f(r.Old), f(r.New)} }
	return [][3]string{
		of("visits", func(s AutoSide) string { return grouped(s.Requests) }),
		of("answered", func(s AutoSide) string { return grouped(s.Answered) }),
		of("failed", func(s AutoSide) string {
			if s.Requests == 0 {
				return "0"
			}
			return fmt.Sprintf("%s (%.1f %%)", grouped(s.Errors), 100*float64(s.Errors)/float64(s.Requests))
		}),
		of("p50", func(s AutoSide) string { return figureOr(s.P50) }),
		of("p99", func(s AutoSide) string { return figureOr(s.P99) }),
		of("cold starts", func(s AutoSide) string { return grouped(s.Cold) }),
	}
}

// people says what it meant for the visitors, in a sentence; "" before anybody came.
func (r Rollout) people() string {
	if r.Visitors == 0 {
		return ""
	}
	return fmt.Sprintf("%s came. %s an error of the new version; %s from the new version to the old one and wondered.",
		counted(r.Visitors, "visitor", "visitors"), counted(r.Hurt, "visitor got", "visitors got"), counted(r.Mixed, "visitor went", "visitors went"))
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

func (r Rollout) plots() []Plot {
	x := Axis{Name: "time", To: r.Until, Write: inSeconds}
	count := Axis{Write: wholeMark}
	wait := Axis{Log: true, From: fastest(r.Old, r.New), To: 1000, Write: inMillis}
	share := PlotLine{Name: "new version", Kind: "warm", Steps: true, Points: r.Shares}
	if n := len(r.Shares); n > 0 {
		now := float64(len(r.Old.Beats)) * r.Step
		share.Points = append(share.Points[:n:n], PlotPoint{max(now, r.Shares[n-1].X), r.Shares[n-1].Y})
	}
	answered := func(b AutoBeat) int { return b.Answered }
	failed := func(b AutoBeat) int { return b.Errors }
	p99 := func(b AutoBeat) float64 { return orNaN(b.P99) }
	out := []Plot{
		{Name: "Share of the visits that get the new version", Y: Axis{To: 100, Write: func(v float64) string { return strconv.Itoa(int(v)) + " %" }}, Lines: []PlotLine{share}},
		{Name: "Answers a second", Y: count, Lines: []PlotLine{r.rate("old version", "", r.Old, answered), r.rate("new version", "warm", r.New, answered)}},
		{Name: "Failures a second", Y: count, Lines: []PlotLine{r.rate("old version", "", r.Old, failed), r.rate("new version", "warm", r.New, failed)}},
		{Name: "99 of 100 wait at most (p99)", Y: wait, Lines: []PlotLine{r.line("old version", "", r.Old, false, p99), r.line("new version", "warm", r.New, false, p99)}},
	}
	for i := range out {
		out[i].X, out[i].Live, out[i].Height = x, r.Live, 170
	}
	return out
}
