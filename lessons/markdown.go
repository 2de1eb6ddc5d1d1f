package lessons

import (
	"bytes"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	ghtml "github.com/yuin/goldmark/renderer/html"
	gtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Markup of ours enters the output as opaque marks, \uE000 number \uE001, and
// replaces them after sanitising, so that no tag, class or id of ours has to be
// allowed to authors. Those two characters are removed from authors' text.
const (
	markOpen  = '\uE000'
	markClose = '\uE001'
)

// document is the state of turning one lesson file into pieces.
type document struct {
	in      *sink
	file    string                      // for problems
	dir     string                      // the lesson's folder, for relative links
	rawHTML bool                        // raw HTML is kept as it is
	manual  fs.FS                       // of a page of the manual: its folder; else nil
	links   func(string) (string, bool) // folder in the lessons folder to URL
	shared  map[string]Source           // sources.yaml
	own     map[string]Source           // [^id]: … of this file
	notes   []Source                    // used, in order
	count   map[string]int              // questions by kind
	ids     map[string]bool             // heading ids in use
	marks   []string
	line    int  // of the chunk being rendered
	raw     bool // the chunk holds raw HTML
}

func (d *document) problem(line, col int, code, format string, args ...any) {
	d.in.add(d.file, line, col, code, format, args...)
}

// The most that one block of Markdown may hold of what makes parsing slow
// (measured: quadratic in goldmark). Ordinary prose is far below.
const (
	maxBlock    = 16 << 10 // bytes of one paragraph
	maxBrackets = 120      // [ in one paragraph
	maxNesting  = 32       // quotation and list markers that open one line
	maxMarkers  = 1500     // emphasis markers, backticks and < in one paragraph
)

// tooHard names what makes a text too slow to parse, "" when nothing does.
func tooHard(src string) (line int, what string) {
	size, brackets, markers := 0, 0, 0
	for i, l := range strings.Split(src, "\n") {
		if strings.TrimSpace(l) == "" {
			size, brackets, markers = 0, 0, 0
			continue
		}
		size += len(l)
		brackets += strings.Count(l, "[")
		markers += strings.Count(l, "*") + strings.Count(l, "_") + strings.Count(l, "`") + strings.Count(l, "<") + strings.Count(l, "~")
		nest := 0
		for _, c := range l {
			if c == '>' || c == '-' || c == '+' || c == '*' {
				nest++
			} else if c != ' ' && c != '\t' {
				break
			}
		}
		switch {
		case size > maxBlock:
			return i, "one paragraph of more than 16 KiB"
		case brackets > maxBrackets:
			return i, fmt.Sprintf("more than %d [ in one paragraph", maxBrackets)
		case markers > maxMarkers:
			return i, fmt.Sprintf("more than %d emphasis marks in one paragraph", maxMarkers)
		case nest > maxNesting && strings.Trim(l, "-* \t") != "":
			return i, fmt.Sprintf("more than %d quotation or list marks in one line", maxNesting)
		}
	}
	return 0, ""
}

// block renders Markdown whose first line has the given number.
func (d *document) block(src string, line int) HTML {
	if strings.TrimSpace(src) == "" {
		return ""
	}
	if i, what := tooHard(src); what != "" {
		d.problem(line+i, 1, "E024", "%s; split it", what)
		return HTML("<pre>" + html.EscapeString(src) + "</pre>")
	}
	d.line, d.raw = line, false
	source := []byte(src)
	var buf bytes.Buffer
	md := d.converter()
	root := md.Parser().Parse(gtext.NewReader(source))
	if err := md.Renderer().Render(&buf, source, root); err != nil {
		d.problem(line, 1, "E024", "cannot render: %v", err)
		return HTML("<pre>" + html.EscapeString(src) + "</pre>")
	}
	return HTML(d.finish(buf.String()))
}

// inline renders a line of Markdown without a paragraph around it.
func (d *document) inline(src string, line int) HTML {
	out := strings.TrimSpace(string(d.block(strings.TrimSpace(src), line)))
	if strings.HasPrefix(out, "<p>") && strings.HasSuffix(out, "</p>") && strings.Count(out, "<p>") == 1 {
		out = out[3 : len(out)-4]
	}
	return HTML(out)
}

func (d *document) mark(markup string) string {
	d.marks = append(d.marks, markup)
	return fmt.Sprintf("%c%d%c", markOpen, len(d.marks)-1, markClose)
}

var markForm = regexp.MustCompile("\uE000[0-9]+\uE001")

// finish sanitises the output if it holds authors' HTML, balances it, and
// puts our own markup in.
func (d *document) finish(out string) string {
	if d.raw {
		if !d.rawHTML {
			out = policy.Sanitize(out)
		}
		out = balance(out)
	}
	out = markForm.ReplaceAllStringFunc(out, func(m string) string {
		n := 0
		for _, c := range m[len("\uE000") : len(m)-len("\uE001")] {
			n = n*10 + int(c-'0')
		}
		return d.marks[n]
	})
	d.marks = d.marks[:0]
	return strings.TrimSpace(out)
}

// policy is what authors' HTML may hold: text structure, no attributes that
// reach outside of it.
var policy = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "b", "strong", "i", "em", "s", "del", "ins", "u", "small", "sub", "sup", "mark", "kbd", "samp", "var", "code", "pre", "q", "cite",
		"blockquote", "ul", "ol", "li", "dl", "dt", "dd", "div", "span", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "details", "summary", "figure", "figcaption", "abbr")
	p.AllowAttrs("title").OnElements("abbr")
	p.AllowAttrs("href").OnElements("a")
	p.AllowStandardURLs()
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(true)
	p.RequireNoFollowOnLinks(false)
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("th", "td")
	return p
}()

