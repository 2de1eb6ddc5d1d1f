package platform

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// crons fires the cron triggers of deployed projects, each minute, in UTC.
func (p *Platform) crons() {
	for {
		now := p.cfg.Now()
		next := now.Truncate(time.Minute).Add(time.Minute)
		t := time.NewTimer(next.Sub(now))
		select {
		case <-p.ctx.Done():
			t.Stop()
			return
		case <-t.C:
			p.fire(next)
		}
	}
}

// fire sends scheduled events for one minute. What is beyond a project's pace
// is left out: a later minute is its turn.
func (p *Platform) fire(at time.Time) {
	type trigger struct {
		project      Project
		worker, cron string
	}
	var list []trigger
	p.mu.Lock()
	for pr, d := range p.deployed {
		for _, w := range d.Workers {
			for _, c := range w.Crons {
				if CronMatches(c, at) {
					list = append(list, trigger{pr, w.Name, c})
				}
			}
		}
	}
	p.mu.Unlock()
	for _, t := range list {
		payload, err := json.Marshal(map[string]any{"cron": t.cron, "scheduledTime": at.UnixMilli()})
		if err != nil {
			continue
		}
		if wait, _ := p.early(t.project); wait > 0 {
			continue
		}
		p.mu.Lock()
		if p.ctx.Err() == nil {
			p.wg.Go(func() {
				if !p.claim(t.project, t.worker+"\n"+t.cron, at) {
					return
				}
				if _, _, err := p.invoke(Event{Project: t.project, Worker: t.worker, Type: "scheduled", Payload: payload}); err != nil && p.ctx.Err() == nil {
					p.cfg.Log.Warn("cron not run", "worker", t.worker, "error", err)
				}
			})
		}
		p.mu.Unlock()
	}
}

// claim reports whether this server fires a trigger for one minute: of all
// servers of the data, one does. The store remembers the newest minute.
func (p *Platform) claim(pr Project, trigger string, at time.Time) bool {
	ns, minute := Namespace{pr, "cron", ""}, at.UnixMilli()
	var old []byte
	last, err := p.cfg.Store.Get(p.ctx, ns, trigger)
	if err == nil && last != nil {
		old = last.Value
		if n, err := strconv.ParseInt(string(old), 10, 64); err == nil && n >= minute {
			return false
		}
	}
	mine := false
	if err == nil {
		mine, err = p.cfg.Store.Swap(p.ctx, ns, old, Change{Record: Record{Key: trigger, Value: strconv.AppendInt(nil, minute, 10), Expires: p.cfg.Now().Add(time.Hour).UnixMilli()}})
	}
	if err != nil && p.ctx.Err() == nil {
		p.cfg.Log.Error("cron not claimed", "error", err)
	}
	return mine && err == nil
}

// CronMatches reports whether a cron expression names a minute. The bundler
// has checked the expression; one that it would refuse never matches.
func CronMatches(expr string, at time.Time) bool {
	at = at.UTC()
	f := strings.Fields(strings.ToUpper(expr))
	if len(f) != 5 {
		return false
	}
	day, week := cronDay(f[2], at), cronWeek(f[4], at)
	// As in Vixie cron: when both are restricted, one of them is enough.
	days := day && week
	if !strings.HasPrefix(f[2], "*") && !strings.HasPrefix(f[4], "*") {
		days = day || week
	}
	return days && cronField(f[0], at.Minute(), 0, 59, nil) && cronField(f[1], at.Hour(), 0, 23, nil) && cronField(f[3], int(at.Month()), 1, 12, cronMonths)
}

var (
	cronMonths = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	cronDays   = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

func lastDay(at time.Time) int {
	return time.Date(at.Year(), at.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// cronDay judges the day of the month; L is the last, LW the last weekday, 15W the weekday nearest to the 15th.
func cronDay(field string, at time.Time) bool {
	for part := range strings.SplitSeq(field, ",") {
		switch {
		case part == "L":
			if at.Day() == lastDay(at) {
				return true
			}
		case part == "LW" || part == "WL":
			if at.Day() == nearestWeekday(at, lastDay(at)) {
				return true
			}
		case strings.HasSuffix(part, "W"):
			if n, err := strconv.Atoi(strings.TrimSuffix(part, "W")); err == nil && n >= 1 && n <= lastDay(at) && at.Day() == nearestWeekday(at, n) {
				return true
			}
		case cronField(part, at.Day(), 1, 31, nil):
			return true
		}
	}
	return false
}

func nearestWeekday(at time.Time, day int) int {
	switch time.Date(at.Year(), at.Month(), day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == lastDay(at) {
			return day - 2
		}
		return day + 1
	}
	return day
}

// cronWeek judges the day of the week, 1 being Sunday as on Workers; 6L is the
// last Friday, 2#1 the first Monday.
func cronWeek(field string, at time.Time) bool {
	day := int(at.Weekday()) + 1
	for part := range strings.SplitSeq(field, ",") {
		if name, nth, ok := strings.Cut(part, "#"); ok {
			if n, err := strconv.Atoi(nth); err == nil && cronField(name, day, 1, 7, cronDays) && (at.Day()-1)/7+1 == n {
				return true
			}
			continue
		}
		if name, ok := strings.CutSuffix(part, "L"); ok && name != "" {
			if cronField(name, day, 1, 7, cronDays) && at.Day()+7 > lastDay(at) {
				return true
			}
			continue
		}
		if cronField(part, day, 1, 7, cronDays) {
			return true
		}
	}
	return false
}

// cronField judges *, lists, ranges, steps and names. names count from low.
func cronField(field string, v, low, high int, names []string) bool {
	number := func(s string) (int, bool) {
		for i, n := range names {
			if s == n {
				return low + i, true
			}
		}
		n, err := strconv.Atoi(s)
		return n, err == nil && n >= low && n <= high
	}
	for part := range strings.SplitSeq(field, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			n, err := strconv.Atoi(stepText)
			if err != nil || n <= 0 {
				continue
			}
			step = n
		}
		from, to := low, high
		if span != "*" {
			a, b, ranged := strings.Cut(span, "-")
			var ok bool
			if from, ok = number(a); !ok {
				continue
			}
			switch {
			case ranged:
				if to, ok = number(b); !ok {
					continue
				}
			case !stepped:
				to = from
			}
		}
		if v >= from && v <= to && (v-from)%step == 0 {
			return true
		}
	}
	return false
}
