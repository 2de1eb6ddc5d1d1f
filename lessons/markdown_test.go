package lessons

import (
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	nethtml "golang.org/x/net/html"
	"golang.org/x/sys/unix"
)

// render is the lesson path: raw HTML sanitised.
func render(src string) (HTML, []Problem) {
	l := &loader{cat: &Catalog{Sources: map[string]Source{"aws": {ID: "aws", Text: "AWS, 2025.", Date: "2025"}}}}
	d := l.document("lesson.md", "04-isolates/20-first-worker")
	d.links = func(to string) (string, bool) {
		return "/learn/isolates/next", to == "04-isolates/30-next"
	}
	out := d.block(clean(d.takeSources(src)), 1)
	return out, l.problems
}

func TestMarkdown(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"paragraph", "Hello *you* and **you**.", `<p>Hello <em>you</em> and <strong>you</strong>.</p>`},
		{"measure", "took {cold.p50}, private {iso.each}", `<p>took <span class="measure cold" data-measure="cold.p50">not measured yet</span>, private <span class="measure" data-measure="iso.each">not measured yet</span></p>`},
		{"no measure in code", "`{cold.p50}` and {} and {a}", `<p><code>{cold.p50}</code> and {} and {a}</p>`},
		{"source", "under 1%[^aws].", `<p>under 1%<a class="source" href="#source-aws" title="AWS, 2025.">2025</a>.</p>`},
		{"own source", "so[^x].\n\n[^x]: A <b> note, 2019.", `<p>so<a class="source" href="#source-x" title="A &lt;b&gt; note, 2019.">2019</a>.</p>`},
		{"lesson link", "[on](../30-next)", `<p><a href="/learn/isolates/next">on</a></p>`},
		{"lesson link, fragment", "[on](../30-next/lesson.md#s-a)", `<p><a href="/learn/isolates/next#s-a">on</a></p>`},
		{"callout", "> [!NOTE]\n> Text.", "<aside class=\"note\" aria-label=\"Note\">\n<p><b>Note.</b> Text.</p>\n</aside>"},
		{"callout with title", "> [!WARNING] Mind the gap\n> A `b`.\n>\n> - c", "<aside class=\"note note-warning\" aria-label=\"Mind the gap\">\n<p><b>Mind the gap.</b> A <code>b</code>.</p>\n<ul>\n<li>c</li>\n</ul>\n</aside>"},
		{"callout without text", "> [!TIP]\n>\n> - c", "<aside class=\"note note-tip\" aria-label=\"Tip\">\n<p><b>Tip.</b> </p>\n<ul>\n<li>c</li>\n</ul>\n</aside>"},
		{"plain quotation", "> [link] text", "<blockquote>\n<p>[link] text</p>\n</blockquote>"},
		{"code", "```js\nconst a = \"b\"; // c\n```", `<pre tabindex="0"><code><b class="k">const</b> a = <span class="s">&#34;b&#34;</span>; <span class="c">// c</span></code></pre>`},
		{"unknown language", "```x\n<a>\n```", `<pre tabindex="0"><code>&lt;a&gt;</code></pre>`},
		{"heading", "# A first\n\n## A first", "<h2 id=\"s-a-first\">A first</h2>\n<h2 id=\"s-a-first-2\">A first</h2>"},
		{"kbd survives", "Press <kbd>Ctrl</kbd>", `<p>Press <kbd>Ctrl</kbd></p>`},
		{"unclosed HTML is closed", "<details><summary>a\n\nb", "<details><summary>a\n<p>b</p>\n</summary></details>"},
		{"stray closing tags go", "a</div></aside></main>b", `<p>ab</p>`},
		{"table", "| a |\n|---|\n| b |", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>b</td>\n</tr>\n</tbody>\n</table>"},
		{"private marks are taken out", "a\uE0000\uE001b", "<p>a0b</p>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ps := render(c.in)
			if string(got) != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			for _, p := range ps {
				t.Error(p)
			}
		})
	}
}

// allowed is every element and attribute that a lesson's HTML may hold.
var allowed = map[string]string{
	"p": "", "br": "", "hr": "", "b": "class", "strong": "", "i": "", "em": "", "s": "", "del": "", "ins": "", "u": "", "small": "", "sub": "", "sup": "", "mark": "", "kbd": "", "samp": "", "var": "",
	"code": "", "pre": "tabindex", "q": "", "cite": "", "blockquote": "", "ul": "", "ol": "start", "li": "", "dl": "", "dt": "", "dd": "", "div": "", "span": "class data-measure", "table": "", "thead": "",
	"tbody": "", "tfoot": "", "tr": "", "th": "colspan rowspan", "td": "colspan rowspan", "caption": "", "details": "", "summary": "", "figure": "", "figcaption": "", "abbr": "title",
	"a": "href title class", "aside": "class aria-label", "h2": "id", "h3": "id", "h4": "id", "h5": "id", "h6": "id", "html": "", "head": "", "body": "",
}

