package bundle

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// cronField is one of the five fields, with the names that may stand for numbers.
type cronField struct {
	name      string
	low, high int
	names     []string // names[i] means low+i
	marks     string   // letters that may end an item: L, W, # with a number
}

var cronFields = [5]cronField{
	{name: "minute", low: 0, high: 59},
	{name: "hour", low: 0, high: 23},
	{name: "day", low: 1, high: 31, marks: "LW"},
	{name: "month", low: 1, high: 12, names: strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")},
	{name: "weekday", low: 1, high: 7, names: strings.Fields("SUN MON TUE WED THU FRI SAT"), marks: "L#"},
}

// checkCron checks a cron expression of five fields as Workers read them:
// weekdays run from 1 (Sunday) to 7, "L" is the last, "15W" the weekday nearest
// the 15th, "6#2" the second Friday. The error ends a sentence.
func checkCron(s string) error {
	parts := strings.Fields(s)
	if len(s) > 200 {
		return errors.New("is too long")
	}
	if len(parts) != 5 {
		return fmt.Errorf("has %d fields instead of 5", len(parts))
	}
	for i, part := range parts {
		for item := range strings.SplitSeq(part, ",") {
			if err := cronFields[i].check(strings.ToUpper(item)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f cronField) check(item string) error {
	bad := func(why string) error { return fmt.Errorf("has the %s %q, %s", f.name, item, why) }
	body, step, stepped := strings.Cut(item, "/")
	if stepped {
		n, err := strconv.Atoi(step)
		if err != nil || n < 1 || n > f.high {
			return bad(fmt.Sprintf("whose step is not from 1 to %d", f.high))
		}
	}
	if body == "*" || f.marks != "" && (body == "L" || body == "?") || f.marks == "LW" && body == "LW" {
		return nil
	}
	if strings.Contains(f.marks, "#") {
		if day, nth, ok := strings.Cut(body, "#"); ok {
			if n, err := strconv.Atoi(nth); err != nil || n < 1 || n > 5 {
				return bad("whose # is not followed by 1 to 5")
			}
			body = day
		} else if day, ok := strings.CutSuffix(body, "L"); ok {
			body = day
		}
	}
	if strings.Contains(f.marks, "W") {
		body = strings.TrimSuffix(body, "W")
	}
	from, to, ranged := strings.Cut(body, "-")
	low, ok := f.number(from)
	if !ok {
		return bad(fmt.Sprintf("which is not from %d to %d", f.low, f.high))
	}
	if !ranged {
		return nil
	}
	high, ok := f.number(to)
	if !ok {
		return bad(fmt.Sprintf("which is not from %d to %d", f.low, f.high))
	}
	if high < low {
		return bad("whose range runs backwards")
	}
	return nil
}

func (f cronField) number(s string) (int, bool) {
	for i, name := range f.names {
		if s == name {
			return f.low + i, true
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= f.low && n <= f.high && s[0] != '+' && s[0] != '-'
}
