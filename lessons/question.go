package lessons

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The kinds of question.
const (
	Choice = "choice" // pick one, or several when Multiple
	Order  = "order"  // put the options in order
	Match  = "match"  // give each option its partner
	Number = "number" // a figure, within Tolerance
	Mark   = "mark"   // a point on an axis, within Tolerance
)

var questionKinds = []string{Choice, Order, Match, Number, Mark}

// Question is a predict or a quiz.
type Question struct {
	ID       string // within the lesson: its id= or predict-1, quiz-2
	Predict  bool   // a predict locks results until it is answered or skipped
	Kind     string
	Multiple bool // choice: more than one option is right
	Ask      HTML
	Options  []Option // choice: as written; order: in the right order; match: the left sides
	Partners []HTML   // match: the right sides, without repeats, in order of first use
	Right    float64  // number, mark
	Within   float64  // number, mark: the answer may be off by this much
	Unit     string   // number, mark
	Measure  string   // number, mark: the right answer is this figure of the learner's own run; Right is then unset
	Relative bool     // Within is a fraction of the right answer
	From, To float64  // mark: the axis
	Log      bool     // mark: the axis is logarithmic
	Axis     string   // mark: its name
	Why      HTML     // shown once answered
	Line     int
}

// Option is one line to choose, order or match.
type Option struct {
	HTML    HTML
	Right   bool // choice
	Partner int  // match: index into Partners
	Why     HTML // choice: shown when it was chosen, or once answered
	Line    int
}

// grouping takes out what people put between the digits of a long number.
var grouping = strings.NewReplacer(",", "", " ", "", "_", "", "\u00a0", "", "\u202f", "")

// Grade is the judgement of one answer.
type Grade struct {
	Right bool
	Parts []bool  // per option: choice, was its state right; order and match, is it in its place
	Known bool    // false: number or mark that needs a measured figure which is not there yet
	Want  float64 // number and mark: the figure that the answer was compared with
}

// Grade judges an answer as a form posts it. choice: the chosen options'
// indexes. order: option indexes in the learner's order. match: one partner
// index per option. number and mark: one decimal number. measured looks up a
// figure of the learner's own run and may be nil. A malformed answer is an error.
func (q *Question) Grade(answer []string, measured func(string) (float64, bool)) (Grade, error) {
	g := Grade{Known: true, Right: true}
	switch q.Kind {
	case Number, Mark:
		if len(answer) != 1 {
			return g, fmt.Errorf("question %s takes one number", q.ID)
		}
		v, err := strconv.ParseFloat(grouping.Replace(answer[0]), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return g, fmt.Errorf("%q is not a number", answer[0])
		}
		right := q.Right
		if q.Measure != "" {
			ok := false
			if measured != nil {
				right, ok = measured(q.Measure)
			}
			if !ok {
				return Grade{}, nil
			}
		}
		within := q.Within
		if q.Relative {
			within *= math.Abs(right)
		}
		g.Want = right
		g.Right = math.Abs(v-right) <= within*(1+1e-9)+1e-12
		return g, nil
	}
	picks := make([]int, len(answer))
	for i, a := range answer {
		n, err := strconv.Atoi(a)
		limit := len(q.Options)
		if q.Kind == Match {
			limit = len(q.Partners)
		}
		if err != nil || n < 0 || n >= limit {
			return g, fmt.Errorf("question %s has no option %q", q.ID, a)
		}
		picks[i] = n
	}
	g.Parts = make([]bool, len(q.Options))
	switch q.Kind {
	case Choice:
		chosen := map[int]bool{}
		for _, p := range picks {
			chosen[p] = true
		}
		for i, o := range q.Options {
			g.Parts[i] = chosen[i] == o.Right
		}
	case Order, Match:
		if len(picks) != len(q.Options) {
			return g, fmt.Errorf("question %s takes %d answers, not %d", q.ID, len(q.Options), len(picks))
		}
		for i, o := range q.Options {
			want := i
			if q.Kind == Match {
				want = o.Partner
			}
			g.Parts[i] = picks[i] == want
		}
	}
	for _, ok := range g.Parts {
		g.Right = g.Right && ok
	}
	return g, nil
}