// balance closes what is open and drops closing tags without a beginning, so
// that authors' HTML cannot change what stands around it.
func balance(s string) string {
	body := &nethtml.Node{Type: nethtml.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := nethtml.ParseFragment(strings.NewReader(s), body)
	if err != nil {
		return html.EscapeString(s)
	}
	var b strings.Builder
	for _, n := range nodes {
		if err := nethtml.Render(&b, n); err != nil {
			return html.EscapeString(s)
		}
	}
	return b.String()
}

func (d *document) converter() goldmark.Markdown {
	// The table extension would align cells by a style attribute, which the CSP forbids.
	return goldmark.New(
		goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone)), extension.Strikethrough, extension.Typographer),
		goldmark.WithParserOptions(
			parser.WithASTTransformers(util.Prioritized(callouts{}, 100)),
			parser.WithInlineParsers(util.Prioritized(measures{}, 50), util.Prioritized(sources{}, 50)),
		),
		goldmark.WithRendererOptions(
			ghtml.WithUnsafe(), // what is raw is sanitised in finish
			renderer.WithNodeRenderers(util.Prioritized(d, 10)),
		),
	)
}

// RegisterFuncs makes the document render the nodes that differ from
// goldmark's own HTML.
func (d *document) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindHeading, d.heading)
	r.Register(ast.KindFencedCodeBlock, d.code)
	r.Register(ast.KindCodeBlock, d.code)
	r.Register(ast.KindLink, d.link)
	r.Register(ast.KindAutoLink, d.autolink)
	r.Register(ast.KindImage, d.image)
	r.Register(ast.KindRawHTML, d.rawInline)
	r.Register(ast.KindHTMLBlock, d.rawBlock)
	r.Register(kindCallout, d.callout)
	r.Register(kindTitle, d.title)
	r.Register(kindMeasure, d.measure)
	r.Register(kindSource, d.source)
}

// at is the file's line and column of a position in the chunk.
func (d *document) at(source []byte, pos int) (line, col int) {
	if pos < 0 || pos > len(source) {
		return d.line, 1
	}
	before := source[:pos]
	return d.line + bytes.Count(before, []byte("\n")), pos - bytes.LastIndexByte(before, '\n')
}

func (d *document) heading(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.Heading)
	level := max(n.Level, 2) // the page's own heading is the only first one
	if entering {
		id := d.anchor(plain(n, source))
		_, _ = w.WriteString(d.mark(fmt.Sprintf(`<h%d id="%s">`, level, id)))
	} else {
		_, _ = w.WriteString(d.mark(fmt.Sprintf("</h%d>", level)) + "\n")
	}
	return ast.WalkContinue, nil
}

// anchor makes a heading's id, unique in the lesson.
func (d *document) anchor(text string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() > 60 {
			break
		}
	}
	id := "s-" + strings.Trim(b.String(), "-")
	for base, i := id, 2; d.ids[id]; i++ {
		id = fmt.Sprintf("%s-%d", base, i)
	}
	d.ids[id] = true
	return id
}

// plain is a node's text without markup.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(c ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := c.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

