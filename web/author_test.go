package web

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"coldstart/lessons"
)

// TestAuthorNews asks as an author's page does: what the load found at once,
// what the checks found when they ran, and nothing twice.
func TestAuthorNews(t *testing.T) {
	folder := maps.Clone(testLessons)
	var told []lessons.Problem
	s := newServer(t, nil, func(c *Config) {
		c.Author = &Author{Files: folder, Tell: func(p lessons.Problem) { told = append(told, p) }}
	})
	ran, release := 0, make(chan struct{})
	s.site.author.lint = func(_ context.Context, id string) ([]lessons.Problem, error) {
		ran++
		<-release
		return []lessons.Problem{{File: "checks.js", Line: 1, Column: 1, Code: "E012", Message: fmt.Sprintf("%s, run %d", id, ran)}}, nil
	}
	s.site.author.patience = 50 * time.Millisecond
	b := s.browser()
	ask := func(after int64) authorNews {
		t.Helper()
		r := b.get(fmt.Sprintf("/api/author?lesson=hello&after=%d", after))
		if r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return decode[authorNews](t, r)
	}
	first := ask(0)
	if len(first.Problems) != 0 || !first.Linting {
		t.Errorf("at first %+v", first)
	}
	if again := ask(first.Version); again.Version != first.Version {
		t.Errorf("news without any: %+v", again)
	}
	s.site.author.patience = time.Minute
	release <- struct{}{}
	second := ask(first.Version)
	if len(second.Problems) != 1 || second.Problems[0].Message != "hello, run 1" || second.Linting || second.Load != first.Load {
		t.Errorf("after the checks ran %+v", second)
	}

	folder["01-serverless/10-hello/lesson.md"] = &fstest.MapFile{Data: []byte(strings.Replace(string(testLessons["01-serverless/10-hello/lesson.md"].Data), "minutes", "minuts", 1))}
	catalog, problems := lessons.Load(folder)
	s.site.SetCatalog(catalog, problems)
	third := ask(second.Version)
	if third.Load == first.Load || len(third.Problems) != 1 || third.Problems[0].Code != "E003" || !third.Linting {
		t.Errorf("after a save %+v", third)
	}
	release <- struct{}{}
	fourth := ask(third.Version)
	if len(fourth.Problems) != 2 || fourth.Problems[1].Message != "hello, run 2" {
		t.Errorf("after the checks ran again %+v", fourth)
	}
	s.site.author.close()
	if len(told) != 2 {
		t.Errorf("the terminal was told %v", told)
	}
	if r := b.get("/api/author?after=" + fmt.Sprint(fourth.Version)); r.status != 503 {
		t.Errorf("a question to a server that stops: %d", r.status)
	}
	if r := b.get("/learn/serverless/hello"); !strings.Contains(r.body, " data-author") {
		t.Error("the page does not know that it is an author's")
	}
}

func TestNobodyIsTheAuthor(t *testing.T) {
	s := newServer(t, nil)
	if r := s.browser().get("/api/author"); r.status != 404 {
		t.Errorf("%d without an author", r.status)
	}
	if r := s.browser().get("/learn/serverless/hello"); strings.Contains(r.body, "data-author") {
		t.Error("the page says that somebody writes")
	}
}
