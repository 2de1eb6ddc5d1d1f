package bundle

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"coldstart/sandbox/trace"
)

// esbuildFault turns esbuild's errors into one fault: the first error in the
// order of files and lines, with the places of the others as further frames.
func (b *builder) esbuildFault(errs []api.Message) *trace.Fault {
	// What cannot be read comes before what cannot be found.
	if i := slices.IndexFunc(errs, func(m api.Message) bool { return m.PluginName == "" }); i > 0 {
		errs[0], errs[i] = errs[i], errs[0]
	}
	first := errs[0]
	f := &trace.Fault{Kind: trace.FaultBuild}
	f.Message, f.Hint = explain(first)
	if hint, ok := first.Detail.(string); ok {
		f.Message, f.Hint = first.Text, hint
	}
	for _, e := range errs {
		frame, ok := b.frame(e.Location)
		if !ok || len(f.Frames) == 10 {
			continue
		}
		if len(f.Frames) == 0 && first.Location != nil && e.Location != first.Location {
			continue
		}
		f.Frames = append(f.Frames, frame)
	}
	if len(f.Frames) > 0 {
		b.refine(f, first)
		at := f.Frames[0]
		f.Code = trace.CodeFrame(string(b.project.Files[at.File]), at.Line, at.Column)
	}
	return f
}

// frame maps esbuild's place to the learner's file.
func (b *builder) frame(l *api.Location) (trace.Frame, bool) {
	if l == nil {
		return trace.Frame{}, false
	}
	file := strings.TrimPrefix(l.File, nsProject+":")
	file = strings.TrimPrefix(file, nsBytes+":")
	if _, ok := b.project.Files[file]; !ok {
		return trace.Frame{}, false
	}
	return trace.Frame{File: file, Line: l.Line, Column: trace.UTF16Column(l.LineText, l.Column)}, true
}

func (b *builder) warnFrom(m api.Message) {
	frame, ok := b.frame(m.Location)
	if !ok {
		return // in a package: not the learner's
	}
	text, hint := explain(m)
	b.warn(trace.Warning{Message: text, Hint: hint, Frame: frame})
}

// explanation rewrites one of esbuild's messages. $1 … stand for its groups; an
// empty message keeps esbuild's words.
type explanation struct {
	pattern       *regexp.Regexp
	message, hint string
}

func when(pattern, message, hint string) explanation {
	return explanation{regexp.MustCompile("^" + pattern + "$"), message, hint}
}

