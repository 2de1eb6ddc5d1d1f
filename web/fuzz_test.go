package web

import (
	"path/filepath"
	"testing"

	"coldstart/lessons"
	"coldstart/web/classroom"
	"coldstart/web/doortest"
)

// fuzzServer is a Site without a listener and without budgets, with one Worker.
type fuzzServer struct {
	site *Site
	slug string
}

func newFuzzServer(f *testing.F, handle func(*doortest.Call)) fuzzServer {
	f.Helper()
	store, err := classroom.Open(f.Context(), classroom.Config{Path: filepath.Join(f.TempDir(), "c.db")})
	if err != nil {
		f.Fatal(err)
	}
	catalog, _ := lessons.Load(testLessons)
	none := Rate{PerSecond: -1}
	site, err := New(Config{
		Door: &doortest.Door{Handle: handle}, Store: store, Catalog: catalog,
		Rates: Rates{Address: none, Session: none, Run: none, Workspace: none, Worker: none, WorkerCaller: none},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		site.Close(f.Context())
		if err := store.Close(); err != nil {
			f.Error(err)
		}
	})
	if err := store.CreateWorkspace(f.Context(), "w", classroom.NewToken()); err != nil {
		f.Fatal(err)
	}
	p, err := store.Save(f.Context(), "w", "p", classroom.Change{Files: classroom.Files{"src/index.js": []byte("x")}})
	if err != nil {
		f.Fatal(err)
	}
	return fuzzServer{site, p.Slug}
}
