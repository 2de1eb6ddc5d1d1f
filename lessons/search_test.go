package lessons

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSearch(t *testing.T) {
	c, _ := Load(Shipped())
	for query, first := range map[string]string{
		"cold start":   "The cold start",
		"COLD-START":   "The cold start",
		"isolate":      "isolate",
		"router":       "Thirty lines of Express",
		"3 a.m.":       "The 3 a.m. bill",
		"build-a-rout": "Thirty lines of Express",
		"wasm":         "Wasm",
	} {
		f := c.Search(query)
		titles := []string{}
		for _, h := range f.Hits {
			titles = append(titles, h.Title)
		}
		if at := slices.Index(titles, first); at < 0 || at > 1 {
			t.Errorf("%q gives %q, want %q among the first two", query, titles[:min(5, len(titles))], first)
		}
	}
	for query, near := range map[string]string{"isolatte": "isolate", "cold strat": "cold start", "rotuer": "router", "qqqqqq": "", "": "", " -- ": ""} {
		f := c.Search(query)
		if len(f.Hits) > 0 || f.Near != near {
			t.Errorf("%q: %d hits, near %q, want none and %q", query, len(f.Hits), f.Near, near)
		}
		if near != "" && len(c.Search(f.Near).Hits) == 0 {
			t.Errorf("%q is proposed and finds nothing", f.Near)
		}
	}
	begin := time.Now()
	for range 100 {
		c.Search(strings.Repeat("isolat x", 1000))
		c.Search("isolatte contaner")
	}
	t.Logf("%v for each pair of searches", time.Since(begin)/100)
}

// TestSearchKeepsHints looks for words that only hints use.
func TestSearchKeepsHints(t *testing.T) {
	c, _ := Load(Shipped())
	tried := 0
	for _, l := range c.Lessons() {
		for _, h := range l.Hints {
			for _, w := range wordsOf(plainText(h.HTML)) {
				if c.index.words[w] == nil {
					tried++
					for _, hit := range c.Search(w).Hits {
						if !slices.ContainsFunc(c.index.list, func(known string) bool { return strings.HasPrefix(known, w) }) {
							t.Errorf("%q, a hint's word, finds %s", w, hit.Title)
						}
					}
				}
			}
		}
	}
	if tried == 0 {
		t.Error("hints use no words of their own")
	}
}

func TestGlossary(t *testing.T) {
	c, problems := Load(Shipped())
	for _, p := range problems {
		if strings.HasPrefix(p.File, "glossary") {
			t.Error(p)
		}
	}
	// The words that the curriculum promises, each with a definition of its own.
	const promised = `autoscaling, binding, cgroup, CPU time, cold start, compatibility date, concurrency, container, cordon, cron trigger, edge, event, eviction, fetch handler, GB-second, goja, handler, idempotent, image, isolate, kernel, KV, load balancer, lock-in, microVM, multi-tenant, namespace, origin, p50 and p99, PaaS, pod, process, provisioned concurrency, queue, region, route pattern, runtime, sandbox, scale to zero, service binding, Spectre, subrequest, V8, VM, wall time, Wasm, Worker, workerd, Wrangler, zone`
	known := map[string]Term{}
	for _, term := range c.Glossary {
		known[term.Name] = term
	}
	for _, name := range strings.Split(promised, ", ") {
		if len(known[name].HTML) < 40 {
			t.Errorf("%s is not explained", name)
		}
	}
	marked := map[string]bool{}
	for _, l := range c.Lessons() {
		var page strings.Builder
		for _, p := range l.Pieces {
			page.WriteString(string(p.HTML))
			if p.Task != nil {
				page.WriteString(string(p.Task.Body))
			}
		}
		for _, term := range c.Glossary {
			n := strings.Count(page.String(), `id="term-`+term.ID+`"`)
			if n > 1 {
				t.Errorf("%s marks %s %d times", l.ID, term.Name, n)
			}
			marked[term.ID] = marked[term.ID] || n == 1
		}
	}
	if n := len(marked); n < 40 {
		t.Errorf("%d terms", n)
	}
}

func TestMarkLeavesCodeAndLinksAlone(t *testing.T) {
	m := newTermMarker("en", map[string]Term{"vm": {ID: "vm", Name: "VM", Lang: "en", HTML: "<i>"}, "vms": {ID: "vm", Name: "VM", Lang: "en", HTML: "<i>"}})
	m.used = map[string]bool{}
	got := string(m.mark(`<p><code>vm</code> <a href="/vm">vm</a> vmware a-vm &vm; <b>VM</b> Two VMs, one vm.</p>`))
	want := `<p><code>vm</code> <a href="/vm">vm</a> vmware a-vm &vm; <b>VM</b> Two <span class="term"><a href="/glossary#vm" aria-describedby="term-vm">VMs</a><span class="term_card" role="tooltip" id="term-vm"><i></span></span>, one vm.</p>`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A translation's cards speak its language where its glossary does, and
// English, marked as such, where it does not.
func TestGlossaryInTranslations(t *testing.T) {
	files := map[string]string{
		"lesson.md":          strings.Replace(good, "Text.", "A cold start of an isolate.", 1),
		"lesson.nl.md":       "---\ntitle: Eerste\n---\nEen koude start van een isolate, weer een koude start.\n\n## 1. Groet\nDoe het.\n\n:::quiz\nWaarom?\n- [x] dit\n- [ ] dat\n  > nee.\n:::\n",
		"lesson.fr.md":       "---\ntitle: Une\n---\nUn isolate.\n\n## 1. Salut\nFais.\n\n:::quiz\nPourquoi ?\n- [x] ceci\n- [ ] cela\n  > non.\n:::\n",
		"./glossary.yaml":    "- { term: cold start, text: The first one. }\n- { term: isolate, text: A box., also: [isolates] }\n",
		"./glossary.nl.yaml": "- { term: cold start, is: koude start, text: De eerste keer. }\n",
	}
	c, problems := Load(folder(files))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	l := c.ByID("first")
	for lang, want := range map[string][]string{
		"en": {`id="term-cold-start">The first one.`, `id="term-isolate">A box.`},
		"nl": {`<a href="/glossary#cold-start" aria-describedby="term-cold-start">koude start</a>`, `id="term-cold-start">De eerste keer.`, `id="term-isolate" lang="en">A box.`},
		"fr": {`id="term-isolate" lang="en">A box.`},
	} {
		text := string(l.In(lang).Pieces[0].HTML)
		for _, w := range want {
			if strings.Count(text, w) != 1 {
				t.Errorf("%s: %s is not there once in %s", lang, w, text)
			}
		}
	}
	for _, w := range []struct{ tag, lang, first string }{{"nl-BE", "nl", "isolate"}, {"fr", "en", "cold start"}, {"", "en", "cold start"}} {
		terms, lang := c.GlossaryIn(w.tag)
		if lang != w.lang || len(terms) != 2 || terms[0].Name != w.first {
			t.Errorf("%q: %s %+v", w.tag, lang, terms)
		}
	}
}
