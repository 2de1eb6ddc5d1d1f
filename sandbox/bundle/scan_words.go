package bundle

// wordKind says what a word does to the scanner.
type wordKind byte

const (
	name      wordKind = iota
	prefix             // an expression or statement follows, one level deeper
	infix              // between two operands
	joiner             // goes on with the statement before it: else, while, catch …
	maybe              // a name or a keyword, by context; deeper when a keyword
	separator          // begins a clause: case, default
)

var wordKinds = map[string]wordKind{
	"return": prefix, "typeof": prefix, "delete": prefix, "void": prefix, "throw": prefix, "new": prefix,
	"if": prefix, "for": prefix, "with": prefix, "switch": prefix, "do": prefix, "try": prefix,
	"class": prefix, "function": prefix, "var": prefix, "const": prefix, "import": prefix, "export": prefix, "enum": prefix,

	"in": infix, "instanceof": infix, "extends": infix, "implements": infix,

	"else": joiner, "while": joiner, "catch": joiner, "finally": joiner,

	"async": maybe, "await": maybe, "yield": maybe, "of": maybe, "let": maybe, "static": maybe, "get": maybe, "set": maybe,
	"keyof": maybe, "readonly": maybe, "unique": maybe, "infer": maybe, "asserts": maybe, "is": maybe, "as": maybe,
	"satisfies": maybe, "type": maybe, "namespace": maybe, "module": maybe, "abstract": maybe, "declare": maybe,
	"accessor": maybe, "from": maybe, "out": maybe, "using": maybe, "interface": maybe, "global": maybe,
	"public": maybe, "private": maybe, "protected": maybe, "override": maybe, "break": maybe, "continue": maybe,

	"case": separator, "default": separator,
}

// declares are the words that begin what a scope or a module keeps a list of,
// and "with", which is an error each time.
var declares = map[string]bool{
	"var": true, "let": true, "const": true, "class": true, "function": true, "enum": true, "namespace": true,
	"module": true, "case": true, "import": true, "export": true, "using": true, "with": true,
}

func (s *scanner) word() {
	start := s.i
	for s.i < len(s.src) && isWordByte(s.src[s.i]) {
		if c := s.src[s.i]; c == 0xE2 && isLineSeparator(s.src[s.i:]) || c >= 0xC2 && s.spaceRune() {
			break
		}
		if s.src[s.i] == '\\' && s.at(1) == 'u' && s.at(2) == '{' {
			for s.i < len(s.src) && s.src[s.i] != '}' {
				s.i++
			}
		}
		s.i++
	}
	s.i = min(s.i, len(s.src))
	if s.i == start { // a space that is not one here
		s.i++
		return
	}
	text := s.src[start:s.i]
	if s.prev == afterDot {
		s.set(afterValue)
		return
	}
	kind := wordKinds[text]
	if declares[text] {
		if s.declared++; s.declared > maxDeclared {
			s.fail("This file has more than 4,000 declarations and cases.", "Split it into smaller files.")
		}
	}
	if text == "namespace" || text == "module" {
		s.dotted = 0
	}
	ended := s.prev == afterValue || s.prev == afterBrace
	two := s.prevWord
	switch kind {
	case name:
		s.value()
	case prefix:
		if ended {
			s.fresh()
		}
		s.link()
		s.set(atStart)
	case infix:
		s.link()
		s.set(atStart)
	case joiner:
		if text == "else" {
			s.top().elses++
		} else if s.prev == afterValue {
			s.fresh()
		}
		s.link()
		s.set(atStart)
	case maybe:
		if ended && text != "as" && text != "satisfies" && text != "is" && text != "of" {
			s.fresh()
		}
		s.link()
		s.set(afterMaybe)
	case separator:
		s.fresh()
		s.set(atStart)
	}
	s.prevWord, s.wordTwo = text, two
}

// spaceRune reports a white space character outside ASCII at the cursor.
func (s *scanner) spaceRune() bool {
	i := s.i
	newline := s.newline
	moved := s.space()
	s.i, s.newline = i, newline
	return moved
}