// unsafe names what is wrong with markup, "" when nothing is.
func unsafe(markup string) string {
	root, err := nethtml.Parse(strings.NewReader(markup))
	if err != nil {
		return err.Error()
	}
	for n := range root.Descendants() {
		switch n.Type {
		case nethtml.CommentNode:
			return "comment"
		case nethtml.ElementNode:
			attrs, ok := allowed[n.Data]
			if !ok {
				return "element " + n.Data
			}
			for _, a := range n.Attr {
				if !contains(strings.Fields(attrs), a.Key) {
					return "attribute " + n.Data + " " + a.Key
				}
				if a.Key == "href" {
					u, err := url.Parse(a.Val)
					if err != nil || !contains([]string{"", "http", "https", "mailto"}, strings.ToLower(u.Scheme)) {
						return "address " + a.Val
					}
				}
			}
		}
	}
	return ""
}

// vectors are ways in which text has become script elsewhere.
var vectors = []string{
	`<script>alert(1)</script>`, `<SCRIPT SRC=//evil.example/x.js></SCRIPT>`, `<scr<script>ipt>alert(1)</scr</script>ipt>`, `<script`, "<script\x00>alert(1)</script>",
	`<img src=x onerror=alert(1)>`, `<img src="javascript:alert(1)">`, `<IMG """><SCRIPT>alert(1)</SCRIPT>">`, `<img src=x:x onerror	=alert(1)>`, `<image href=x onerror=alert(1)>`,
	`<svg onload=alert(1)>`, `<svg><script>alert(1)</script></svg>`, `<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>`, `<svg><animate onbegin=alert(1)></svg>`, `<svg><foreignObject><body onload=alert(1)>`,
	`<math><mi//xlink:href="data:x,<script>alert(1)</script>">`, `<math><mtext><table><mglyph><style><img src onerror=alert(1)>`, `<iframe src="javascript:alert(1)">`, `<iframe srcdoc="<script>alert(1)</script>">`, `<frameset onload=alert(1)>`,
	`<object data="javascript:alert(1)">`, `<embed src="javascript:alert(1)">`, `<applet code=x>`, `<base href="javascript:alert(1)//">`, `<meta http-equiv=refresh content="0;javascript:alert(1)">`,
	`<link rel=stylesheet href=//evil.example>`, `<style>*{background:url(javascript:alert(1))}</style>`, `<div style="background:url(javascript:alert(1))">x</div>`, `<p style="position:fixed;inset:0">x`, `<div class="modal">x</div>`,
	`<div id="code">x</div>`, `<form action="//evil.example"><input name=password></form>`, `<button onclick=alert(1)>x</button>`, `<input autofocus onfocus=alert(1)>`, `<select onfocus=alert(1) autofocus>`,
	`<textarea onfocus=alert(1) autofocus>`, `<keygen autofocus onfocus=alert(1)>`, `<video><source onerror=alert(1)></video>`, `<audio src=x onerror=alert(1)>`, `<body onload=alert(1)>`,
	`<details ontoggle=alert(1) open>x</details>`, `<marquee onstart=alert(1)>`, `<isindex type=image src=1 onerror=alert(1)>`, `<a href="javascript:alert(1)">x</a>`, `<a href=" javascript:alert(1)">x</a>`,
	`<a href="java&#x09;script:alert(1)">x</a>`, `<a href="JaVaScRiPt:alert(1)">x</a>`, `<a href="&#106;avascript:alert(1)">x</a>`, `<a href="data:text/html,<script>alert(1)</script>">x</a>`, `<a href="vbscript:msgbox(1)">x</a>`,
	`<a href="https://x" onmouseover=alert(1)>x</a>`, `<a href="https://x" target=_top>x</a>`, `<abbr title="x" onclick=alert(1)>x</abbr>`, `<table background="javascript:alert(1)">`, `<td background=x>`,
	`[x](javascript:alert(1))`, `[x](JavaScript:alert(1))`, `[x](java	script:alert(1))`, "[x](java\nscript:alert(1))", `[x](<javascript:alert(1)>)`, `[x](data:text/html;base64,PHNjcmlwdD4=)`, `[x](vbscript:x)`, `[x](file:///etc/passwd)`,
	`[x](&#106;avascript:alert(1))`, `[x](j&#x61;vascript:alert(1))`, `[x](\javascript:alert(1))`, `[x](//evil.example/)`, `[x](https://a"onmouseover="alert(1))`, `[x](https://a 'x" onclick="alert(1)')`,
	`![x](javascript:alert(1))`, `![x](https://evil.example/pixel.png)`, `![x" onerror="alert(1)](x)`, `<javascript:alert(1)>`, `<https://a" onclick="alert(1)>`, "[x]: javascript:alert(1)\n\n[x]", "[x]: data:text/html,x\n\n![x]",
	"```\"><script>alert(1)</script>\nx\n```", "``` js\" onclick=alert(1)\nx\n```", "# <script>alert(1)</script>", "# x\" onclick=\"alert(1)", "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |", "> [!NOTE] <script>alert(1)</script>\n> x",
	"> [!NOTE] x\" onclick=\"alert(1)\n> x", `{cold.p50"onclick="alert(1)}`, "x[^a]\n\n[^a]: \"><script>alert(1)</script>", "<!-- <img src=x onerror=alert(1)> -->", `<!--><img src=x onerror=alert(1)>-->`, `<![CDATA[<script>alert(1)</script>]]>`,
	`<?xml-stylesheet href="javascript:alert(1)"?>`, `<!DOCTYPE html><script>alert(1)</script>`, "<div\n\nonclick=alert(1)>x", "<a\nhref\n=\njavascript:alert(1)>x</a>", `<template><script>alert(1)</script></template>`, `<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
	`<xmp><script>alert(1)</script></xmp>`, `<plaintext>`, `<listing>&lt;img onerror=alert(1) src=x&gt;</listing>`, `<title><img src=x onerror=alert(1)></title>`, `<custom-element onclick=alert(1)>`, "\uE0000\uE001<script>alert(1)</script>", "</article></main><script>alert(1)</script>",
}

func TestNoVectorGetsThrough(t *testing.T) {
	if len(vectors) < 80 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	for _, v := range vectors {
		for _, around := range []string{"%s", "text %s text", "- %s", "> %s", "**%s**", "| a |\n|---|\n| %s |"} {
			src := fmt.Sprintf(around, v)
			out, _ := render(src)
			if why := unsafe(string(out)); why != "" {
				t.Errorf("%q gave %s in %s", src, why, out)
			}
		}
	}
}

// What authors leave open or close too often changes nothing around it: the page
// has its own elements there.
func TestHTMLIsBalanced(t *testing.T) {
	for _, src := range []string{"</div></div></main>after", "<div><details><b>open", "a </p></section> b", "<table><tr><td>cell", "- <ul><li>\n\n</li></ul></ul>after", "<span></details></span>"} {
		out, _ := render(src)
		z := nethtml.NewTokenizer(strings.NewReader(string(out)))
		var open []string
		for z.Next() != nethtml.ErrorToken {
			switch tok := z.Token(); {
			case tok.Type == nethtml.StartTagToken && tok.Data != "br" && tok.Data != "hr":
				open = append(open, tok.Data)
			case tok.Type == nethtml.EndTagToken:
				if len(open) == 0 || open[len(open)-1] != tok.Data {
					t.Errorf("%q closes %s, which it did not open last (%s): %s", src, tok.Data, open, out)
				}
				open = open[:max(0, len(open)-1)]
			}
		}
		if len(open) > 0 {
			t.Errorf("%q leaves %s open: %s", src, open, out)
		}
	}
}

func TestHostMayAllowRawHTML(t *testing.T) {
	l := &loader{cat: &Catalog{}, config: Config{RawHTML: true}}
	d := l.document("lesson.md", "")
	if got := d.block(`<div class="mine">x</div>`, 1); got != `<div class="mine">x</div>` {
		t.Errorf("got %s", got)
	}
}

// TestPathologicalInputIsQuick keeps inputs that are quadratic or worse in
// Markdown parsers under 200 ms, the bound of the web checklist.
func TestPathologicalInputIsQuick(t *testing.T) {
	const n = 60000
	inputs := map[string]string{}
	for _, unit := range []string{"[a](", ">", "- ", "[", "]", "![", "*a ", "**a ", "*a_ ", "_a__", "`", "``a", "<", "<a ", "<!--", "&", "&#", "\\", "~~a", "[a]: b\n", "[^a]", "[^a]: b\n", "{a.b}", "{a.", "1. ", "\t", " ", "\n", "> - ", "| a ", "|-", "(", "a**b", "\"", "<https://a ", "# ", "```\n", ":::", ":::hint\n", "- [ ] a\n", "+ a\n  ", "&amp;", "https://a.b ", "***", "[[a]]("} {
		inputs[unit] = strings.Repeat(unit, n/len(unit))
	}
	inputs["nested list"] = nested(400)
	inputs["blocks of brackets"] = strings.Repeat(strings.Repeat("[a](", 119)+"\n\n", 270)
	inputs["table"] = strings.Repeat("|a", 500) + "\n" + strings.Repeat("|-", 500) + "\n" + strings.Repeat(strings.Repeat("|b", 500)+"\n", 50)
	inputs["backticks of all lengths"] = backticks(300)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for name, src := range inputs {
		begin := threadTime(t) // the machine may be busy; the parser is judged
		l := &loader{cat: &Catalog{Sources: map[string]Source{}}}
		d := l.document("lesson.md", "")
		var text Text
		d.read(&text, clean(src), 1)
		if took := threadTime(t) - begin; took > instrumented*200*time.Millisecond {
			t.Errorf("%q ×: %v", clip(name, 20), took)
		}
	}
}

// threadTime is the CPU time that this thread has used.
func threadTime(t *testing.T) time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		t.Fatal(err)
	}
	return time.Duration(ts.Nano())
}

func nested(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", 2*i) + "- a\n")
	}
	return b.String()
}

func backticks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("`", i%80+1) + "a")
	}
	return b.String()
}
