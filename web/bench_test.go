package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"coldstart/lessons"
	"coldstart/web/classroom"
	"coldstart/web/doortest"
)

// benchSite is a site with the shipped lessons and one Worker, without budgets.
func benchSite(b *testing.B) (*Site, string) {
	b.Helper()
	store, err := classroom.Open(b.Context(), classroom.Config{Path: filepath.Join(b.TempDir(), "c.db")})
	if err != nil {
		b.Fatal(err)
	}
	catalog, _ := lessons.Load(lessons.Shipped())
	none := Rate{PerSecond: -1}
	site, err := New(Config{
		Door: &doortest.Door{}, Store: store, Catalog: catalog,
		Rates: Rates{Address: none, Session: none, Run: none, Workspace: none, Worker: none, WorkerCaller: none},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		site.Close(b.Context())
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	if err := store.CreateWorkspace(b.Context(), "w", classroom.NewToken()); err != nil {
		b.Fatal(err)
	}
	p, err := store.Save(b.Context(), "w", "p", classroom.Change{Files: classroom.Files{"src/index.js": []byte("hello")}})
	if err != nil {
		b.Fatal(err)
	}
	return site, p.Slug
}

// BenchmarkLessonPage draws and compresses a lesson page for a newcomer.
func BenchmarkLessonPage(b *testing.B) {
	site, _ := benchSite(b)
	at := site.catalog.Load().Lessons()[0].URL()
	size := 0
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, at, nil)
		r.Header.Set("Accept-Encoding", "br")
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
		size = w.Body.Len()
	}
	b.ReportMetric(float64(size), "bytes/page")
}

// BenchmarkWorkerPath is what the site adds to a request to a warm Worker; the
// Worker itself is a Go function.
func BenchmarkWorkerPath(b *testing.B) {
	site, slug := benchSite(b)
	for b.Loop() {
		w := httptest.NewRecorder()
		site.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/w/"+slug+"/", nil))
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
}

// BenchmarkSave is one acknowledged save.
func BenchmarkSave(b *testing.B) {
	site, _ := benchSite(b)
	i := 0
	for b.Loop() {
		i++
		_, err := site.config.Store.Save(b.Context(), "w", "p", classroom.Change{Base: classroom.AnyRevision, Files: classroom.Files{"src/index.js": fmt.Append(nil, i)}})
		if err != nil {
			b.Fatal(err)
		}
	}
}
