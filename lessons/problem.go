package lessons

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one finding in a lessons folder. Codes that begin with E are
// errors, with W warnings.
type Problem struct {
	File    string `json:"file"` // slash-separated, within the lessons folder
	Line    int    `json:"line"`
	Column  int    `json:"column,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"` // what is wrong and what to do, one sentence
}

// String is the problem as the terminal shows it: file:line:col CODE message.
func (p Problem) String() string {
	at := fmt.Sprintf("%s:%d", p.File, p.Line)
	if p.Column > 0 {
		at += fmt.Sprintf(":%d", p.Column)
	}
	return at + " " + p.Code + " " + p.Message
}

// Error reports whether the problem must be fixed.
func (p Problem) Error() bool { return strings.HasPrefix(p.Code, "E") }

// SortProblems orders problems by file, line, column and code.
func SortProblems(ps []Problem) {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Code, b.Code))
	})
}

// near finds the word that was probably meant: the closest by edit distance,
// "" when nothing is close.
func near(word string, known []string) string {
	best, at := "", max(2, len(word)/3)+1
	for _, k := range known {
		if len(word) > 2 && strings.HasPrefix(k, word+"_") {
			return k // a unit was left out
		}
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < at {
			best, at = k, d
		}
	}
	return best
}

// distance is the optimal string alignment distance: insertions, deletions,
// substitutions and swaps of neighbours. Inputs beyond 64 bytes count as far.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	var rows [3][65]int
	prev2, prev, cur := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}

// meant completes a message with the word that was probably meant.
func meant(word string, known []string) string {
	if n := near(word, known); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}