var explanations = []explanation{
	when(`Expected "([^"]+)" but found end of file`, `The file ends where "$1" is expected.`, `A bracket is open: add the missing "$1".`),
	when(`Unexpected end of file`, `The file ends in the middle of something.`, `Look for a bracket, quote or expression that is not finished.`),
	when(`Unterminated string literal`, `This string has no closing quote.`, "Close it on the same line, or use `…` for text over several lines."),
	when(`Unterminated template literal`, "This template has no closing backquote.", "Add the missing `."),
	when(`Unterminated regular expression`, `This regular expression has no closing slash.`, `Add the missing /. A division needs a value before it.`),
	when(`Expected "\*/" to terminate multi-line comment`, `This comment has no end.`, `Add the missing */.`),
	when(`Expected (?:identifier|expression) but found end of file`, `The file ends in the middle of something.`, `Look for a bracket, quote or expression that is not finished.`),
	when(`Expected string in JSON but found "([^"]+)"`, `A name in double quotes is expected here, not "$1".`, `Remove an extra comma, or write the name in double quotes.`),
	when(`Unexpected "(else|catch|finally|case|default)"`, `This "$1" belongs to nothing before it.`, `Look at the brackets before it.`),
	when(`(?:Unexpected|Syntax error|Expected .* but found) "([“”‘’„«»])"`, `The character $1 is a typographic quote.`, `Write " or ' instead.`),
	when(`Expected identifier but found "([^"]+)"`, `A name is expected here, not "$1".`, ``),
	when(`Expected ";" but found "([^"]+)"`, `"$1" cannot follow here.`, `Look for a missing comma, bracket, operator or semicolon before it.`),
	when(`Expected "}" but found "([A-Za-z_$][^"]*|\[|"|'[^"]*)"`, `"$1" cannot follow here.`, `A comma may be missing before it.`),
	when(`Expected "([^"]+)" but found "([^"]+)"`, `"$1" is expected here, not "$2".`, `Look for a missing bracket or comma before it.`),
	when(`Unexpected "(}|\)|\])"`, `This "$1" closes nothing, or comes too early.`, `Look for a missing bracket, or remove it.`),
	when(`Unexpected "<"`, `"<" cannot stand here.`, `Markup in code (JSX) needs a file that ends in .jsx or .tsx.`),
	when(`Unexpected "([^"]+)"`, `"$1" cannot stand here.`, `Look for a missing comma, quote or bracket before it.`),
	when(`The symbol "([^"]+)" has already been declared`, `"$1" is declared twice.`, `Rename one of them.`),
	when(`Multiple exports with the same name "default"`, `The file has two default exports.`, `Keep one: a Worker is one object with all its handlers.`),
	when(`Multiple exports with the same name "([^"]+)"`, `"$1" is exported twice.`, `Rename or remove one of them.`),
	when(`No matching export in "(?:project:|npm:)?([^"]+)" for import "default"`, `$1 has no default export.`, `Import a name with { }, or add export default to it.`),
	when(`No matching export in "(?:project:|npm:)?([^"]+)" for import "([^"]+)"`, `$1 exports nothing named "$2".`, ``),
	when(`"([^"]+)" is not declared in this file`, `"$1" is exported but not declared in this file.`, `Declare it, or import it first.`),
	when(`"await" can only be used inside an "async" function`, ``, `Write async before the function.`),
	when(`Top-level return cannot be used inside an ECMAScript module`, `"return" stands outside any function.`, `Move it into the fetch method, or remove it.`),
	when(`Cannot use "return" outside of a function|A return statement cannot be used here.*`, `"return" stands outside any function.`, `Move it into the fetch method, or remove it.`),
	when(`Cannot assign to "([^"]+)" because it is a constant`, `"$1" is a constant and cannot be changed.`, `Declare it with let.`),
	when(`Cannot assign to import "([^"]+)"`, `"$1" is imported and cannot be changed here.`, `Export a function from that file that changes it.`),
	when(`This assignment will throw because "([^"]+)" is a constant`, `"$1" is a constant; changing it throws when it runs.`, `Declare it with let.`),
	when(`The constant "([^"]+)" must be initialized`, `The constant "$1" has no value.`, `Give it one, or declare it with let.`),
	when(`Legacy octal (?:literals|escape sequences) cannot be used in (?:strict mode|an ECMAScript module|template literals).*`, `Numbers cannot begin with 0 here.`, `Remove the 0, or write 0o for octal.`),
	when(`With statements cannot be used in (?:an ECMAScript module|strict mode)`, `"with" is not allowed in modules.`, `Name the object in each place.`),
	when(`Delete of a bare identifier cannot be used in (?:an ECMAScript module|strict mode)`, `A variable cannot be deleted.`, `Set it to undefined.`),
	when(`"(super|new\.target|arguments)" (?:can only be|cannot be) used.*|Unexpected "super"`, ``, `It belongs inside a method or function.`),
	when(`"?(break|continue)"? (?:label|.*)? ?cannot be used (?:here|outside).*|Cannot use "(break|continue)" (?:here|outside).*`, ``, `It belongs inside a loop.`),
	when(`"([^"]+)" is a reserved word and cannot be used in (?:an ECMAScript module|strict mode)`, `"$1" is a reserved word.`, `Choose another name.`),
	when(`Invalid assignment target`, `Nothing can be assigned to this.`, `Use == or === to compare.`),
	when(`Expected JSX (?:closing )?.*|Unexpected closing "?([^"]*)"? tag does not match opening "?([^"]*)"? tag`, ``, `Close tags in the order in which they were opened.`),
	when(`The character "([^"]+)" is not valid inside a JSX element`, `"$1" cannot stand as text inside a tag.`, `Write {"$1"} instead.`),
	when(`Syntax error "(.*)"`, `The character "$1" cannot stand here.`, `Remove it; quotes in code are straight: " or '.`),
	when(`JSON does not support .*`, ``, `JSON allows only plain values with double quotes.`),
	when(`Could not resolve "([^"]+)"`, `There is nothing to import at "$1".`, `Check the path.`),
}

// explain rewrites a message of esbuild in plain words.
func explain(m api.Message) (message, hint string) {
	for _, e := range explanations {
		g := e.pattern.FindStringSubmatchIndex(m.Text)
		if g == nil {
			continue
		}
		message = m.Text
		if e.message != "" {
			message = string(e.pattern.ExpandString(nil, e.message, m.Text, g))
		}
		return sentence(message), string(e.pattern.ExpandString(nil, e.hint, m.Text, g))
	}
	return sentence(m.Text), ""
}

