package web

import (
	"path/filepath"
	"testing"
	"time"

	"coldstart/lessons"
	"coldstart/web/classroom"
	"coldstart/web/doortest"
)

// fuzzServer is a Site without a listener and without budgets, with one Worker.
type fuzzServer struct {
	site  *Site
	slug  string
	class string
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
	for _, workspace := range []string{"w", "teacher", "boss"} {
		if err := store.CreateWorkspace(f.Context(), workspace, classroom.NewToken()); err != nil {
			f.Fatal(err)
		}
	}
	p, err := store.Save(f.Context(), "w", "p", classroom.Change{Files: classroom.Files{"src/index.js": []byte("x")}})
	if err != nil {
		f.Fatal(err)
	}
	class, err := store.CreateClass(f.Context(), "teacher", "Period 3", []classroom.Assignment{{Lesson: "hello"}})
	if err != nil {
		f.Fatal(err)
	}
	return fuzzServer{site, p.Slug, class.ID}
}

// people are cookies of nobody, of a learner, of a class's instructor and of the host.
func (s fuzzServer) people(f *testing.F) []string {
	f.Helper()
	store := s.site.config.Store
	cookie := func(token string) string { return cookieName + "=" + token + "." + s.site.mac(token) }
	out := []string{""}
	learner := s.site.newSession()
	if err := s.site.store(f.Context(), learner); err != nil {
		f.Fatal(err)
	}
	out = append(out, cookie(learner.token))
	for _, x := range [][2]string{{"teacher", classroom.RoleInstructor}, {"boss", classroom.RoleHost}} {
		workspace, role := x[0], x[1]
		a, err := store.CreateAccount(f.Context(), workspace, role)
		if err != nil {
			f.Fatal(err)
		}
		offer, err := store.OfferAccount(f.Context(), a.ID, time.Hour)
		if err != nil {
			f.Fatal(err)
		}
		token, err := store.AcceptAccount(f.Context(), offer, "no password", workspace)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, cookie(token))
	}
	return out
}
