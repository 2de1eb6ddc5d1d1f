package bundle

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"coldstart/sandbox/trace"
)

// rep builds before + n×middle + inner + n×after.
func rep(before, middle string, n int, inner, after string) string {
	return before + strings.Repeat(middle, n) + inner + strings.Repeat(after, n)
}

// deep are sources that exhaust the parser's stack, memory or time when nothing is in front of it.
var deep = []struct{ name, file, source string }{
	{"arrays", "a.js", rep("const a=", "[", 100_000, "", "]")},
	{"arrays, never closed", "a.js", rep("const a=", "[", 500_000, "", "")},
	{"parentheses", "a.js", rep("const a=", "(", 300_000, "1", ")")},
	{"objects", "a.js", rep("const a=", "{a:", 200_000, "1", "}")},
	{"functions", "a.js", rep("const a=", "()=>{", 150_000, "", "}")},
	{"blocks", "a.js", rep("", "{", 400_000, "", "}")},
	{"templates", "a.js", rep("a=", "`${", 200_000, "1", "}`")},
	{"calls", "a.js", rep("", "f(", 200_000, "", ")")},
	{"classes", "a.js", rep("", "class A{x=", 60_000, "1", "}")},
	{"unary", "a.js", rep("a=", "!", 900_000, "1", "")},
	{"typeof", "a.js", rep("a=", "typeof ", 140_000, "1", "")},
	{"await", "a.js", rep("a=", "await ", 140_000, "1", "")},
	{"new", "a.js", rep("a=", "new ", 200_000, "b", "")},
	{"minus with spaces", "a.js", rep("a=", "- ", 400_000, "1", "")},
	{"increment", "a.js", rep("a=", "++ ", 300_000, "b", "")},
	{"conditions", "a.js", rep("a=", "a?b:", 200_000, "c", "")},
	{"arrows", "a.js", rep("a=", "a=>", 300_000, "c", "")},
	{"async arrows", "a.js", rep("a=", "async a=>", 100_000, "c", "")},
	{"powers", "a.js", rep("a=a", "**b", 200_000, "", "")},
	{"assignments", "a.js", rep("a", "=b", 400_000, "", "")},
	{"members", "a.js", rep("a=a", ".b", 400_000, "", "")},
	{"members on lines", "a.js", rep("a=a", "\n.b", 300_000, "", "")},
	{"optional members", "a.js", rep("a=a", "?.b", 300_000, "", "")},
	{"call chain", "a.js", rep("a=a", "()", 400_000, "", "")},
	{"index chain", "a.js", rep("a=a", "[0]", 300_000, "", "")},
	{"tagged templates", "a.js", rep("a=a", "``", 400_000, "", "")},
	{"if", "a.js", rep("", "if(a)", 200_000, "b", "")},
	{"else", "a.js", rep("", "if(a){}else ", 80_000, "b", "")},
	{"else after semicolons", "a.js", rep("", "if(a)b;else ", 80_000, "b", "")},
	{"for", "a.js", rep("", "for(;;)", 140_000, "b", "")},
	{"while", "a.js", rep("", "while(1)", 120_000, "b", "")},
	{"do", "a.js", rep("", "do ", 200_000, "b", ";while(1)")},
	{"labels", "a.js", rep("", "a:", 400_000, "b", "")},
	{"extends", "a.js", rep("a=", "class extends ", 60_000, "b", "{}")},
	{"yield", "a.js", "function* f(){" + rep("", "yield ", 150_000, "1", "") + "}"},
	{"patterns", "a.js", rep("let ", "[", 300_000, "a", "]") + "=1"},
	{"import calls", "a.js", rep("", "import(", 120_000, "a", ")")},
	{"strings joined", "a.js", rep("a=", `"a"+`, 200_000, "1", "")},
	{"comma expression", "a.js", rep("a=a", ",b", 400_000, "", "")},
	{"comma expression in brackets", "a.js", rep("a=(a", ",b", 400_000, "", "") + ")"},
	{"declarations", "a.js", rep("", "var a;", 150_000, "", "")},
	{"declaration list", "a.js", rep("var a", ",a", 400_000, "", "")},
	{"cases", "a.js", rep("switch(x){", "case 1:a();", 80_000, "", "") + "}"},
	{"closers in strings", "a.js", rep("a=", "['',\"]\",", 100_000, "1", "]")},
	{"closers in regular expressions", "a.js", rep("a=", "[/]/,", 150_000, "1", "]")},
	{"closers in classes of regular expressions", "a.js", rep("a=", "[/[/]]/,", 120_000, "1", "]")},
	{"closers in comments", "a.js", rep("a=", "[/*]*/", 150_000, "1", "]")},
	{"closers in line comments", "a.js", rep("a=", "[//]\n", 150_000, "1", "]")},
	{"closers in templates", "a.js", rep("a=", "[`]`,", 150_000, "1", "]")},
	{"slash after a block", "a.js", rep("{}/'/;", "[", 300_000, "1", "]") + "//'"},
	{"slash after an object", "a.js", rep("a={}/'/;'/;", "[", 300_000, "1", "]")},
	{"quote in a regular expression", "a.js", rep("a=b\n/'/;", "[", 300_000, "1", "]") + "//'"},
	{"slash after a control bracket", "a.js", rep("if(a)/'/;", "[", 300_000, "1", "]") + "//'"},
	{"slash after of", "a.js", rep("for(of of /'/);", "[", 300_000, "1", "]") + "//'"},
	{"html comment", "a.js", rep("a<!--'\n;", "[", 300_000, "1", "]") + "//'"},
	{"elements", "a.jsx", rep("a=", "<a>", 150_000, "b", "</a>")},
	{"elements in attributes", "a.jsx", rep("a=", "<a b=", 150_000, "''", "/>")},
	{"fragments", "a.jsx", rep("a=", "<>", 150_000, "b", "</>")},
	{"quotes in text", "a.jsx", rep("a=", "<a>it's{[", 60_000, "b", "]}</a>")},
	{"elements in javascript", "a.js", rep("a=", "<a>", 100_000, "b", "</a>")},
	{"type brackets", "a.ts", rep("let a:", "(", 300_000, "b", ")")},
	{"type arguments", "a.ts", rep("let a:", "A<", 300_000, "b", ">")},
	{"type arguments with commas", "a.ts", rep("let a:", "A<b,", 200_000, "b", ">")},
	{"keyof", "a.ts", rep("let a:", "keyof ", 150_000, "b", "")},
	{"conditional types", "a.ts", rep("let a:", "b extends c?d:", 60_000, "e", "")},
	{"function types", "a.ts", rep("let a:", "()=>", 200_000, "e", "")},
	{"less than", "a.ts", rep("a=a", "<a", 400_000, "", "")},
	{"casts", "a.ts", rep("a=", "<a>", 300_000, "b", "")},
	{"namespaces", "a.ts", rep("", "namespace a{", 60_000, "", "}")},
	{"dotted namespace", "a.ts", rep("namespace a", ".b", 300_000, "{export let x=1}", "")},
	{"namespaces in a row", "a.ts", rep("", "namespace A{export let x=1}", 30_000, "", "")},
	{"enums in a row", "a.ts", rep("", "enum A{B}", 80_000, "", "")},
	{"enum members", "a.ts", rep("enum A{B,", "C=B+1,", 100_000, "", "") + "}"},
	{"arrow ambiguity", "a.ts", rep("a=", "a?(b):c=>", 60, "d", "")},
	{"arrow ambiguity in brackets", "a.ts", rep("a=", "(a?(b):c=>", 60, "d", ")")},
	{"stray brackets in elements", "a.tsx", rep("a=<T>", "]}", 200_000, "", "")},
	{"with", "a.js", rep("", "with(a)b;", 100_000, "", "")},
	{"json", "a.json", rep("", "[", 400_000, "", "]")},
	{"json with comments", "a.json", rep("", `/*"*/[`, 150_000, "", "]")},
	{"json objects", "a.json", rep("", `{"a":`, 150_000, "1", "}")},
}