var (
	exportedName = regexp.MustCompile(`\bexport\s+(?:declare\s+)?(?:async\s+)?(?:abstract\s+)?(?:const|let|var|function\*?|class|interface|type|enum)\s+([A-Za-z_$][\w$]*)`)
	missingName  = regexp.MustCompile(`^No matching export in "project:([^"]+)" for import "([^"]+)"$`)
)

// refine improves a fault by looking at the source around it.
func (b *builder) refine(f *trace.Fault, m api.Message) {
	at := f.Frames[0]
	if g := missingName.FindStringSubmatch(m.Text); g != nil && g[2] != "default" {
		var names []string
		for _, e := range exportedName.FindAllStringSubmatch(string(b.project.Files[g[1]]), -1) {
			names = append(names, e[1])
		}
		switch {
		case len(names) == 0:
			f.Hint = "Put export before its declaration there."
		default:
			f.Hint = didYouMean(g[2], names, "It exports "+strings.Join(names[:min(len(names), 6)], ", ")+".")
		}
		return
	}
	if m.Location == nil {
		return
	}
	ts := strings.HasSuffix(at.File, "ts")
	line := m.Location.LineText
	switch {
	case flagPattern.MatchString(m.Text) && patternBefore.MatchString(line[:min(len(line), m.Location.Column)]):
		f.Message = fmt.Sprintf("%q is no flag of a regular expression.", flagPattern.FindStringSubmatch(m.Text)[1])
		f.Hint = "The flags are d, g, i, m, s, u, v and y."
	case strings.HasSuffix(m.Text, "end of file") || strings.HasPrefix(m.Text, "Unterminated ") && line == "":
		b.pointAtOpen(f)
	case (strings.HasPrefix(m.Text, "Expected ") || strings.HasPrefix(m.Text, "Unexpected ") || strings.HasPrefix(m.Text, "Unterminated ")) && ts && jsxPattern.MatchString(line):
		f.Message, f.Hint = "Markup (JSX) cannot be read in a .ts file.", fmt.Sprintf("Rename %s to %sx.", at.File, at.File)
	case strings.HasPrefix(m.Text, "Expected ") && !syntaxOf(at.File).ts && typePattern.MatchString(line) && (strings.HasSuffix(m.Text, `":"`) || declarePattern.MatchString(line)):
		f.Message = "Types cannot be read in a JavaScript file."
		f.Hint = fmt.Sprintf("Rename %s to %s.ts, or remove the type.", at.File, strings.TrimSuffix(at.File, extOf(at.File)))
	}
}

// pointAtOpen moves a fault from the end of a file to the bracket that is open there.
func (b *builder) pointAtOpen(f *trace.Fault) {
	file := f.Frames[0].File
	source := string(b.project.Files[file])
	at, ok := openAt(source, syntaxOf(file))
	if !ok {
		return
	}
	open := source[at]
	line, column := position(source, at)
	f.Message = fmt.Sprintf("The %c in line %d is never closed.", open, line)
	f.Hint = fmt.Sprintf("Add the missing %c; it may belong anywhere after that line.", closerOf(open))
	if open == '`' {
		f.Message, f.Hint = fmt.Sprintf("The template that begins in line %d has no closing backquote.", line), "Add the missing `."
	}
	f.Frames = append([]trace.Frame{{File: file, Line: line, Column: column}}, f.Frames...)
}

func closerOf(open byte) byte {
	switch open {
	case '(':
		return ')'
	case '[':
		return ']'
	case '{':
		return '}'
	}
	return open
}

var (
	flagPattern    = regexp.MustCompile(`^Syntax error "([a-zA-Z])"$`)
	patternBefore  = regexp.MustCompile(`/[dgimsuvy]*$`)
	jsxPattern     = regexp.MustCompile(`(?:return|=>|\(|=|\?|:|&&)\s*<[A-Za-z][\w.-]*[\s/>]|^\s*<[A-Za-z][\w.-]*[\s/>]|</[A-Za-z]`)
	typePattern    = regexp.MustCompile(`[\w$)\]?]\s*:\s*[A-Za-z({\['"]|^\s*(?:export\s+)?(?:interface|type|enum|declare|abstract)\s`)
	declarePattern = regexp.MustCompile(`^\s*(?:export\s+)?(?:interface|type|enum|declare|abstract)\s`)
)
