package web

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"coldstart/lessons"
)

// A lesson is read in the first of the browser's languages that it has; what is
// ours around it stays English and says so.
func TestALessonInTwoLanguages(t *testing.T) {
	s := newServer(t, nil)
	folder := maps.Clone(testLessons)
	english := string(testLessons["01-serverless/10-hello/lesson.md"].Data)
	_, text, _ := strings.Cut(english, "\n---\n")
	dutch := strings.NewReplacer("Words before.", "Woorden vooraf.", "Which one is slow?", "Welke is traag?", "1. Greet", "1. Groet").Replace(text)
	folder["01-serverless/10-hello/lesson.nl.md"] = &fstest.MapFile{Data: []byte("---\ntitle: Hallo\n---\n" + dutch)}
	catalog, problems := lessons.Load(folder)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s.site.SetCatalog(catalog, nil)
	b := s.browser()
	read := func(path, accept string) string {
		r := b.request("GET", path, "", nil)
		r.Header.Set("Accept-Language", accept)
		got := b.send(r)
		if got.status != 200 {
			t.Fatalf("%s: %d", path, got.status)
		}
		return got.body
	}
	for accept, dutch := range map[string]bool{"nl": true, "nl-BE,en;q=0.5": true, "fr,nl;q=0.5": true, "en,nl;q=0.5": false, "en-GB": false, "fr": false, "": false} {
		for path, words := range map[string][2]string{
			"/":                             {">Hello<", ">Hallo<"},
			"/learn/serverless/hello":       {"Words before.", "Woorden vooraf."},
			"/learn/serverless/hello/print": {"Which one is slow?", "Welke is traag?"},
		} {
			page := read(path, accept)
			want, other := words[0], words[1]
			if dutch {
				want, other = other, want
			}
			if !strings.Contains(page, want) || strings.Contains(page, other) || !strings.Contains(page, `<html lang="en"`) {
				t.Errorf("%s for %q: has %q %v, %q %v", path, accept, want, strings.Contains(page, want), other, strings.Contains(page, other))
			}
			if path != "/" && strings.Contains(page, ` lang="nl"`) != dutch {
				t.Errorf("%s for %q does not say the language of its text", path, accept)
			}
		}
	}
}
