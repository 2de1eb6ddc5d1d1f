package lessons

import (
	"fmt"
	"html"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	gtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

var (
	kindCallout = ast.NewNodeKind("Callout")
	kindMeasure = ast.NewNodeKind("Measure")
	kindSource  = ast.NewNodeKind("Source")
	kindTitle   = ast.NewNodeKind("CalloutTitle")
)

// calloutNode is a quotation that begins with [!KIND] and perhaps a title.
type calloutNode struct {
	ast.BaseBlock
	class, title string
}

func (*calloutNode) Kind() ast.NodeKind              { return kindCallout }
func (n *calloutNode) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

var (
	calloutHead  = regexp.MustCompile(`^\[!([A-Za-z]+)\][ \t]*(.*)$`)
	calloutNames = map[string]string{"note": "Note", "tip": "Tip", "important": "Important", "warning": "Warning", "caution": "Caution", "honest": "Honest note"}
)

// callouts turns such quotations into callouts.
type callouts struct{}

// Transform implements parser.ASTTransformer.
func (callouts) Transform(root *ast.Document, reader gtext.Reader, _ parser.Context) {
	source := reader.Source()
	var found []*ast.Blockquote
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if q, ok := n.(*ast.Blockquote); ok && entering {
			found = append(found, q)
		}
		return ast.WalkContinue, nil
	})
	for _, q := range found {
		p, ok := q.FirstChild().(*ast.Paragraph)
		if !ok || p.Lines().Len() == 0 {
			continue
		}
		first := p.Lines().At(0)
		m := calloutHead.FindStringSubmatch(strings.TrimSpace(string(first.Value(source))))
		if m == nil {
			continue
		}
		class := strings.ToLower(m[1])
		title := m[2]
		if title == "" {
			title = calloutNames[class]
		}
		if title == "" {
			continue
		}
		// Drop what was parsed from the first line.
		for c := p.FirstChild(); c != nil; {
			next := c.NextSibling()
			if c.Pos() >= first.Stop || c.Pos() < 0 {
				break
			}
			p.RemoveChild(p, c)
			c = next
		}
		n := &calloutNode{class: class, title: title}
		for c := q.FirstChild(); c != nil; {
			next := c.NextSibling()
			if c != ast.Node(p) || p.HasChildren() {
				n.AppendChild(n, c)
			}
			c = next
		}
		// The title runs into the first paragraph; other blocks stand below it.
		if first, ok := n.FirstChild().(*ast.Paragraph); ok {
			first.InsertBefore(first, first.FirstChild(), &titleNode{title: title})
		} else {
			alone := ast.NewParagraph()
			alone.AppendChild(alone, &titleNode{title: title})
			n.InsertBefore(n, n.FirstChild(), alone)
		}
		q.Parent().ReplaceChild(q.Parent(), q, n)
	}
}

func (d *document) callout(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*calloutNode)
	if !entering {
		_, _ = w.WriteString(d.mark("</aside>") + "\n")
		return ast.WalkContinue, nil
	}
	_, known := calloutNames[n.class]
	class := "note"
	if known && n.class != "note" && n.class != "honest" {
		class += " note-" + n.class
	}
	_, _ = w.WriteString(d.mark(fmt.Sprintf(`<aside class="%s" aria-label="%s">`, class, html.EscapeString(n.title))) + "\n")
	return ast.WalkContinue, nil
}

// titleNode is a callout's title.
type titleNode struct {
	ast.BaseInline
	title string
}

func (*titleNode) Kind() ast.NodeKind              { return kindTitle }
func (n *titleNode) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

func (d *document) title(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		title := strings.TrimRight(node.(*titleNode).title, ".:!?")
		_, _ = w.WriteString(d.mark("<b>"+html.EscapeString(title)+".</b>") + " ")
	}
	return ast.WalkSkipChildren, nil
}

