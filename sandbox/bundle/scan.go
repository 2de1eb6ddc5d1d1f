package bundle

import (
	"strings"
	"unicode/utf8"
)

// esbuild's parser and printer recurse, at up to 10 kB of stack a level, and Go
// ends the process at 512 MB. A few constructs take it quadratic or exponential
// time. scanScript reads a file as tokens, without a tree, and refuses what goes
// deep or long before the parser sees it.
//
// Where a slash or "<" can be read in two ways, or the text stops making sense,
// the scan is no longer sure of what follows. Then the size of the file decides:
// one with too few characters to go deep passes.

// The bounds, each far above what people write and far below what hurts.
const (
	maxNesting  = 200   // brackets, templates and JSX elements inside each other
	maxChain    = 2000  // links of one expression or statement chain, with those around it
	maxArrows   = 12    // "? (a) : b =>" inside each other in TypeScript: each doubles the time
	maxCommas   = 4000  // parts of one comma expression or declaration list: quadratic time
	maxStrings  = 2000  // string literals joined by + in one expression: quadratic memory
	maxDeclared = 4000  // declarations, exports and cases of one file: quadratic time
	maxStray    = 500   // } and > as text in JSX: each is an error
	maxDotted   = 50    // names in "namespace a.b.c": quartic time
	unsureBytes = 48000 // a file of this size cannot go too deep
	unsureMarks = 24000 // nor one with this many marks that may nest
)

// dialect of a script file, by its suffix.
type syntax struct{ ts, jsx bool }

// finding is what scanScript refuses, at a byte offset.
type finding struct {
	offset        int
	message, hint string
}

type scanMode byte

const (
	inCode     scanMode = iota
	inTemplate          // between backquotes
	inTag               // <a b={c}
	inChildren          // text between tags
	inClosing           // </a>
)

// level is one open bracket.
type level struct {
	mode     scanMode
	open     byte
	at       int  // its offset
	control  bool // "(" of if, for, while, with: what follows ")" is a statement
	sequence bool // commas here make a comma expression
	run      int  // links of the chain so far
	elses    int  // each nests in the one before, across ";"
	angles   int  // "<" that are not closed yet
	commas   int
	strings  int
	arrows   int
	asks     bool // "?" in this chain
	typed    bool // ") :" after it
}

func (l *level) weight() int { return 1 + l.run + 2*l.elses + l.angles }

// What stands before a token decides how "/" and "<" are read.
type before byte

const (
	atStart     before = iota // an expression begins here
	afterValue                // an operand ended here
	afterBrace                // "}": a block or an object, not known
	afterMaybe                // a word that is a name or a keyword by context
	afterDot                  // a name follows
	afterIncDec               // ++ or --
	afterAngle                // ">" in TypeScript: an operator or the end of type arguments
	afterPlus                 // atStart, behind a binary "+"
)

type scanner struct {
	syntax
	src      string
	i        int
	levels   []level
	below    int // weight of all levels but the last
	arrows   int // of all levels but the last
	prev     before
	prevWord string // the word just before, "" after anything else
	wordTwo  string // the word before prevWord
	paren    bool   // the token before was ")"
	newline  bool
	unsure   bool
	declared int
	stray    int // } and > in the text of elements
	dotted   int // names of a dotted namespace so far, -1 outside
	found    *finding
	done     bool
}

// scanScript looks for nesting and lengths that would hurt the parser.
func scanScript(src string, syn syntax) *finding {
	s := &scanner{syntax: syn, src: src, dotted: -1, levels: []level{{sequence: true}}}
	s.scan()
	if s.found == nil && s.unsure && len(src) > unsureBytes && marks(src) > unsureMarks {
		s.found = &finding{
			offset:  0,
			message: "This file is too long to be read safely: a slash, a < or a quote in it can be read in two ways.",
			hint:    "Split it into smaller files, or move regular expressions into variables of their own.",
		}
	}
	return s.found
}

// scan reads to the end, to a finding, or to where the parser gives up.
func (s *scanner) scan() {
	if strings.HasPrefix(s.src, "#!") {
		s.skipLine()
	}
	for s.i < len(s.src) && s.found == nil && !s.done {
		switch s.top().mode {
		case inTemplate:
			s.template()
		case inChildren:
			s.children()
		case inTag, inClosing:
			s.tag()
		default:
			s.token()
		}
	}
}