// TestDeep builds every deep source in a process of its own kind: a crash of
// the parser cannot be recovered. The child does all of them, and the parent reads where it stopped.
func TestDeep(t *testing.T) {
	if os.Getenv("BUNDLE_DEEP") == "1" {
		for _, d := range deep {
			refused := false
			took := costs(1500*time.Millisecond, func() { refused = Build(t.Context(), Config{}, asProject(d.file, d.source)).Fault != nil })
			fmt.Printf("DEEP\t%s\t%d\t%v\n", d.name, took.Milliseconds(), refused)
		}
		return
	}
	out, err := deepChild(t, "TestDeep")
	done := 0
	for line := range strings.Lines(out) {
		parts := strings.Split(strings.TrimSpace(line), "\t")
		if parts[0] != "DEEP" {
			continue
		}
		var ms int
		if _, err := fmt.Sscan(parts[2], &ms); err != nil {
			t.Fatal(err)
		}
		if ms > 1500 {
			t.Errorf("%s took %d ms", parts[1], ms)
		}
		if parts[3] != "true" {
			t.Errorf("%s was built; the scan should refuse it", parts[1])
		}
		done++
	}
	if err != nil || done != len(deep) {
		next := "none"
		if done < len(deep) {
			next = deep[done].name
		}
		t.Fatalf("%d of %d survived, the next was %q: %v\n%s", done, len(deep), next, err, out[max(0, len(out)-2000):])
	}
}

