package lessons

import (
	"cmp"
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Found is what a search gives.
type Found struct {
	Hits []Hit  // best first
	Near string // without hits: the known word that the query is most like, "" for none
}

// Hit is one lesson or term that fits a query.
type Hit struct {
	Kind  string // lesson, challenge or term
	Title string
	Href  string
	Where string // its track, "Glossary" for terms
	Text  string // its summary, plain
}

// MaxQuery is the longest text that a search looks at, in bytes.
const MaxQuery = 100

// Weights of where a word stands: one in a title counts as much as many in the text.
const (
	inTitle   = 40
	inSummary = 12
	inHeading = 8
	inText    = 1
)

// index finds lessons and terms by the words in them.
type index struct {
	hits  []Hit
	words map[string]map[int]int // word to hit to weight
	list  []string               // every word, sorted
}

func newIndex(c *Catalog) *index {
	x := &index{words: map[string]map[int]int{}}
	for _, l := range c.Lessons() {
		n := len(x.hits)
		x.hits = append(x.hits, Hit{Kind: l.Kind, Title: l.Title, Href: l.URL(), Where: l.Track.Title, Text: l.Summary})
		x.add(n, l.Title+" "+l.ID, inTitle)
		x.add(n, l.Summary, inSummary)
		for _, p := range l.Pieces {
			switch p.Kind {
			case PieceProse:
				x.add(n, plainText(p.HTML), inText)
			case PieceTask:
				x.add(n, plainText(p.Task.Title), inHeading)
				x.add(n, plainText(p.Task.Body), inText)
			case PieceQuestion:
				x.add(n, plainText(p.Question.Ask), inText)
			case PieceLab:
				x.add(n, p.Lab.Name, inHeading)
			case PieceHint: // a search does not give hints away
			}
		}
	}
	x.sort()
	return x
}

// terms adds the glossary.
func (x *index) terms(ts []Term) {
	for _, t := range ts {
		n := len(x.hits)
		text := plainText(t.HTML)
		x.hits = append(x.hits, Hit{Kind: "term", Title: t.Name, Href: t.Href(), Where: "Glossary", Text: text})
		x.add(n, t.Name, inTitle)
		x.add(n, text, inText)
	}
	x.sort()
}

func (x *index) sort() {
	x.list = x.list[:0]
	for w := range x.words {
		x.list = append(x.list, w)
	}
	slices.Sort(x.list)
}

func (x *index) add(hit int, text string, weight int) {
	for _, w := range wordsOf(text) {
		if x.words[w] == nil {
			x.words[w] = map[int]int{}
		}
		x.words[w][hit] += weight
	}
}

// wordsOf are the words of a text in small letters, those joined by hyphens also in parts.
func wordsOf(text string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(w) <= 40 {
			out = append(out, w)
		}
	}
	return out
}

var tagForm = regexp.MustCompile(`<[^>]*>`)

func plainText(h HTML) string { return html.UnescapeString(tagForm.ReplaceAllString(string(h), " ")) }

// Search finds the lessons and terms in which every word of the query begins
// some word, best first. It looks at the first
// MaxQuery bytes and eight words.
func (c *Catalog) Search(query string) Found {
	if c.index == nil {
		return Found{}
	}
	asked := wordsOf(query[:min(len(query), MaxQuery)])
	asked = asked[:min(len(asked), 8)]
	if len(asked) == 0 {
		return Found{}
	}
	var score map[int]int
	for _, w := range asked {
		fits := c.index.begin(w)
		if score == nil {
			score = fits
			continue
		}
		for hit := range score {
			if fits[hit] == 0 {
				delete(score, hit)
			} else {
				score[hit] += fits[hit]
			}
		}
	}
	var order []int
	for hit := range score {
		order = append(order, hit)
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(score[b]-score[a], a-b) })
	var f Found
	for _, hit := range order {
		f.Hits = append(f.Hits, c.index.hits[hit])
	}
	if len(f.Hits) == 0 {
		f.Near = c.index.near(asked)
	}
	return f
}

// begin are the hits with a word that begins with w; the whole word counts twice.
func (x *index) begin(w string) map[int]int {
	fits := map[int]int{}
	i, _ := slices.BinarySearch(x.list, w)
	for ; i < len(x.list) && strings.HasPrefix(x.list[i], w); i++ {
		for hit, weight := range x.words[x.list[i]] {
			if x.list[i] == w {
				weight *= 2
			}
			fits[hit] += weight
		}
	}
	return fits
}

// near replaces each unknown word by the known one that is most like it; ""
// when one has none, or when that finds nothing either.
func (x *index) near(asked []string) string {
	out := slices.Clone(asked)
	for i, w := range asked {
		if len(x.begin(w)) > 0 {
			continue
		}
		best, least := "", min(2, len(w)/3)+1
		for _, known := range x.list {
			if len(known) < 3 || len(known) > len(w)+2 || len(w) > len(known)+2 {
				continue
			}
			d := distance(w, known)
			if d < least || d == least && best != "" && x.weight(known) > x.weight(best) {
				best, least = known, d
			}
		}
		if best == "" {
			return ""
		}
		out[i] = best
	}
	if slices.Equal(out, asked) {
		return ""
	}
	return strings.Join(out, " ")
}

func (x *index) weight(w string) (sum int) {
	for _, n := range x.words[w] {
		sum += n
	}
	return sum
}
