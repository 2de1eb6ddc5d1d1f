package lessons

import (
	"cmp"
	"fmt"
	"html"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Term is one word of the glossary.
type Term struct {
	ID   string // of its place on the glossary page, from the English word
	Name string
	Lang string  // of Name and HTML: what a glossary in another language lacks stays "en"
	HTML HTML    // one or two sentences
	See  *Lesson // where it is taught; nil when that lesson is not there
}

// Href is the term's place on the glossary page.
func (t Term) Href() string { return "/glossary#" + t.ID }

// termEntry is a term as glossary.yaml writes it, or what a translation's
// glossary says instead.
type termEntry struct {
	Term string   `yaml:"term"` // the English word, in every language's glossary
	Is   string   `yaml:"is"`   // in a translation: the word in that language; "" when it is the English one
	Text string   `yaml:"text"`
	Also []string `yaml:"also"`
	Mark *bool    `yaml:"mark"` // false: not marked in lessons
	See  string   `yaml:"see"`
}

var (
	notID        = regexp.MustCompile(`[^a-z0-9]+`)
	glossaryForm = regexp.MustCompile(`^glossary\.([a-z]{2,3}(?:-[A-Z]{2})?)\.yaml$`)
)

// glossary reads glossary.yaml, a list of terms, and glossary.<lang>.yaml beside
// it, and marks the first mention of each term in every text.
func (l *loader) glossary() {
	english := glossary{byID: map[string]int{}, forms: map[string]Term{}}
	l.terms("glossary.yaml", &english)
	if len(english.terms) == 0 {
		return
	}
	l.cat.glossaries = map[string][]Term{"en": english.sorted()}
	l.cat.Glossary = l.cat.glossaries["en"]
	markers := map[string]*termMarker{"en": newTermMarker("en", english.forms)}
	entries, err := fs.ReadDir(l.fsys, ".")
	if err != nil {
		entries = nil // the tracks could be read; the problem would be reported there
	}
	for _, e := range entries {
		if m := glossaryForm.FindStringSubmatch(e.Name()); m != nil {
			other := glossary{lang: m[1], terms: slices.Clone(english.terms), byID: maps.Clone(english.byID), forms: maps.Clone(english.forms)}
			l.terms(e.Name(), &other)
			l.cat.glossaries[m[1]] = other.sorted()
			markers[m[1]] = newTermMarker(m[1], other.forms)
		}
	}
	l.cat.around.markers = markers
	for _, ls := range l.cat.Lessons() {
		mark(markers, ls)
	}
}

// mark marks terms in a lesson's texts, in each with the glossary of its
// language. English cards are better than none.
func mark(markers map[string]*termMarker, ls *Lesson) {
	one := func(t *Text) {
		known := cmp.Or(markers[t.Lang], markers["en"])
		if known == nil {
			return // there is no glossary
		}
		m := *known
		m.lang = t.Lang
		m.text(t)
	}
	one(&ls.Text)
	for _, t := range ls.Translations {
		one(t)
	}
}

// GlossaryIn is the glossary in the first of the wanted languages that exists,
// else in English, and its language.
func (c *Catalog) GlossaryIn(langs ...string) (terms []Term, lang string) {
	for _, tag := range langs {
		base, _, _ := strings.Cut(tag, "-")
		for _, t := range []string{tag, base} {
			if terms := c.glossaries[t]; terms != nil {
				return terms, t
			}
		}
	}
	return c.Glossary, "en"
}

// glossary is one language's terms while they are read.
type glossary struct {
	lang  string // "" for English
	terms []Term
	byID  map[string]int  // index into terms
	forms map[string]Term // by lower-case form; terms that are not marked have none
}

func (g glossary) sorted() []Term {
	return slices.SortedFunc(slices.Values(g.terms), func(a, b Term) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
}

// terms reads one file into g.
func (l *loader) terms(file string, g *glossary) {
	src, ok := l.read(file)
	if !ok {
		return
	}
	var entries []yaml.Node
	if err := yaml.Unmarshal([]byte(src), &entries); err != nil {
		l.add(file, 1, 1, "E005", "not a YAML list of { term, text, also, mark, see }")
		return
	}
	seen := map[string]bool{}
	for _, n := range entries {
		var e termEntry
		if hasAlias(&n) || n.Decode(&e) != nil || e.Term == "" || e.Text == "" || len(e.Text) > 400 || len(e.Also) > 20 || g.lang == "" && e.Is != "" {
			l.add(file, n.Line, n.Column, "E005", "a term is written { term, text, also, mark, see }, in a translation with `is` for its word, and with a text of at most 400 bytes")
			continue
		}
		t := Term{ID: strings.Trim(notID.ReplaceAllString(strings.ToLower(e.Term), "-"), "-"), Name: cmp.Or(e.Is, e.Term), Lang: cmp.Or(g.lang, "en"), HTML: termText(e.Text), See: l.cat.byID[e.See]}
		if t.ID == "" || seen[t.ID] {
			l.add(file, n.Line, n.Column, "E002", "the term %q is there twice", e.Term)
			continue
		}
		seen[t.ID] = true
		at, known := g.byID[t.ID]
		switch {
		case g.lang == "":
			g.byID[t.ID] = len(g.terms)
			g.terms = append(g.terms, t)
		case !known:
			l.add(file, n.Line, n.Column, "E005", "the term %q is not in glossary.yaml; write the English word, and this language's as `is`", e.Term)
			continue
		default:
			t.See = g.terms[at].See
			g.terms[at] = t
			for form, of := range g.forms {
				if of.ID == t.ID {
					g.forms[form] = t
				}
			}
		}
		if e.Mark == nil || *e.Mark {
			for _, form := range append(e.Also, t.Name) {
				g.forms[strings.ToLower(form)] = t
			}
		}
	}
}

// termText is a definition's text; `code` is its only markup.
func termText(s string) HTML {
	var b strings.Builder
	for i, part := range strings.Split(s, "`") {
		if i%2 == 1 {
			b.WriteString("<code>" + html.EscapeString(part) + "</code>")
		} else {
			b.WriteString(html.EscapeString(part))
		}
	}
	return HTML(b.String())
}

// termMarker finds terms in a lesson's markup.
type termMarker struct {
	lang  string // of the texts
	forms map[string]Term
	words *regexp.Regexp // any form, longest first
	used  map[string]bool
}

func newTermMarker(lang string, forms map[string]Term) *termMarker {
	var names []string
	for f := range forms {
		names = append(names, regexp.QuoteMeta(html.EscapeString(f)))
	}
	slices.SortFunc(names, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return &termMarker{lang: lang, forms: forms, words: regexp.MustCompile(`(?i)` + strings.Join(names, "|"))}
}

// text marks the first mention of each term in the prose and the tasks.
func (m *termMarker) text(t *Text) {
	if len(m.forms) == 0 {
		return
	}
	m.used = map[string]bool{}
	for i := range t.Pieces {
		switch p := &t.Pieces[i]; p.Kind {
		case PieceProse:
			p.HTML = m.mark(p.HTML)
		case PieceTask:
			p.Task.Body = m.mark(p.Task.Body)
		}
	}
}

// unmarked are the elements whose text stays as it is.
var unmarked = map[string]bool{"a": true, "code": true, "pre": true, "h1": true, "h2": true, "h3": true, "h4": true, "b": true, "th": true, "summary": true, "button": true, "svg": true, "kbd": true}

// mark walks over markup of ours: tags are well formed.
func (m *termMarker) mark(h HTML) HTML {
	var out strings.Builder
	rest, inside := string(h), 0
	for rest != "" {
		i := strings.IndexByte(rest, '<')
		text := rest
		if i >= 0 {
			text = rest[:i]
		}
		if inside == 0 {
			text = m.plain(text)
		}
		out.WriteString(text)
		if i < 0 {
			break
		}
		end := strings.IndexByte(rest[i:], '>')
		if end < 0 {
			out.WriteString(rest[i:])
			break
		}
		tag := rest[i : i+end+1]
		out.WriteString(tag)
		rest = rest[i+end+1:]
		name := strings.TrimFunc(tag, func(r rune) bool { return r == '<' || r == '/' || r == '>' })
		name, _, _ = strings.Cut(name, " ")
		if unmarked[name] {
			switch {
			case strings.HasPrefix(tag, "</"):
				inside = max(0, inside-1)
			case !strings.HasSuffix(tag, "/>"):
				inside++
			}
		}
	}
	return HTML(out.String())
}

// plain marks terms in text between tags.
func (m *termMarker) plain(s string) string {
	var out strings.Builder
	last := 0
	for _, at := range m.words.FindAllStringIndex(s, -1) {
		t := m.forms[strings.ToLower(html.UnescapeString(s[at[0]:at[1]]))]
		if t.ID == "" || m.used[t.ID] || !edge(s, at[0], at[1]) {
			continue
		}
		m.used[t.ID] = true
		out.WriteString(s[last:at[0]])
		lang := ""
		if t.Lang != m.lang {
			lang = ` lang="` + t.Lang + `"`
		}
		fmt.Fprintf(&out, `<span class="term"><a href="%s" aria-describedby="term-%s">%s</a><span class="term_card" role="tooltip" id="term-%s"%s>%s</span></span>`, t.Href(), t.ID, s[at[0]:at[1]], t.ID, lang, t.HTML)
		last = at[1]
	}
	return out.String() + s[last:]
}

// edge reports whether s[from:to] is not a part of a longer word.
func edge(s string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:from])
	after, _ := utf8.DecodeRuneInString(s[to:])
	part := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' || r == '&'
	}
	return (from == 0 || !part(before)) && (to == len(s) || !part(after))
}