// Shown lists the indexes of Options in the order in which a page shows them
// at first: as written for choice and match, shuffled the same way every time
// for order, never in the right order.
func (q *Question) Shown() []int {
	idx := make([]int, len(q.Options))
	for i := range idx {
		idx[i] = i
	}
	if q.Kind != Order || len(idx) < 2 {
		return idx
	}
	h := fnv.New32a()
	fmt.Fprint(h, q.ID, len(idx), q.Ask)
	state := h.Sum32() | 1
	for i := len(idx) - 1; i > 0; i-- {
		state ^= state << 13
		state ^= state >> 17
		state ^= state << 5
		j := int(state % uint32(i+1))
		idx[i], idx[j] = idx[j], idx[i]
	}
	for i, v := range idx {
		if i != v {
			return idx
		}
	}
	idx[0], idx[1] = idx[1], idx[0]
	return idx
}

var (
	boxItem   = regexp.MustCompile(`(?:^|[ \t]{2,})- \[([ xX])\][ \t]+`)
	orderItem = regexp.MustCompile(`^\d{1,2}[.)][ \t]+(.+)$`)
	matchItem = regexp.MustCompile(`^- (.+?)[ \t]+=>[ \t]+(.+)$`)
	rightLine = regexp.MustCompile(`^=[ \t]*(.+)$`)
	figure    = regexp.MustCompile(`^([-+]?[0-9][0-9_,]*(?:\.[0-9]+)?(?:[eE][-+]?\d{1,3})?|\{[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+\})(?:[ \t]*(?:±|\+-)[ \t]*([0-9.]+(?:[eE][-+]?\d{1,3})?)(%?))?[ \t]*(.*)$`)
)

// question reads what stands between the markers.
func (d *document) question(s section) *Question {
	q := &Question{Predict: s.kind == "predict", Kind: Choice, Line: s.line, From: 0, To: 100}
	for _, name := range slices.Sorted(maps.Keys(s.args)) {
		if known := []string{"kind", "id", "axis", "from", "to", "scale"}; !contains(known, name) {
			d.problem(s.line, 1, "E023", "%s has no setting %q%s", s.kind, name, meant(name, known))
		}
	}
	if k, ok := s.args["kind"]; ok {
		q.Kind = k
	}
	if !contains(questionKinds, q.Kind) {
		d.problem(s.line, 1, "E023", "%s has no kind %q%s", s.kind, q.Kind, meant(q.Kind, questionKinds))
		q.Kind = Choice
	}
	d.count[s.kind]++
	q.ID = fmt.Sprintf("%s-%d", s.kind, d.count[s.kind])
	if id := s.args["id"]; id != "" {
		q.ID = id
	}
	var ask, why []string
	askLine, last, answered := s.first, -1, false
	for i, l := range s.body {
		at := s.first + i
		trimmed := strings.TrimSpace(l)
		indented := strings.HasPrefix(l, "  ") || strings.HasPrefix(l, "\t")
		switch {
		case q.Kind == Choice && !indented && boxItem.MatchString(l):
			marks := boxItem.FindAllStringSubmatchIndex(l, -1)
			for j, m := range marks {
				end := len(l)
				if j+1 < len(marks) {
					end = marks[j+1][0]
				}
				q.Options = append(q.Options, Option{HTML: d.inline(l[m[1]:end], at), Right: l[m[2]] != ' ', Line: at})
			}
			last = len(q.Options) - 1
		case q.Kind == Order && !indented && orderItem.MatchString(l):
			q.Options = append(q.Options, Option{HTML: d.inline(orderItem.FindStringSubmatch(l)[1], at), Line: at})
			last = len(q.Options) - 1
		case q.Kind == Match && !indented && matchItem.MatchString(l):
			m := matchItem.FindStringSubmatch(l)
			right, p := d.inline(m[2], at), -1
			for j, have := range q.Partners {
				if have == right {
					p = j
				}
			}
			if p < 0 {
				p, q.Partners = len(q.Partners), append(q.Partners, right)
			}
			q.Options = append(q.Options, Option{HTML: d.inline(m[1], at), Partner: p, Line: at})
			last = len(q.Options) - 1
		case (q.Kind == Number || q.Kind == Mark) && rightLine.MatchString(trimmed) && !answered:
			answered = d.figure(q, rightLine.FindStringSubmatch(trimmed)[1], at)
		case strings.HasPrefix(trimmed, ">"):
			text := strings.TrimSpace(strings.TrimPrefix(trimmed, ">"))
			if indented && last >= 0 {
				o := &q.Options[last]
				if o.Why != "" {
					o.Why += " "
				}
				o.Why += d.inline(text, at)
			} else {
				why = append(why, text)
			}
		case trimmed != "" && indented && last >= 0:
			q.Options[last].HTML += HTML(" ") + d.inline(trimmed, at)
		default:
			ask = append(ask, l)
		}
	}
	q.Ask = d.block(strings.Join(ask, "\n"), askLine)
	if len(why) > 0 {
		q.Why = d.inline(strings.Join(why, " "), s.line)
	}
	d.judge(q, s, answered)
	return q
}

