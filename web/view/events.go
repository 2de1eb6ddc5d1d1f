package view

import (
	"fmt"
	"strconv"
)

// Events is what the events lab shows. Times are in µs since it began.
type Events struct {
	Items         []EventItem
	Samples       []EventSample
	Took          int64
	Invocations   int
	Most          int // isolates at once
	Before, After string
	Over          bool
	How           string
}

// EventItem is one invocation of a handler.
type EventItem struct {
	At, Took                          int64
	Lane                              int // index into EventLanes
	Trigger, Handler, What, Said, End string
	Worker                            string
	Attempt                           int
	Cold                              bool
}

// EventSample is how many isolates were alive from a time on.
type EventSample struct {
	At       int64
	Isolates int
}

// EventLanes are the triggers, from top to bottom of the chart.
var EventLanes = []string{"HTTP request", "upload", "row change, simulated", "failing message", "cron, fast clock"}

// Geometry of the chart, in px.
const (
	eventsLane = 38
	eventsBar  = 56 // of the isolates' part
)

// how is How once it is over.
func (e Events) how() string {
	if !e.Over {
		return ""
	}
	return e.How
}

func (e Events) x(at int64) string { return percent(float64(at) / float64(max(e.Took, 1))) }

func (e Events) height() string { return strconv.Itoa(len(EventLanes)*eventsLane + eventsBar + 44) }

func eventsY(lane int) string { return strconv.Itoa(lane*eventsLane + 26) }

func eventsText(lane int) string { return strconv.Itoa(lane*eventsLane + 12) }

// eventBar is a stretch of time with a number of isolates.
type eventBar struct{ x, width, y, height, says string }

func (e Events) bars() []eventBar {
	var out []eventBar
	top := len(EventLanes)*eventsLane + 22
	for i, s := range e.Samples {
		end := e.Took
		if i+1 < len(e.Samples) {
			end = e.Samples[i+1].At
		}
		if s.Isolates == 0 || end <= s.At {
			continue
		}
		h := eventsBar * s.Isolates / max(e.Most, 1)
		out = append(out, eventBar{
			x: e.x(s.At), width: percent(float64(end-s.At) / float64(max(e.Took, 1))),
			y: strconv.Itoa(top + eventsBar - h), height: strconv.Itoa(h),
			says: fmt.Sprintf("from %s to %s, %s alive", Duration(s.At), Duration(end), count(s.Isolates, "isolate")),
		})
	}
	return out
}

func eventsFloor() string { return strconv.Itoa(len(EventLanes)*eventsLane + 22 + eventsBar) }

func eventsBarText() string { return strconv.Itoa(len(EventLanes)*eventsLane + 14) }

func eventsAxis() string { return strconv.Itoa(len(EventLanes)*eventsLane + eventsBar + 40) }

// mostAlive names the bars, with what the highest stands for.
func (e Events) mostAlive() string {
	if e.Most == 0 {
		return "isolates alive"
	}
	return fmt.Sprintf("isolates alive, at most %d", e.Most)
}

func (e Events) caption() string {
	if e.Took == 0 {
		return "Events over time, and the isolates alive: nothing has happened yet."
	}
	return fmt.Sprintf("%s over %s, and between 0 and %d isolates at a time. Before the first and after the last event there was none.", count(e.Invocations, "invocation"), Duration(e.Took), e.Most)
}

// tries says the attempt where there may be several.
func (i EventItem) tries() string {
	if i.Attempt == 0 {
		return "–"
	}
	return strconv.Itoa(i.Attempt)
}

func (i EventItem) how() string {
	if i.Cold {
		return "cold"
	}
	return "warm"
}

// says is one invocation in words.
func (i EventItem) says() string {
	temperature := "warm"
	if i.Cold {
		temperature = "cold"
	}
	s := fmt.Sprintf("after %s, %s: %s, %s, %s", Duration(i.At), i.Trigger, i.Handler, temperature, Duration(i.Took))
	if i.End != "ok" {
		s += ", " + i.End
	}
	return s
}