// openAt finds the bracket or template that is open at the end of a source.
func openAt(src string, syn syntax) (offset int, ok bool) {
	s := &scanner{syntax: syn, src: src, dotted: -1, levels: []level{{sequence: true}}}
	s.scan()
	if s.i < len(src) && s.top().mode != inTemplate || len(s.levels) < 2 || s.found != nil {
		return 0, false
	}
	for at := s.top().at; at >= 0; at-- { // the offset is that of the last byte of "${"
		if src[at] == s.top().open {
			return at, s.top().open != '<'
		}
	}
	return 0, false
}

// marks counts what may open a level of the parser's stack.
func marks(src string) int {
	n := 0
	word := false
	for i := range len(src) {
		c := src[i]
		w := isWordByte(c)
		if w && !word || !w && c > ' ' && c != ';' && c != ',' && c != ')' && c != ']' && c != '}' {
			n++
		}
		word = w
	}
	return n
}

func (s *scanner) top() *level { return &s.levels[len(s.levels)-1] }

func (s *scanner) fail(message, hint string) {
	if s.found == nil {
		s.found = &finding{offset: s.i, message: message, hint: hint}
	}
}

// stop ends the scan where the parser, too, will give up.
func (s *scanner) stop() { s.done, s.unsure = true, true }

func (s *scanner) push(l level) {
	top := s.top()
	s.below += top.weight()
	s.arrows += top.arrows
	l.at = s.i - 1
	s.levels = append(s.levels, l)
	if len(s.levels) > maxNesting {
		s.fail("Brackets are nested more than 200 deep here.", "Split the code into functions or variables.")
	}
	s.check()
}

func (s *scanner) pop() {
	s.levels = s.levels[:len(s.levels)-1]
	top := s.top()
	s.below -= top.weight()
	s.arrows -= top.arrows
}

func (s *scanner) check() {
	if s.below+s.top().weight() > maxChain {
		s.fail("This expression or statement goes on for more than 2,000 links.", "Split it with variables, a loop or a list.")
	}
}

// link adds one level to the chain that the parser must follow.
func (s *scanner) link() {
	s.top().run++
	s.check()
}

// fresh begins a new statement.
func (s *scanner) fresh() {
	top := s.top()
	top.run, top.angles, top.strings, top.arrows, top.commas = 0, 0, 0, 0, 0
	top.asks, top.typed = false, false
	s.dotted = -1
}

func (s *scanner) set(b before) {
	s.prev, s.prevWord, s.wordTwo = b, "", ""
	s.newline, s.paren = false, false
}

// value records an operand. Two in a row are two statements.
func (s *scanner) value() {
	if s.prev == afterValue || s.prev == afterBrace {
		s.fresh()
	}
	s.set(afterValue)
}

func (s *scanner) at(offset int) byte {
	if s.i+offset < len(s.src) {
		return s.src[s.i+offset]
	}
	return 0
}

func (s *scanner) skipLine() {
	for s.i < len(s.src) {
		if c := s.src[s.i]; c == '\n' || c == '\r' || c == 0xE2 && isLineSeparator(s.src[s.i:]) {
			return
		}
		s.i++
	}
}

func isLineSeparator(s string) bool {
	return strings.HasPrefix(s, "\u2028") || strings.HasPrefix(s, "\u2029")
}

// space skips white space and comments and reports whether it moved.
func (s *scanner) space() bool {
	c := s.at(0)
	switch {
	case c == '\n' || c == '\r':
		s.newline = true
		s.i++
	case c == ' ' || c == '\t' || c == '\v' || c == '\f':
		s.i++
	case c >= utf8.RuneSelf:
		r, n := utf8.DecodeRuneInString(s.src[s.i:])
		switch {
		case r == '\u2028' || r == '\u2029':
			s.newline = true
		case r == '\u00a0' || r == '\ufeff' || r == '\u1680' || r >= '\u2000' && r <= '\u200a' || r == '\u202f' || r == '\u205f' || r == '\u3000':
		default:
			return false
		}
		s.i += n
	case c == '/' && s.at(1) == '/':
		s.skipLine()
	case c == '/' && s.at(1) == '*':
		end := strings.Index(s.src[s.i+2:], "*/")
		if end < 0 {
			s.stop()
			return true
		}
		if strings.ContainsAny(s.src[s.i:s.i+2+end], "\n\r\u2028\u2029") {
			s.newline = true
		}
		s.i += end + 4
	default:
		return false
	}
	return true
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c == '\\' || c >= utf8.RuneSelf
}

