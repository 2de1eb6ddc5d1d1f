package view

import "fmt"

// Dialects is what the dialects lab shows.
type Dialects struct {
	Request string // the one that all five got
	Body    string
	Own     bool // there are answers of the learner's Workers
	Rows    []Dialect
	How     string
}

// Dialect is one provider's accent.
type Dialect struct {
	Key, Name   string
	Shape       string // of its handler
	Method      string // where the method is
	Login       string // where user and pass are
	Returns     string // what the handler gives back
	Given, Back string // what it got and gave, as JSON
	Source      string
	Lab, Mine   DialectAnswer
}

// DialectAnswer is what came back over HTTP; Took in µs.
type DialectAnswer struct {
	Status int // 0 for none
	Body   string
	Failed bool
	Took   int64
	Cold   bool
}

func (a DialectAnswer) said() string {
	if a.Status == 0 {
		return dash(a.Body)
	}
	return fmt.Sprintf("%d %s", a.Status, a.Body)
}

// took says how long it was, and how it began.
func (a DialectAnswer) took() string {
	switch {
	case a.Took == 0:
		return "–"
	case a.Cold:
		return Duration(a.Took) + " cold"
	}
	return Duration(a.Took) + " warm"
}

// agree says whether all answers of the learner's, or of the lab's, are alike.
func (d Dialects) agree() string {
	alike := func(of func(Dialect) DialectAnswer) bool {
		for _, r := range d.Rows[1:] {
			if a, b := of(d.Rows[0]), of(r); a.Status != b.Status || a.Body != b.Body || a.Failed || b.Failed {
				return false
			}
		}
		return true
	}
	switch {
	case d.Request == "" || len(d.Rows) == 0:
		return "The same request goes to each; its answers stand here side by side."
	case !d.Own && alike(func(r Dialect) DialectAnswer { return r.Lab }):
		return "Five accents, one answer: the login is the same file in all of them."
	case !d.Own:
		return "The answers differ."
	case alike(func(r Dialect) DialectAnswer { return r.Mine }):
		return "Your five answer alike."
	}
	return "Your five do not answer alike yet."
}