// figure reads `VALUE ± TOLERANCE UNIT`.
func (d *document) figure(q *Question, s string, line int) bool {
	m := figure.FindStringSubmatch(s)
	if m == nil {
		d.problem(line, 1, "E023", "%q is not an answer; write `= 400 ± 20%%` or `= {iso.each} ± 20%%`", s)
		return true
	}
	if strings.HasPrefix(m[1], "{") {
		q.Measure = strings.Trim(m[1], "{}")
	} else {
		q.Right, _ = strconv.ParseFloat(strings.NewReplacer("_", "", ",", "").Replace(m[1]), 64)
	}
	if m[2] != "" {
		q.Within, _ = strconv.ParseFloat(m[2], 64)
		if m[3] == "%" {
			q.Within, q.Relative = q.Within/100, true
		}
	}
	q.Unit = m[4]
	return true
}

// judge reports what a question lacks.
func (d *document) judge(q *Question, s section, answered bool) {
	switch q.Kind {
	case Choice:
		right := 0
		for _, o := range q.Options {
			if o.Right {
				right++
			} else if o.Why == "" && !q.Predict {
				d.problem(o.Line, 1, "W021", "wrong answer without explanation; add `  > why` under it")
			}
		}
		q.Multiple = right > 1
		switch {
		case right == 0:
			d.problem(s.line, 1, "E020", "%s has no right answer; mark one \"- [x]\"", s.kind)
		case len(q.Options) == 1:
			d.problem(s.line, 1, "E020", "%s has nothing to choose from; write at least two answers, a line each", s.kind)
		}
	case Order:
		if len(q.Options) < 2 {
			d.problem(s.line, 1, "E020", "%s has nothing to order; write at least two lines `1. …`, in the right order", s.kind)
		}
	case Match:
		if len(q.Partners) < 2 {
			d.problem(s.line, 1, "E020", "%s has nothing to match; write lines `- left => right` with at least two different right sides", s.kind)
		}
	case Number, Mark:
		if !answered {
			d.problem(s.line, 1, "E020", "%s has no right answer; add a line `= 400 ± 20%%`", s.kind)
		}
	}
	if q.Kind == Mark {
		q.Axis = s.args["axis"]
		q.Log = s.args["scale"] == "log"
		var err1, err2 error
		q.From, err1 = strconv.ParseFloat(s.args["from"], 64)
		q.To, err2 = strconv.ParseFloat(s.args["to"], 64)
		if err1 != nil || err2 != nil || q.From >= q.To || q.Log && q.From <= 0 {
			d.problem(s.line, 1, "E023", "mark needs an axis: from= and to= as numbers, from below to (above 0 with scale=log)")
			q.From, q.To, q.Log = 0, 100, false
		}
	}
	if strings.TrimSpace(string(q.Ask)) == "" {
		d.problem(s.line, 1, "E023", "%s asks nothing; write the question above the answers", s.kind)
	}
}
