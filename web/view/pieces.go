package view

import (
	"encoding/json"
	"html"
	"math"
	"regexp"
	"strconv"

	"coldstart/sandbox/trace"
)

type temp = trace.Temperature

func pieceKind(q Question) string {
	if q.Quiz {
		return "quiz"
	}
	return "predict"
}

func pieceName(q Question) string {
	if q.Quiz {
		return "Quiz"
	}
	return "Predict"
}

// pieceHow says how a question wants to be answered.
func pieceHow(q Question) string {
	switch {
	case q.Answered && !q.Quiz:
		return "answered"
	case q.Answered && q.Right:
		return "right"
	case q.Answered:
		return "not yet"
	case q.Kind == Order:
		return "put them in order"
	case q.Kind == Match:
		return "one for each"
	case q.Kind == Number || q.Kind == Mark:
		return "one figure"
	case q.Multiple:
		return "all that apply"
	}
	return "one answer"
}

func choiceType(q Question) string {
	if q.Multiple {
		return "checkbox"
	}
	return "radio"
}

func choiceClass(o Option) string {
	switch o.Verdict {
	case "right":
		return "choice-right"
	case "wrong":
		return "choice-wrong"
	}
	return ""
}

func rightness(q Question) string {
	if q.Right {
		return "right"
	}
	return "wrong"
}

func optionValue(o Option, i int) string {
	if o.Value != "" {
		return o.Value
	}
	return strconv.Itoa(i)
}

func field(q Question, i int) string { return q.ID + "-" + strconv.Itoa(i) }

// bound writes an end of an axis: 100,000.
func bound(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return grouped(int(f))
	}
	return decimal(f)
}

// measured writes a figure with three digits that count: 0.382, 12.4, 1,230.
func measured(f float64) string {
	if math.Abs(f) >= 100 {
		return grouped(int(math.Round(f)))
	}
	return strconv.FormatFloat(f, 'g', 3, 64)
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func escape(s string) string { return html.EscapeString(s) }

// jsonText is a lab's settings for its script; equal settings give equal text.
func jsonText(settings map[string]string) string {
	data, err := json.Marshal(settings)
	if err != nil || len(settings) == 0 {
		return "{}"
	}
	return string(data)
}

// numberLabel says what figure is wanted, and between which bounds.
func numberLabel(q Question) string {
	label := "Your figure"
	if q.Axis != "" {
		label = capital(q.Axis)
	}
	if q.Max > q.Min {
		label += ", " + bound(q.Min) + " to " + bound(q.Max)
	}
	return label
}

var tag = regexp.MustCompile(`<[^>]*>`)

// plain is markup as text, for places that hold no markup.
func plain(h HTML) string { return html.UnescapeString(tag.ReplaceAllString(string(h), "")) }

func taskMessage(t Task) string {
	switch {
	case t.Message != "":
		return t.Message
	case t.State == CheckPassed:
		return "Passed."
	case t.State == CheckRunning:
		return "Checking."
	case t.State == CheckFailed:
		return "Not yet."
	}
	return "Not checked yet."
}