func (d *document) code(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	lang := ""
	if f, ok := node.(*ast.FencedCodeBlock); ok {
		lang = string(f.Language(source))
	}
	var src strings.Builder
	for i := range node.Lines().Len() {
		seg := node.Lines().At(i)
		src.Write(seg.Value(source))
	}
	// Wide code scrolls, so it must be reachable by keyboard.
	_, _ = w.WriteString(d.mark(`<pre tabindex="0"><code>`+string(Highlight(lang, src.String()))+`</code></pre>`) + "\n")
	return ast.WalkSkipChildren, nil
}

func (d *document) link(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.Link)
	if d.manual != nil && strings.HasPrefix(string(n.Destination), "../") {
		return ast.WalkContinue, nil
	}
	if !entering {
		_, _ = w.WriteString(d.mark("</a>"))
		return ast.WalkContinue, nil
	}
	line, col := d.at(source, n.Pos())
	href := d.href(string(n.Destination), line, col)
	open := `<a href="` + html.EscapeString(href) + `"`
	if n.Title != nil {
		open += ` title="` + html.EscapeString(string(n.Title)) + `"`
	}
	_, _ = w.WriteString(d.mark(open + ">"))
	return ast.WalkContinue, nil
}

func (d *document) autolink(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		n := node.(*ast.AutoLink)
		line, col := d.at(source, n.Pos())
		to := string(n.URL(source))
		if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(to, "mailto:") {
			to = "mailto:" + to
		}
		_, _ = w.WriteString(d.mark(`<a href="` + html.EscapeString(d.href(to, line, col)) + `">` + html.EscapeString(string(n.Label(source))) + "</a>"))
	}
	return ast.WalkSkipChildren, nil
}

// href checks a link and turns one to a lesson's folder into its address.
// What is not allowed becomes "#".
func (d *document) href(to string, line, col int) string {
	clean := strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return -1
		}
		return r
	}, to)
	u, err := url.Parse(clean)
	if err != nil {
		d.problem(line, col, "E030", "link %s: not an address", to)
		return "#"
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https", "mailto":
		return u.String()
	case "":
	default:
		d.problem(line, col, "E030", "link %s: only http, https, mailto and relative links are allowed", to)
		return "#"
	}
	if u.Host != "" || strings.HasPrefix(clean, "//") {
		d.problem(line, col, "E030", "link %s: write https: before it", to)
		return "#"
	}
	if u.Path == "" && d.manual != nil {
		return "#s-" + u.EscapedFragment()
	}
	if u.Path == "" || strings.HasPrefix(u.Path, "/") {
		return u.String()
	}
	target := path.Join(d.dir, u.Path)
	target = strings.TrimSuffix(target, "/lesson.md")
	if d.links != nil {
		if at, ok := d.links(target); ok {
			switch {
			case u.Fragment != "" && d.manual != nil:
				at += "#s-" + u.EscapedFragment()
			case u.Fragment != "":
				at += "#" + u.EscapedFragment()
			}
			return at
		}
	}
	d.problem(line, col, "E030", "link %s: no such lesson", to)
	return "#"
}

func (d *document) image(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		line, col := d.at(source, node.Pos())
		if d.manual != nil {
			to := string(node.(*ast.Image).Destination)
			img, err := d.picture(to, plain(node, source))
			if err != nil {
				d.problem(line, col, "E030", "image %s: %v", to, err)
			}
			_, _ = w.WriteString(d.mark(img))
			return ast.WalkSkipChildren, nil
		}
		d.problem(line, col, "E030", "image %s: lessons hold no image files; draw with a table or a code block, or embed a lab", node.(*ast.Image).Destination)
		_, _ = w.WriteString(html.EscapeString(plain(node, source)))
	}
	return ast.WalkSkipChildren, nil
}

func (d *document) rawInline(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		n := node.(*ast.RawHTML)
		for i := range n.Segments.Len() {
			seg := n.Segments.At(i)
			d.writeRaw(w, seg.Value(source))
		}
	}
	return ast.WalkSkipChildren, nil
}

// writeRaw writes authors' HTML, to be sanitised in finish.
func (d *document) writeRaw(w util.BufWriter, b []byte) {
	d.raw = true
	_, _ = w.Write(b)
}

func (d *document) rawBlock(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		n := node.(*ast.HTMLBlock)
		for i := range n.Lines().Len() {
			seg := n.Lines().At(i)
			d.writeRaw(w, seg.Value(source))
		}
		if n.HasClosure() {
			d.writeRaw(w, n.ClosureLine.Value(source))
		}
	}
	return ast.WalkSkipChildren, nil
}
