package view

import (
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"
	"time"

	"coldstart/sandbox/trace"
)

// The figures read as web/client/_format.ts writes them: what the server
// rendered and what the script draws later must look the same.

// Duration writes microseconds as a person reads them: "38 µs", "10.61 ms", "2.40 s", "3 min".
func Duration(us int64) string {
	ms := float64(us) / 1000
	switch {
	case us < 1000:
		return fmt.Sprintf("%d µs", us)
	case ms < 100:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.2f s", ms/1000)
	case ms < 120_000:
		return fmt.Sprintf("%.0f s", ms/1000)
	}
	return fmt.Sprintf("%.0f min", ms/60_000)
}

// limit writes a round duration without decimals: "50 ms".
func limit(us int64) string { return strings.Replace(Duration(us), ".00 ", " ", 1) }

// size writes a number of bytes in steps of 1024: "2 B", "372 kB", "32 MB".
func size(n int64) string {
	switch {
	case n < 1024:
		return fmt.Sprintf("%d B", n)
	case n < 10_240:
		return fmt.Sprintf("%.1f kB", float64(n)/1024)
	case n < 1<<20:
		return fmt.Sprintf("%.0f kB", float64(n)/1024)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/(1<<20)), ".0") + " MB"
}

// count writes "1 line", "2 lines", "1,024 pages".
func count(n int, noun string) string { return grouped(n) + " " + plural(n, noun) }

// plural is the noun alone, as it stands behind a figure.
func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// grouped writes an integer with commas: 50,000.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// ordinal writes "4th".
func ordinal(n int) string {
	end := "th"
	if tens := n % 100; tens < 11 || tens > 13 {
		switch n % 10 {
		case 1:
			end = "st"
		case 2:
			end = "nd"
		case 3:
			end = "rd"
		}
	}
	return strconv.Itoa(n) + end
}

// minutes writes "9 min" or "1 h 56 min".
func minutes(n int) string {
	if n < 60 {
		return fmt.Sprintf("%d min", n)
	}
	return fmt.Sprintf("%d h %02d min", n/60, n%60)
}

// ago writes how long since: "just now", "3 minutes ago".
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return count(int(d.Minutes()), "minute") + " ago"
	case d < 48*time.Hour:
		return count(int(d.Hours()), "hour") + " ago"
	}
	return count(int(d.Hours()/24), "day") + " ago"
}

// place writes a frame as people do: src/index.ts:17:40.
func place(f trace.Frame) string {
	s := f.File
	if f.Line > 0 {
		s += ":" + strconv.Itoa(f.Line)
		if f.Column > 0 {
			s += ":" + strconv.Itoa(f.Column)
		}
	}
	return s
}

// short writes the last part of a frame's file with its line: index.ts:17.
func short(f trace.Frame) string {
	s := path.Base(f.File)
	if f.Line > 0 {
		s += ":" + strconv.Itoa(f.Line)
	}
	return s
}

// percent writes a fraction as an SVG length: 0.5446 is "54.46%".
func percent(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		f = 0
	}
	s := strconv.FormatFloat(f*100, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + "%"
}

// times writes how many times faster a is than b: "10.8", "3", "250".
func times(slow, fast int64) string {
	f := float64(slow) / float64(max(fast, 1))
	if f >= 100 {
		return fmt.Sprintf("%.0f", f)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0")
}