// measureNode is {cold.p50}: a figure of the learner's own run.
type measureNode struct {
	ast.BaseInline
	name string
}

func (*measureNode) Kind() ast.NodeKind              { return kindMeasure }
func (n *measureNode) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

var measureForm = regexp.MustCompile(`^\{([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)\}`)

type measures struct{}

// Trigger implements parser.InlineParser.
func (measures) Trigger() []byte { return []byte{'{'} }

// Parse implements parser.InlineParser.
func (measures) Parse(_ ast.Node, block gtext.Reader, _ parser.Context) ast.Node {
	line, _ := block.PeekLine()
	m := measureForm.FindSubmatch(line)
	if m == nil {
		return nil
	}
	block.Advance(len(m[0]))
	return &measureNode{name: string(m[1])}
}

// MeasureText is what stands for a figure that was not measured yet.
const MeasureText = "not measured yet"

func (d *document) measure(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		name := node.(*measureNode).name
		class := "measure"
		if first, _, _ := strings.Cut(name, "."); first == "cold" || first == "warm" {
			class += " " + first
		}
		_, _ = w.WriteString(d.mark(fmt.Sprintf(`<span class="%s" data-measure="%s">%s</span>`, class, name, MeasureText)))
	}
	return ast.WalkSkipChildren, nil
}

// sourceNode is [^id]: where the fact before it comes from.
type sourceNode struct {
	ast.BaseInline
	id string
}

func (*sourceNode) Kind() ast.NodeKind              { return kindSource }
func (n *sourceNode) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

var sourceForm = regexp.MustCompile(`^\[\^([A-Za-z0-9_-]{1,64})\]`)

type sources struct{}

// Trigger implements parser.InlineParser.
func (sources) Trigger() []byte { return []byte{'['} }

// Parse implements parser.InlineParser.
func (sources) Parse(_ ast.Node, block gtext.Reader, _ parser.Context) ast.Node {
	line, seg := block.PeekLine()
	m := sourceForm.FindSubmatch(line)
	if m == nil {
		return nil
	}
	n := &sourceNode{id: string(m[1])}
	n.SetPos(seg.Start)
	block.Advance(len(m[0]))
	return n
}

func (d *document) source(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*sourceNode)
	s, ok := d.own[n.id]
	if !ok {
		s, ok = d.shared[n.id]
	}
	if !ok {
		line, col := d.at(source, n.Pos())
		d.problem(line, col, "E033", "source [^%s] is not defined; add a line `[^%s]: Who says so, YEAR.` or an entry in sources.yaml", n.id, n.id)
		return ast.WalkSkipChildren, nil
	}
	known := false
	for _, have := range d.notes {
		known = known || have.ID == s.ID
	}
	if !known {
		d.notes = append(d.notes, s)
	}
	_, _ = w.WriteString(d.mark(fmt.Sprintf(`<a class="source" href="#source-%s" title="%s">%s</a>`, html.EscapeString(s.ID), html.EscapeString(s.Note()), html.EscapeString(s.Label()))))
	return ast.WalkSkipChildren, nil
}

var (
	sourceLine = regexp.MustCompile(`^\[\^([A-Za-z0-9_-]{1,64})\]:[ \t]*(.+)$`)
	yearForm   = regexp.MustCompile(`\b(19|20)\d\d\b`)
)

func year(s string) string { return yearForm.FindString(s) }

// takeSources removes the lines that define source notes and remembers them.
// Lines are kept, empty, so that numbers stay right.
func (d *document) takeSources(text string) string {
	if !strings.Contains(text, "[^") {
		return text
	}
	all := strings.Split(text, "\n")
	for i, l := range all {
		if m := sourceLine.FindStringSubmatch(l); m != nil {
			d.own[m[1]] = Source{ID: m[1], Text: strings.TrimSpace(m[2]), Date: year(m[2])}
			all[i] = ""
		}
	}
	return strings.Join(all, "\n")
}
