package lessons

import (
	"strings"
	"testing"
)

func ask(t *testing.T, src string) *Question {
	t.Helper()
	l := &loader{cat: &Catalog{}}
	d := l.document("lesson.md", "")
	var text Text
	d.read(&text, src, 1)
	for _, p := range l.problems {
		t.Error(p)
	}
	if len(text.Questions) != 1 {
		t.Fatalf("%d questions", len(text.Questions))
	}
	return text.Questions[0]
}

func TestGrade(t *testing.T) {
	choice := ":::quiz\nWhy?\n- [x] a\n- [ ] b\n  > no.\n:::"
	several := ":::predict\nWhich?\n- [x] a  - [ ] b   - [x] c\n:::"
	order := ":::quiz kind=order\nOrder?\n1. a\n2. b\n3. c\n:::"
	match := ":::predict kind=match\nWhere?\n- `/` => a\n- `/x` => b\n- `/y` => a\n:::"
	number := ":::quiz kind=number\nHow many?\n= 400 ± 20% ms\n:::"
	absolute := ":::quiz kind=number\nHow much?\n= 9.73 ± 0.01\n:::"
	exact := ":::quiz kind=number\nHow many?\n= 1,000\n:::"
	measured := ":::predict kind=number\nHow many?\n= {iso.fit} ± 10%\n:::"
	mark := ":::predict kind=mark axis=\"requests a month\" from=1e5 to=1e9 scale=log\nWhere?\n= 1.22e8 ± 20%\n:::"
	figures := func(name string) (float64, bool) { return 900, name == "iso.fit" }
	for _, c := range []struct {
		src    string
		answer string
		right  bool
		err    bool
	}{
		{choice, "0", true, false},
		{choice, "1", false, false},
		{choice, "", false, false},
		{choice, "0 1", false, false},
		{choice, "2", false, true},
		{choice, "x", false, true},
		{several, "0 2", true, false},
		{several, "0", false, false},
		{several, "2 0", true, false},
		{order, "0 1 2", true, false},
		{order, "1 0 2", false, false},
		{order, "0 1", false, true},
		{match, "0 1 0", true, false},
		{match, "0 1 1", false, false},
		{match, "0 1 2", false, true},
		{number, "320", true, false},
		{number, "480", true, false},
		{number, "481", false, false},
		{number, "NaN", false, true},
		{number, "", false, true},
		{number, "1e999", false, true},
		{absolute, "9.74", true, false},
		{absolute, "9.75", false, false},
		{exact, "1,000", true, false},
		{exact, "1001", false, false},
		{measured, "990", true, false},
		{measured, "1000", false, false},
		{mark, "1e8", true, false},
		{mark, "1e7", false, false},
	} {
		q := ask(t, c.src)
		g, err := q.Grade(strings.Fields(c.answer), figures)
		if (err != nil) != c.err || err == nil && g.Right != c.right {
			t.Errorf("%s with %q: right %v, err %v", strings.SplitN(c.src, "\n", 2)[0], c.answer, g.Right, err)
		}
	}
	if g, err := ask(t, measured).Grade([]string{"900"}, nil); err != nil || g.Known {
		t.Errorf("without a measurement nothing is known: %+v, %v", g, err)
	}
}

func TestQuestionParts(t *testing.T) {
	q := ask(t, ":::quiz id=why\nWhy `a`?\n- [x] this **one**\n  > Because.\n  > Really.\n- [ ] that\n  goes on\n  > No.\n> After all.\n:::")
	if q.ID != "why" || q.Ask != "<p>Why <code>a</code>?</p>" || q.Multiple || q.Why != "After all." {
		t.Errorf("%+v", q)
	}
	if q.Options[0].HTML != "this <strong>one</strong>" || q.Options[0].Why != "Because. Really." || q.Options[1].HTML != "that goes on" || q.Options[1].Why != "No." {
		t.Errorf("%+v", q.Options)
	}
}

func TestOrderIsNeverShownInOrder(t *testing.T) {
	for n := 2; n < 9; n++ {
		src := ":::quiz kind=order\nOrder?\n"
		for i := range n {
			src += string(rune('1'+i)) + ". item\n"
		}
		q := ask(t, src+":::")
		shown, again := q.Shown(), q.Shown()
		sorted := true
		seen := map[int]bool{}
		for i, v := range shown {
			sorted = sorted && i == v
			seen[v] = true
			if again[i] != v {
				t.Error("the order changes between two looks")
			}
		}
		if sorted || len(seen) != n {
			t.Errorf("%d options shown as %v", n, shown)
		}
	}
}

func TestDiff(t *testing.T) {
	from := map[string][]byte{"a.js": []byte("one\ntwo\nthree\n"), "same.js": []byte("x\n"), "gone.js": []byte("y\n")}
	to := map[string][]byte{"a.js": []byte("one\n2\nthree\nfour\n"), "same.js": []byte("x\n"), "new.js": []byte("z\n")}
	var b strings.Builder
	for _, f := range Diff(from, to) {
		b.WriteString(f.Path + "\n")
		for _, l := range f.Lines {
			b.WriteString(string(l.Op) + l.Text + "\n")
		}
	}
	want := "a.js\n one\n-two\n+2\n three\n+four\ngone.js\n-y\nnew.js\n+z\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestHighlightKeepsTheText(t *testing.T) {
	src := "const a = `x\n${y}`; // c\n/* d\ne */ let s = 'it\\'s'; a.delete(1);\n"
	lines := HighlightLines("src/index.ts", src)
	if len(lines) != 4 {
		t.Fatalf("%d lines", len(lines))
	}
	want := []string{
		`<b class="k">const</b> a = <span class="s">` + "`x</span>", `<span class="s">${y}` + "`</span>; <span class=\"c\">// c</span>", `<span class="c">/* d</span>`,
		`<span class="c">e */</span> <b class="k">let</b> s = <span class="s">&#39;it\&#39;s&#39;</span>; a.delete(<span class="s">1</span>);`,
	}
	for i, w := range want {
		if lines[i] != w {
			t.Errorf("line %d\ngot  %s\nwant %s", i+1, lines[i], w)
		}
	}
}

func TestDeclarations(t *testing.T) {
	src := "// test(\"1: no\", …)\nconst s = 'test(\"2: no\")';\ntest(\"1: a\", async () => {});\n  test.hidden('2: it\\'s', f); latest(\"3: no\"); x.test(\"4: no\");\ntest.guard( \"free\", f);\ntest(`2: ${x}`, f);\n"
	got := declarations(src)
	want := []Declaration{{"1: a", 1, "test", 3, 1}, {"2: it's", 2, "hidden", 4, 3}, {"free", 0, "guard", 5, 1}, {"2: ${x}", 2, "test", 6, 1}}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
}