func asProject(file, source string) trace.Project {
	if strings.HasSuffix(file, ".json") {
		return files("index.js", "import a from './"+file+"'; export default a", file, source)
	}
	return files(file, source+"\nexport default {}")
}

// deepChild runs a test of this binary alone, with a ceiling on its memory.
// There is one parser at a time in it, so nothing for the race detector to see,
// under which it takes ten times as long: make test-go runs these without it.
func deepChild(t *testing.T, test string) (string, error) {
	t.Helper()
	if raced {
		t.Skip("one parser at a time: run without the race detector")
	}
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `ulimit -v 4000000; exec "$0" "$@"`, os.Args[0], "-test.run=^"+test+"$", "-test.timeout=9m") // what a source may cost is judged by its own time
	cmd.Env = append(os.Environ(), "BUNDLE_DEEP=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestHostileParsers builds the hostile corpus' parser attacks.
func TestHostileParsers(t *testing.T) {
	cases, err := filepath.Glob("../hostile/testdata/cpu-parser-*.json")
	if err != nil || len(cases) == 0 {
		cases, _ = filepath.Glob("../hostile/testdata/*/cpu-parser-*.json")
	}
	if len(cases) == 0 {
		t.Fatal("the hostile corpus is not in sandbox/hostile/testdata")
	}
	if os.Getenv("BUNDLE_DEEP") != "1" {
		if out, err := deepChild(t, "TestHostileParsers"); err != nil {
			t.Fatalf("%v\n%s", err, out[max(0, len(out)-2000):])
		}
		return
	}
	for _, file := range cases {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c struct {
			Main     string
			Files    map[string]string
			FilesGen map[string][]struct {
				Text, Repeat string
				N            int
			} `json:"files_gen"`
		}
		if err := json.Unmarshal(data, &c); err != nil {
			t.Fatal(err)
		}
		p := trace.Project{Main: c.Main, Files: map[string][]byte{}}
		for name, text := range c.Files {
			p.Files[name] = []byte(text)
		}
		for name, parts := range c.FilesGen {
			var b strings.Builder
			for _, part := range parts {
				b.WriteString(part.Text)
				b.WriteString(strings.Repeat(part.Repeat, part.N))
			}
			p.Files[name] = []byte(b.String())
		}
		p.Limits.Source = 64 << 20 // let the scan meet what the size limit would stop
		const most = 3 * time.Second
		if took := costs(most, func() { Build(t.Context(), Config{}, p) }); took > most && !strings.Contains(file, "50mb") {
			t.Errorf("%s took %v", file, took)
		}
	}
}

// costs is the time that f takes, waiting for others left out. What a busy
// machine adds differs from try to try, and what f itself costs does not: one
// that seems to take more than most is tried twice more, and the least counts.
func costs(most time.Duration, f func()) time.Duration {
	least := time.Duration(math.MaxInt64)
	for range 3 {
		began, used := time.Now(), cpuTime()
		f()
		if least = min(least, time.Since(began), cpuTime()-used); least <= most {
			break
		}
	}
	return least
}

// cpuTime is what this process has used: a bound on it holds on a busy machine too.
func cpuTime() time.Duration {
	var r unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func TestScanAllows(t *testing.T) {
	for name, source := range map[string]string{
		"many calls":             rep("", "app.get('/a', (c) => c.text('x'))\n", 3000, "", ""),
		"lines without ;":        rep("", "x = a.b.c\n", 5000, "", ""),
		"builder chain":          rep("z", ".a('b')", 300, "", ""),
		"else if":                rep("", "if (a) { b() } else ", 300, "c()", ""),
		"large table":            rep("x=[", "['a', 1, {b: 2}],\n", 20_000, "", "") + "]",
		"large object":           rep("x={", "'k': 'v',\n", 20_000, "", "") + "}",
		"long sum":               rep("x=1", "+a*b", 20_000, "", ""),
		"regular expressions":    rep("", "if (/[\"'`]{2}/.test(s)) { t = s.replace(/\\/\\*/g, '') }\n", 2000, "", ""),
		"typed arrows":           rep("", "const f = (a: number): string => a ? (b) : c\n", 1000, "", ""),
		"fallthrough":            rep("switch(x){", "case 1:\n", 3000, "", "") + "}",
		"comments with brackets": rep("", "// ((((( [[[[ {{{{ ' \"\n/* ` ( */", 2000, "", ""),
		"strings with brackets":  rep("", "x = '((((' + \"[[[\";\n", 2000, "", ""),
		"generics":               rep("", "const m = new Map<string, Array<Map<string, number>>>();\n", 1500, "", ""),
		"classes":                rep("", "class A extends B { private x = 1; get y() { return this.x } }\n", 1500, "", ""),
	} {
		for _, syn := range []syntax{{ts: true}, {}} {
			if f := scanScript(source, syn); f != nil {
				line, _ := position(source, f.offset)
				t.Errorf("%s (ts %v): line %d: %s", name, syn.ts, line, f.message)
			}
		}
	}
	const page = "export const Page = (p: Props) => <main class='x'>\n  Don't {p.list.map((i) => <li key={i}>{i} isn't `{'`'}`</li>)}\n  <br/> a &gt; b\n</main>;\n"
	if f := scanScript(strings.Repeat(page, 800), syntax{ts: true, jsx: true}); f != nil {
		t.Errorf("jsx: %s", f.message)
	}
}

// Each bound lies where it is written: as many parts as that pass, and not many more.
func TestScanBounds(t *testing.T) {
	ts, tsx := syntax{ts: true}, syntax{ts: true, jsx: true}
	for name, c := range map[string]struct {
		syn                   syntax
		before, middle, after string // as rep has them
		most                  int
		told                  string
	}{
		"brackets":          {ts, "a=", "[", "]", 200, "nested more than 200 deep"},
		"blocks":            {ts, "", "{", "}", 200, "nested more than 200 deep"},
		"templates":         {ts, "a=", "`${", "}`", 100, "nested more than 200 deep"},
		"elements":          {tsx, "a=", "<a>", "</a>", 200, "nested more than 200 deep"},
		"members":           {ts, "a=a", ".b", "", 2000, "more than 2,000 links"},
		"calls":             {ts, "a=a", "()", "", 2000, "more than 2,000 links"},
		"operators":         {ts, "a=", "!", "", 2000, "more than 2,000 links"},
		"arrows":            {ts, "a=", "a?(b):c=>", "", 12, "More than 12 conditions"},
		"commas":            {ts, "a=(a", ",b", "", 4000, "More than 4,000 parts"},
		"strings":           {ts, "a='a'", "+'a'", "", 2000, "More than 2,000 strings"},
		"declarations":      {ts, "", "var a;", "", 4000, "4,000"},
		"cases":             {ts, "switch(x){", "case 1:a();", "", 4000, "4,000"},
		"stray brackets":    {tsx, "a=<T>", "}", "<", 500, "many } and >"},
		"dotted namespaces": {ts, "namespace a", ".b", "", 50, "more than 50 parts"},
	} {
		refused := func(n int) *finding {
			inner := "d"
			if c.after == "<" {
				return scanScript(rep(c.before, c.middle, n, "</T>", ""), c.syn)
			}
			return scanScript(rep(c.before, c.middle, n, inner, c.after), c.syn)
		}
		least := sort.Search(4*c.most, func(n int) bool { return refused(n) != nil })
		if least < c.most*9/10 || least > c.most+3 {
			t.Errorf("%s: %d are refused, want about %d", name, least, c.most)
		}
		if f := refused(4 * c.most); f == nil || !strings.Contains(f.message, c.told) {
			t.Errorf("%s: %d are told %+v, want %q", name, 4*c.most, f, c.told)
		}
	}
	// What can be read in two ways passes as long as it is short.
	unsure := func(n int) *finding { return scanScript("{}/'/;"+strings.Repeat("a;", n)+"//'", ts) }
	if f := unsure(48_000/2 - 10); f != nil {
		t.Errorf("a short file: %+v", f)
	}
	if f := unsure(48_000/2 + 10); f == nil || !strings.Contains(f.message, "too long to be read safely") {
		t.Errorf("a long file: %+v", f)
	}
	if f := scanScript("{}/'/;"+strings.Repeat("aaaaaaaaa;", 48_000/10+10)+"//'", ts); f != nil {
		t.Errorf("a long file of few parts: %+v", f)
	}
}

func TestScanOfShelf(t *testing.T) {
	cfg := shelfForTest(t)
	n := 0
	for _, dir := range []string{"hono/dist", "zod/v4/core", "express/lib", "itty-router", "nanoid", "typescript/lib"} {
		list, _ := filepath.Glob("../../web/node_modules/" + dir + "/*.js")
		for _, file := range list {
			text, ok := cfg.Shelf.(*shelf).read(strings.TrimPrefix(file, "../../web/node_modules/"))
			if !ok || len(text) > 1<<20 {
				continue
			}
			n++
			if f := scanScript(text, syntax{jsx: true}); f != nil {
				line, _ := position(text, f.offset)
				t.Errorf("%s:%d: %s", file, line, f.message)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d files found", n)
	}
}

func BenchmarkScan(b *testing.B) {
	source := strings.Repeat("app.get('/a', async (c) => { const x = /a[b]/.test(c.req.path) ? 1 : 2; return c.text(`${x}`) });\n", 1000)
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		if f := scanScript(source, syntax{ts: true}); f != nil {
			b.Fatal(f.message)
		}
	}
}

// units are pieces that random programs repeat.
var units = []string{
	"a", "1", "''", "\"", "'", "`", "(", ")", "[", "]", "{", "}", "<", ">", "/", "//\n", "/*", "*/", "=>", "=", "==", "?", "?.", ":", ";", ",", ".",
	"!", "~", "+", "-", "++", "**", "&&", "??", "...", "@", "#a", "${", "</a>", "<a>", "/>", "<a", "\n", "\\", "if", "else ", "for(;;)", "while(1)", "do ",
	"switch(a){", "case 1:", "class ", "extends ", "function ", "function*a(){", "async ", "await ", "yield ", "new ", "typeof ", "void ", "delete ", "in ", "of ",
	"let ", "var ", "const ", "import ", "import(", "export ", "default ", "return ", "throw ", "try{", "catch{", "finally{", "static ", "get ", "as ", "as const",
	"keyof ", "infer ", "is ", "enum ", "namespace ", "declare ", "type ", "interface ", "abstract ", "satisfies ", "unique ", "a:", "a?:", "a=", "a.b", "(a)", "(a)=>", "():a=>",
	"a`", "'a'+", "{a:", "[a,", "<T>", "<T,>", "<T extends ", "!==", "using ", "with(a)", "new.target", "super.", "this.", "=a?(b):c", "-->", "<!--", "accessor ", "async<T>(",
}

// wraps are pairs that nest validly: expressions in expressions, statements in
// statements, types in types.
var wraps = [3][][2]string{
	{
		{"(", ")"},
		{"[", "]"},
		{"{a:", "}"},
		{"f(", ")"},
		{"a[", "]"},
		{"`${", "}`"},
		{"!", ""},
		{"- ", ""},
		{"typeof ", ""},
		{"a=>", ""},
		{"()=>{return ", "}"},
		{"a?", ":b"},
		{"a?b:", ""},
		{"a=", ""},
		{"a**", ""},
		{"", "**b"},
		{"", "+b"},
		{"a+", ""},
		{"", ".b"},
		{"", "?.b"},
		{"", "[0]"},
		{"", "()"},
		{"", "`x`"},
		{"", ",b"},
		{"a,", ""},
		{"new ", ""},
		{"new (", ")"},
		{"function(){return ", "}"},
		{"class{x=", "}"},
		{"class extends (", "){}"},
		{"async()=>await ", ""},
		{"/'/.test(", ")"},
		{"{}/1/", ""},
		{"'(',", ""},
		{"{[", "]:1}"},
		{"{...", "}"},
		{"[...", "]"},
		{"a??(", ")"},
		{"a&&", ""},
		{"a||", ""},
		{"", " in b"},
		{"import(", ")"},
		{"'a'+", ""},
		{"{get a(){return ", "}}"},
		{"(a=", ")=>1"},
		{"a<", ""},
		{"a/", ""},
		{"function*(){yield ", "}"},
		{"(", ")()"},
		{"{async*a(){", "}}"},
		{"x`${", "}`"},
		{"a instanceof ", ""},
		{"void ", ""},
		{"a||=", ""},
		{"(a,", ")"},
	},
	{
		{"{", "}"},
		{"if(a)", ""},
		{"if(a){}else ", ""},
		{"if(a)b;else ", ""},
		{"for(;;)", ""},
		{"while(1){", "}"},
		{"do ", ";while(1)"},
		{"try{", "}catch{}"},
		{"try{}finally{", "}"},
		{"function f(){", "}"},
		{"class A{m(){", "}}"},
		{"class A{static{", "}}"},
		{"a:", ""},
		{"switch(a){case 1:", "}"},
		{"", "var a;"},
		{"a();", ""},
		{"/'/;", ""},
		{"{}/'/;", ""},
		{"'{';", ""},
		{"for(a of b)", ""},
		{"", "\nb"},
		{"async function f(){for await(a of b)", "}"},
		{"with(a)", ""},
		{"let b=1;", ""},
		{"case1:", ""},
		{"if(a)b\nelse ", ""},
		{"function f(a=()=>{", "}){}"},
		{"", ";class A{}"},
		{"label:{", "break label}"},
	},
	{
		{"(", ")"},
		{"[", "]"},
		{"{a:", "}"},
		{"A<", ">"},
		{"keyof ", ""},
		{"", "[]"},
		{"", "|b"},
		{"a&", ""},
		{"()=>", ""},
		{"a extends b?", ":c"},
		{"a extends b?c:", ""},
		{"readonly ", "[]"},
		{"typeof ", ""},
		{"new()=>", ""},
		{"{[k in ", "]:a}"},
		{"`${", "}`"},
		{"A<b,", ">"},
		{"{(a:", "):b}"},
		{"(a:", ")=>b"},
		{"", "['a']"},
		{"import('a',", ")"},
		{"<T>(a:", ")=>void"},
		{"{readonly a?:", "}"},
		{"", " extends infer U?1:2"},
	},
}

// TestRandomRepeats repeats random short pieces many thousand times, as hostile
// programs do, in a process of its own that must survive them all.
func TestRandomRepeats(t *testing.T) {
	n, seed := 100, uint64(1)
	if s := os.Getenv("BUNDLE_REPEATS"); s != "" { // "count seed"
		if _, err := fmt.Sscan(s, &n, &seed); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getenv("BUNDLE_DEEP") != "1" {
		out, err := deepChild(t, "TestRandomRepeats")
		if err != nil {
			i := strings.LastIndex(out, "REPEAT\t")
			t.Fatalf("%v\n%.3000s", err, out[max(i, 0):])
		}
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "SLOW") {
				t.Log(line)
			}
		}
		return
	}
	r := rand.New(rand.NewPCG(seed, 2))
	for range n {
		pick := func(most int) string {
			var b strings.Builder
			for range r.IntN(most) + 1 {
				b.WriteString(units[r.IntN(len(units))])
			}
			return b.String()
		}
		before, middle, inner, after := pick(3), pick(5), "a", pick(3)
		if r.IntN(2) == 0 {
			after = ""
		}
		if kind := r.IntN(4); kind < 3 { // valid nesting
			before, middle, after = []string{"x=", "", "let x:"}[kind], "", ""
			for range r.IntN(4) + 1 {
				w := wraps[kind][r.IntN(len(wraps[kind]))]
				middle, after = middle+w[0], w[1]+after
			}
			if middle+after == "" {
				continue
			}
			if kind == 1 {
				inner = "a;"
			}
		}
		times := 300_000 / (len(middle) + len(after))
		file := []string{"a.ts", "a.js", "a.tsx"}[r.IntN(3)]
		fmt.Printf("REPEAT\t%s\t%q\t%q\t%q\n", file, before, middle, after)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		began := time.Now()
		Build(ctx, Config{}, asProject(file, rep(before, middle, times, inner, after)))
		if took := time.Since(began); took > 2*time.Second {
			fmt.Printf("SLOW\t%v\t%s\t%q\t%q\t%q\n", took, file, before, middle, after)
		}
		cancel()
	}
}