// token reads one token of code.
func (s *scanner) token() {
	if s.space() {
		return
	}
	c := s.at(0)
	switch {
	case c >= '0' && c <= '9' || c == '.' && s.at(1) >= '0' && s.at(1) <= '9':
		s.number()
	case isWordByte(c):
		s.word()
	case c == '\'' || c == '"':
		s.str(c)
	case c == '`':
		if s.prev == afterValue || s.prev == afterBrace {
			s.link()
		}
		s.i++
		s.push(level{mode: inTemplate, open: '`'})
		s.set(atStart)
	case strings.IndexByte("([{", c) >= 0:
		s.open(c)
	case strings.IndexByte(")]}", c) >= 0:
		s.close(c)
	case c == '/':
		s.slash()
	case c == '<':
		s.less()
	default:
		s.punct(c)
	}
}

func (s *scanner) number() {
	dot := false
	hex := s.at(0) == '0' && strings.IndexByte("xXbBoO", s.at(1)) >= 0
	for s.i < len(s.src) {
		c := s.src[s.i]
		switch {
		case c == '.' && !dot && !hex:
			dot = true
		case (c == '+' || c == '-') && !hex && (s.src[s.i-1] == 'e' || s.src[s.i-1] == 'E'):
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_':
		default:
			s.value()
			return
		}
		s.i++
	}
}

func (s *scanner) str(quote byte) {
	for j := s.i + 1; j < len(s.src); j++ {
		switch s.src[j] {
		case '\\':
			if j+2 < len(s.src) && s.src[j+1] == '\r' && s.src[j+2] == '\n' {
				j++
			}
			j++
		case '\n', '\r':
			s.stop()
			return
		case quote:
			s.i = j + 1
			if top := s.top(); s.prev == afterPlus {
				if top.strings++; top.strings > maxStrings {
					s.fail("More than 2,000 strings are joined with + in one expression here.", "Use a template or [ … ].join(\"\").")
				}
			}
			s.value()
			return
		}
	}
	s.stop()
}

func (s *scanner) template() {
	for ; s.i < len(s.src); s.i++ {
		switch s.src[s.i] {
		case '\\':
			s.i++
		case '`':
			s.i++
			s.pop()
			s.value()
			return
		case '$':
			if s.at(1) == '{' {
				s.i += 2
				s.push(level{open: '{', sequence: true})
				s.set(atStart)
				return
			}
		}
	}
	s.stop()
}

func (s *scanner) open(c byte) {
	l := level{open: c}
	operand := s.prev == afterValue || s.prev == afterMaybe || s.prev == afterAngle
	switch c {
	case '(':
		l.control = s.prevWord == "if" || s.prevWord == "while" || s.prevWord == "for" || s.prevWord == "with" ||
			s.prevWord == "await" && s.wordTwo == "for"
		l.sequence = !operand
		if operand || s.prev == afterBrace {
			s.link()
		}
	case '[':
		l.sequence = operand
		if operand || s.prev == afterBrace {
			s.link()
		}
	case '{':
		l.sequence = true
	}
	s.i++
	s.dotted = -1
	s.push(l)
	s.set(atStart)
}

func (s *scanner) close(c byte) {
	open := s.top()
	if len(s.levels) == 1 || open.mode != inCode || strings.IndexByte("([{", open.open) != strings.IndexByte(")]}", c) {
		s.stop()
		return
	}
	control := open.control
	s.pop()
	s.i++
	switch {
	case s.top().mode != inCode: // back to a template, a tag or its children
	case c == '}':
		s.set(afterBrace)
	case c == ')' && control:
		s.set(atStart)
	default:
		s.set(afterValue)
		s.paren = c == ')'
	}
}

// slash reads a division or a regular expression.
func (s *scanner) slash() {
	sure, regex := true, false
	switch s.prev {
	case atStart, afterPlus:
		regex = true
	case afterValue:
		sure = !s.newline
	case afterBrace:
		sure, regex = false, s.newline
	case afterDot:
		sure = false
	default:
		sure, regex = false, s.prev == afterMaybe
	}
	end := s.regexEnd()
	if !sure && end < 0 {
		regex = false // as a regular expression the parser stops here
		sure = true
	}
	if !sure && !sameEitherWay(s.src[s.i:], end-s.i) {
		s.unsure = true
	}
	if regex {
		if end < 0 {
			s.stop()
			return
		}
		s.i = end
		s.value()
		return
	}
	s.i++
	if s.at(0) == '=' {
		s.i++
		s.link()
	}
	s.set(atStart)
}

