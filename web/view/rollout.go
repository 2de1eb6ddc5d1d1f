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
	return compared(r.Old, r.New, "visits", "failed", sideFigure{"cold starts", func(s AutoSide) string { return grouped(s.Cold) }})
}

// people says what it meant for the visitors, in a sentence; "" before anybody came.
func (r Rollout) people() string {
	if r.Visitors == 0 {
		return ""
	}
	return fmt.Sprintf("%s came. %s got an error of the new version; %s went from the new version to the old one and wondered.",
		count(r.Visitors, "visitor"), count(r.Hurt, "visitor"), count(r.Mixed, "visitor"))
}

func (r Rollout) plots() []Plot {
	x := Axis{Name: "time", To: r.Until, Write: inSeconds}
	count := Axis{Whole: true, Write: counted}
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