// regexEnd finds the offset behind a regular expression and its flags, or -1.
func (s *scanner) regexEnd() int {
	class := false
	for j := s.i + 1; j < len(s.src); j++ {
		switch c := s.src[j]; {
		case c == '\n' || c == '\r' || c == 0xE2 && isLineSeparator(s.src[j:]):
			return -1
		case c == '\\':
			j++
			if j < len(s.src) && (s.src[j] == '\n' || s.src[j] == '\r' || isLineSeparator(s.src[j:])) {
				return -1
			}
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '/' && !class:
			for j++; j < len(s.src) && isWordByte(s.src[j]); j++ {
			}
			return j
		}
	}
	return -1
}

// sameEitherWay reports that src[:end], as a regular expression or as
// divisions, leaves the scanner in the same state.
func sameEitherWay(src string, end int) bool {
	if strings.ContainsAny(src[1:end], "'\"`()[]{}<>#@\\") || strings.Contains(src[1:end], "/*") || strings.Contains(src[:end], "//") {
		return false
	}
	rest := strings.TrimLeft(src[end:], " \t")
	return rest != "" && strings.IndexByte(".,;)]}?:=&|", rest[0]) >= 0
}

// less reads "<": an operator, type arguments, or the start of JSX.
func (s *scanner) less() {
	if strings.HasPrefix(s.src[s.i:], "<!--") {
		s.unsure = true
		s.skipLine()
		return
	}
	if s.jsx {
		jsx := false
		switch s.prev {
		case atStart, afterPlus:
			jsx = true
		case afterValue:
			s.unsure = s.unsure || s.newline
		default:
			s.unsure = true
			jsx = s.prevWord == "await" || s.prevWord == "yield"
		}
		if jsx && s.ts && s.genericArrow() {
			jsx = false
		}
		if jsx {
			s.i++
			s.push(level{mode: inTag, open: '<'})
			s.set(atStart)
			return
		}
	}
	for s.at(0) == '<' || s.at(0) == '=' {
		s.i++
	}
	if s.prev != afterValue { // a cast or type parameters
		s.link()
	}
	s.top().angles++
	s.check()
	s.set(atStart)
}

// genericArrow tells "<T,>(x) => x" and "<T extends U>(x) => x" from an element in .tsx.
func (s *scanner) genericArrow() bool {
	rest := strings.TrimLeft(s.src[s.i+1:], " \t\r\n")
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "const "), " \t\r\n")
	n := 0
	for n < len(rest) && isWordByte(rest[n]) {
		n++
	}
	if n == 0 {
		return false
	}
	after := strings.TrimLeft(rest[n:], " \t\r\n")
	if strings.HasPrefix(after, "extends") {
		s.unsure = true // or an attribute of that name
		return true
	}
	return strings.HasPrefix(after, ",") || strings.HasPrefix(after, "=")
}

// tag reads inside <…> of an element.
func (s *scanner) tag() {
	if s.space() {
		return
	}
	top := s.top()
	c := s.at(0)
	switch c {
	case '"', '\'':
		end := strings.IndexByte(s.src[s.i+1:], c)
		if end < 0 {
			s.stop()
			return
		}
		s.i += end + 2
	case '{':
		s.i++
		s.push(level{open: '{', sequence: true})
		s.set(atStart)
	case '<':
		s.i++
		if s.ts {
			s.unsure = true // type arguments of the element
		}
		s.push(level{mode: inTag, open: '<'})
	case '>':
		s.i++
		if top.mode == inClosing || s.src[s.i-2] == '/' {
			s.endElement()
		} else {
			top.mode = inChildren
		}
	case '/':
		s.i++
		if !strings.HasPrefix(s.src[s.i:], ">") {
			s.unsure = true
		}
	case '(', ')', '[', ']', '}', ';', '`':
		s.stop()
	default:
		s.i++
	}
}

func (s *scanner) endElement() {
	s.pop()
	if s.top().mode == inCode {
		s.value()
	}
}

// children reads text between tags.
func (s *scanner) children() {
	n := strings.IndexAny(s.src[s.i:], "{<")
	if n < 0 {
		n = len(s.src) - s.i - 1 // never closed: the parser reads to the end
		s.stop()
	}
	// Each of these is an error of its own; many on one line take quadratic time.
	text := s.src[s.i : s.i+n]
	if s.stray += strings.Count(text, "}") + strings.Count(text, ">"); s.stray > maxStray {
		s.fail("The text between these tags has many } and > characters.", "Close the tag, or write {\"}\"} and {\">\"} in text.")
	}
	s.i += n + 1
	if s.src[s.i-1] == '{' {
		s.push(level{open: '{', sequence: true})
		s.set(atStart)
		return
	}
	for s.i < len(s.src) && s.space() {
	}
	if s.at(0) == '/' {
		s.i++
		s.top().mode = inClosing
		return
	}
	s.push(level{mode: inTag, open: '<'})
}

func (s *scanner) punct(c byte) {
	two := s.src[s.i:min(s.i+2, len(s.src))]
	three := s.src[s.i:min(s.i+3, len(s.src))]
	top := s.top()
	switch {
	case c == ';':
		s.i++
		s.fresh()
		s.set(atStart)
	case c == ',':
		s.i++
		if top.sequence {
			if top.commas++; top.commas > maxCommas {
				s.fail("More than 4,000 parts are joined by commas here.", "Use an array, or split the list.")
			}
		}
		top.run, top.strings, top.arrows, top.asks, top.typed = 0, 0, 0, false, false
		s.set(atStart)
	case c == ':':
		s.i++
		if s.paren && top.asks {
			top.typed = true
		}
		if top.open == '{' {
			top.commas = 0
		}
		s.link()
		s.set(atStart)
	case two == "=>":
		s.i += 2
		if top.typed && s.ts {
			top.typed = false
			if top.arrows++; s.arrows+top.arrows > maxArrows {
				s.fail("More than 12 conditions with arrow functions are nested here.", "Give the inner functions names of their own.")
			}
		}
		s.link()
		s.set(atStart)
	case two == "?." && (s.at(2) < '0' || s.at(2) > '9'):
		s.i += 2
		s.link()
		s.set(afterDot)
	case three == "...":
		s.i += 3
		s.set(atStart)
	case c == '.':
		s.i++
		if s.dotted >= 0 {
			if s.dotted++; s.dotted > maxDotted {
				s.fail("This namespace has more than 50 parts.", "Use fewer.")
			}
		}
		s.link()
		s.set(afterDot)
	case two == "++" || two == "--":
		if two == "--" && s.at(2) == '>' {
			s.unsure = true // an old-fashioned comment at the start of a line
		}
		s.i += 2
		s.link()
		s.set(afterIncDec)
	case c == '?':
		s.i++
		if s.at(0) == '?' {
			s.i++
		} else {
			top.asks = true
		}
		s.link()
		s.set(atStart)
	case c == '!' && s.ts && !s.newline && s.at(1) != '=' && (s.prev == afterValue || s.prev == afterBrace):
		s.i++
		s.link()
		s.set(s.prev)
	case c == '>':
		for top.angles > 0 && s.at(0) == '>' {
			top.angles--
			s.i++
		}
		for s.at(0) == '>' || s.at(0) == '=' {
			s.i++
		}
		s.set(atStart)
		if s.ts {
			s.prev = afterAngle
		}
	case c == '@' || c == '#':
		s.i++
		s.dotted = -1
	case strings.IndexByte("=+-*%&|^!~", c) >= 0:
		s.operator(c)
	default: // a character that no token begins with
		s.stop()
	}
}

func (s *scanner) operator(c byte) {
	s.dotted = -1
	binary := s.prev == afterValue || s.prev == afterBrace
	start := s.i
	for s.i < len(s.src) && s.src[s.i] == c && s.i-start < 2 {
		if c == '!' || c == '~' || c == '+' || c == '-' {
			s.i++
			break
		}
		s.i++
	}
	assigns := s.at(0) == '='
	for s.at(0) == '=' {
		s.i++
	}
	text := s.src[start:s.i]
	if !binary || text == "**" || text == "=" || assigns && text != "==" && text != "===" && c != '!' {
		s.link()
	}
	s.set(atStart)
	if binary && text == "+" {
		s.prev = afterPlus
	}
}
