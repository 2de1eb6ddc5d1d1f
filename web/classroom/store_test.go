package classroom

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coldstart/sandbox/platform"

	"coldstart/sandbox/trace"
)

// clock is a wall clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newStore(t *testing.T) (*Store, *clock) {
	t.Helper()
	c := &clock{t: time.UnixMilli(1795257600000)}
	config := newDatabase(t)
	config.Now = c.Now
	s, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, c
}

func newWorkspace(t *testing.T, s *Store) Workspace {
	t.Helper()
	id, token := NewID(20), NewToken()
	if err := s.CreateWorkspace(t.Context(), id, token); err != nil {
		t.Fatal(err)
	}
	w, err := s.Workspace(t.Context(), token)
	if err != nil || w.ID != id || w.Role != RoleLearner {
		t.Fatalf("workspace %+v, %v", w, err)
	}
	return w
}

func files(text string) Files { return Files{"src/index.js": []byte(text)} }

func TestWorkspaceTokens(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	token := NewToken()
	if len(token) != 22 {
		t.Errorf("token %q is not 128 bits in base64", token)
	}
	for range 2 { // making it again changes nothing
		if err := s.CreateWorkspace(ctx, "me", token); err != nil {
			t.Fatal(err)
		}
	}
	w, err := s.Workspace(ctx, token)
	if err != nil || w.ID != "me" {
		t.Fatalf("Workspace gave %+v, %v", w, err)
	}
	if err := s.CreateWorkspace(ctx, "me", NewToken()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Workspace(ctx, token); err != nil {
		t.Errorf("a second creation took the workspace over: %v", err)
	}
	next, err := s.RotateToken(ctx, w.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Workspace(ctx, token); !errors.Is(err, ErrNotFound) {
		t.Errorf("the old token gives %v", err)
	}
	if got, err := s.Workspace(ctx, next); err != nil || got.ID != w.ID {
		t.Errorf("the new token gives %+v, %v", got, err)
	}
	if s.postgres() {
		return
	}
	// The secret itself is nowhere in the database files.
	var path string
	if err := s.read.QueryRowContext(ctx, `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&path); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + "-wal"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), token) || strings.Contains(string(data), next) {
			t.Errorf("%s holds a token", filepath.Base(file))
		}
	}
}

func TestSaveConflictAndRepetition(t *testing.T) {
	s, _ := newStore(t)
	ctx, w := t.Context(), newWorkspace(t, s)
	title := "Hello"
	p, err := s.Save(ctx, w.ID, "first", Change{Files: files("one"), Title: &title, Lesson: "first", LessonRevision: "r1"})
	if err != nil || p.Revision != 1 || len(p.Slug) != 16 {
		t.Fatalf("first save: %+v, %v", p, err)
	}
	p, err = s.Save(ctx, w.ID, "first", Change{Base: 1, Files: files("two")})
	if err != nil || p.Revision != 2 {
		t.Fatalf("second save: %+v, %v", p, err)
	}
	// The answer to the second save was lost; the page repeats it.
	if p, err = s.Save(ctx, w.ID, "first", Change{Base: 1, Files: files("two")}); err != nil || p.Revision != 2 {
		t.Fatalf("repeated save: %+v, %v", p, err)
	}
	_, err = s.Save(ctx, w.ID, "first", Change{Base: 1, Files: files("other")})
	var conflict *Conflict
	if !errors.As(err, &conflict) {
		t.Fatalf("save on an old base gives %v", err)
	}
	if conflict.Current.Revision != 2 || string(conflict.Current.Files["src/index.js"]) != "two" {
		t.Errorf("conflict holds %+v", conflict.Current)
	}
	if _, err = s.Save(ctx, w.ID, "first", Change{Base: 0, Files: files("other")}); !errors.As(err, &conflict) {
		t.Errorf("save without a base over a project gives %v", err)
	}
	if p, err = s.Save(ctx, w.ID, "first", Change{Base: AnyRevision, Files: files("other")}); err != nil || p.Revision != 3 {
		t.Errorf("save on any base: %+v, %v", p, err)
	}
	got, err := s.ProjectBySlug(ctx, p.Slug)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, got); diff != "" {
		t.Errorf("loaded project differs (-saved +loaded):\n%s", diff)
	}
	if got.Title != "Hello" || got.Lesson != "first" || got.LessonRevision != "r1" {
		t.Errorf("title and lesson were lost: %+v", got)
	}
	other := newWorkspace(t, s)
	if _, err := s.Project(ctx, other.ID, "first", 0); !errors.Is(err, ErrNotFound) {
		t.Errorf("another workspace sees %v", err)
	}
	if progress, err := s.Progress(ctx, w.ID); err != nil || progress["first"].Started.IsZero() || !progress["first"].Done.IsZero() {
		t.Errorf("progress %v, %v", progress, err)
	}
}

func TestEditOfAStarterThatWasRun(t *testing.T) {
	s, _ := newStore(t)
	ctx, w := t.Context(), newWorkspace(t, s)
	if p, err := s.Save(ctx, w.ID, "l", Change{Files: files("starter"), Kind: KindBegin, Slug: "chosen"}); err != nil || p.Slug != "chosen" {
		t.Fatalf("%+v, %v", p, err)
	}
	p, err := s.Save(ctx, w.ID, "l", Change{Base: 0, Files: files("edited")})
	if err != nil || p.Revision != 2 {
		t.Fatalf("the first edit gives %+v, %v", p, err)
	}
	var conflict *Conflict
	if _, err := s.Save(ctx, w.ID, "l", Change{Base: 0, Files: files("another page's")}); !errors.As(err, &conflict) {
		t.Errorf("a second first edit gives %v", err)
	}
}

func TestSecretStays(t *testing.T) {
	s, _ := newStore(t)
	a, err := s.Secret(t.Context(), "session")
	if err != nil || len(a) != 32 {
		t.Fatalf("%d bytes, %v", len(a), err)
	}
	if b, err := s.Secret(t.Context(), "session"); err != nil || string(a) != string(b) {
		t.Errorf("the secret changed, %v", err)
	}
	if c, err := s.Secret(t.Context(), "other"); err != nil || string(a) == string(c) {
		t.Errorf("two secrets are equal, %v", err)
	}
}

func TestOneUndoRestoresEveryByte(t *testing.T) {
	for _, kind := range []string{KindReset, KindSolve} {
		t.Run(kind, func(t *testing.T) {
			s, clock := newStore(t)
			ctx, w := t.Context(), newWorkspace(t, s)
			mine := Files{"src/index.js": []byte("mine"), "b.wasm": {0, 0xff, 0x80}, "empty.txt": {}}
			p, err := s.Save(ctx, w.ID, "p", Change{Files: mine})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Undo(ctx, w.ID, "p", p.Revision); !errors.Is(err, ErrNotFound) {
				t.Errorf("undo with nothing to undo gives %v", err)
			}
			if p, err = s.Save(ctx, w.ID, "p", Change{Base: p.Revision, Files: files("starter"), Kind: kind, LessonRevision: "r2"}); err != nil {
				t.Fatal(err)
			}
			for i := range 3 * KeepVersions { // edits after it do not drop the version to go back to
				clock.add(time.Second)
				if p, err = s.Save(ctx, w.ID, "p", Change{Base: p.Revision, Files: files(fmt.Sprint("after ", i))}); err != nil {
					t.Fatal(err)
				}
			}
			if p, err = s.Undo(ctx, w.ID, "p", p.Revision); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(mine, p.Files); diff != "" {
				t.Errorf("undo gave other files (-before +after):\n%s", diff)
			}
			if got, err := s.Project(ctx, w.ID, "p", 0); err != nil || !got.Files.Equal(mine) || got.UndoTo != 0 {
				t.Errorf("after a reload: %+v, %v", got, err)
			}
		})
	}
}

func TestTwentyVersionsSpreadOverTheSession(t *testing.T) {
	s, clock := newStore(t)
	ctx, w := t.Context(), newWorkspace(t, s)
	p, err := s.Save(ctx, w.ID, "p", Change{Files: files("0")})
	if err != nil {
		t.Fatal(err)
	}
	begin := clock.Now()
	for i := 1; i <= 600; i++ { // ten minutes of typing, saved every second
		clock.add(time.Second)
		if p, err = s.Save(ctx, w.ID, "p", Change{Base: p.Revision, Files: files(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	versions, err := s.Versions(ctx, w.ID, "p")
	if err != nil {
		t.Fatal(err)
	}
	if len(versions) != KeepVersions {
		t.Fatalf("%d versions are kept, want %d", len(versions), KeepVersions)
	}
	if versions[0].Revision != p.Revision {
		t.Errorf("the newest version is %d, want %d", versions[0].Revision, p.Revision)
	}
	old := 0
	for _, v := range versions {
		if v.Saved.Sub(begin) < 5*time.Minute {
			old++
		}
		got, err := s.Project(ctx, w.ID, "p", v.Revision)
		if err != nil || string(got.Files["src/index.js"]) != fmt.Sprint(v.Revision-1) {
			t.Errorf("version %d: %+v, %v", v.Revision, got, err)
		}
	}
	if old < 4 {
		t.Errorf("only %d of %d versions are of the first half", old, len(versions))
	}
	first := versions[len(versions)-1].Revision
	if p, err = s.Restore(ctx, w.ID, "p", p.Revision, first); err != nil || string(p.Files["src/index.js"]) != fmt.Sprint(first-1) {
		t.Errorf("restore: %+v, %v", p, err)
	}
	if _, err := s.Restore(ctx, w.ID, "p", p.Revision, 99999); !errors.Is(err, ErrNotFound) {
		t.Errorf("restore of no version gives %v", err)
	}
}

// TestClockJumps checks that order comes from revisions, not from the clock of
// the machine, which an administrator or a daemon may set.
func TestClockJumps(t *testing.T) {
	s, clock := newStore(t)
	ctx, w := t.Context(), newWorkspace(t, s)
	var p Project
	for i, jump := range []time.Duration{0, -24 * time.Hour, 400 * 24 * time.Hour, -2 * time.Hour, time.Second} {
		clock.add(jump)
		var err error
		if p, err = s.Save(ctx, w.ID, "p", Change{Base: p.Revision, Files: files(fmt.Sprint(i))}); err != nil {
			t.Fatalf("a save after a jump by %v: %v", jump, err)
		}
		got, err := s.Project(ctx, w.ID, "p", 0)
		if err != nil || got.Revision != p.Revision || string(got.Files["src/index.js"]) != fmt.Sprint(i) {
			t.Errorf("the newest after a jump by %v: %+v, %v", jump, got, err)
		}
	}
	versions, err := s.Versions(ctx, w.ID, "p")
	if err != nil || len(versions) != 5 {
		t.Fatalf("%d versions, %v", len(versions), err)
	}
	for i, v := range versions {
		if v.Revision != p.Revision-int64(i) {
			t.Errorf("version %d of the list is revision %d", i, v.Revision)
		}
	}
}

func TestDeploymentsShareBundles(t *testing.T) {
	s, _ := newStore(t)
	ctx, w := t.Context(), newWorkspace(t, s)
	bundles := func() (n int) {
		if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM bundles`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, id := range []string{"a", "b"} {
		if _, err := s.Save(ctx, w.ID, id, Change{Files: files("x")}); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveDeployment(ctx, w.ID, id, Deployment{Revision: 1, Source: "s1", Bundle: []byte("built")}); err != nil {
			t.Fatal(err)
		}
	}
	if bundles() != 1 {
		t.Errorf("%d bundles for one content", bundles())
	}
	if err := s.SaveDeployment(ctx, w.ID, "a", Deployment{Revision: 2, Source: "s2", Bundle: []byte("built anew")}); err != nil {
		t.Fatal(err)
	}
	d, err := s.Deployment(ctx, w.ID, "a")
	if err != nil || d.Revision != 2 || d.Source != "s2" || string(d.Bundle) != "built anew" {
		t.Errorf("deployment %+v, %v", d, err)
	}
	if err := s.DeleteProject(ctx, w.ID, "b"); err != nil {
		t.Fatal(err)
	}
	if bundles() != 1 {
		t.Errorf("%d bundles after the last user of one is gone", bundles())
	}
	if _, err := s.Deployment(ctx, w.ID, "b"); !errors.Is(err, ErrNotFound) {
		t.Errorf("deployment of a deleted project gives %v", err)
	}
}

func TestLastFiftyRuns(t *testing.T) {
	s, clock := newStore(t)
	ctx, w := t.Context(), newWorkspace(t, s)
	if _, err := s.Save(ctx, w.ID, "p", Change{Files: files("x")}); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		run := Run{ID: fmt.Sprint("r", i), Method: "GET", Path: "/", Ran: clock.Now(), Body: []byte{0xff}, Summary: trace.Summary{Outcome: "ok", Temperature: trace.Warm, Wall: int64(i)}}
		if err := s.SaveRuns(ctx, w.ID, "p", run); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := s.Runs(ctx, w.ID, "p", 100)
	if err != nil || len(runs) != KeepRuns || runs[0].ID != "r59" || runs[KeepRuns-1].ID != "r10" {
		t.Errorf("%d runs kept, %v", len(runs), err)
	}
	if r, err := s.Run(ctx, w.ID, "p", "r30"); err != nil || r.Summary.Wall != 30 || string(r.Body) != "\xff" {
		t.Errorf("run 30 is %+v, %v", r, err)
	}
	if bests, err := s.Bests(ctx, w.ID); err != nil || len(bests) != 1 || bests[0] != (Best{"p", trace.Warm, 10}) {
		t.Errorf("bests %+v, %v", bests, err)
	}
	if _, err := s.Run(ctx, w.ID, "p", "r3"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a dropped run gives %v", err)
	}
	if err := s.SaveRuns(ctx, w.ID, "gone", Run{ID: "x"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("runs of no project give %v", err)
	}
}

func TestLearning(t *testing.T) {
	s, clock := newStore(t)
	ctx, w := t.Context(), newWorkspace(t, s)
	first := clock.Now()
	save := func(end ChecksEnd, checks ...Check) {
		t.Helper()
		if err := s.SaveChecks(ctx, w.ID, "l", checks, end); err != nil {
			t.Fatal(err)
		}
		clock.add(time.Minute)
	}
	save(ChecksRan, Check{Name: "1: greets", Task: 1, CodeHash: "a"}, Check{Name: "2: warm", Task: 2, Passed: true, CodeHash: "a"})
	save(ChecksDone, Check{Name: "1: greets", Task: 1, Passed: true, CodeHash: "b"}, Check{Name: "2: warm", Task: 2, Passed: true, CodeHash: "b"})
	checks, err := s.Checks(ctx, w.ID, "l")
	want := []Check{
		{Name: "1: greets", Task: 1, Passed: true, CodeHash: "b", Detail: []byte("null"), Tries: 2, Began: first, Ran: first.Add(time.Minute), PassedAt: first.Add(time.Minute)},
		{Name: "2: warm", Task: 2, Passed: true, CodeHash: "b", Detail: []byte("null"), Tries: 2, Began: first, Ran: first.Add(time.Minute), PassedAt: first},
	}
	if diff := cmp.Diff(want, checks); err != nil || diff != "" {
		t.Errorf("checks: %v\n%s", err, diff)
	}
	progress, err := s.Progress(ctx, w.ID)
	if err != nil || !progress["l"].Started.Equal(first) || !progress["l"].Done.Equal(first.Add(time.Minute)) {
		t.Errorf("progress %+v, %v", progress, err)
	}
	for _, a := range []struct {
		answer  string
		correct bool
	}{{"2", false}, {"0", true}} {
		if err := s.SaveAnswer(ctx, w.ID, "l", "quiz-1", []string{a.answer}, a.correct); err != nil {
			t.Fatal(err)
		}
	}
	answers, err := s.Answers(ctx, w.ID, "l")
	a := answers["quiz-1"]
	if err != nil || a.Answer[0] != "0" || !a.Correct || a.First[0] != "2" || a.FirstCorrect || a.Tries != 2 {
		t.Errorf("answer %+v, %v", a, err)
	}
	for _, n := range []int{2, 1} {
		if err := s.OpenHint(ctx, w.ID, "l", 1, n); err != nil {
			t.Fatal(err)
		}
	}
	if hints, err := s.Hints(ctx, w.ID, "l"); err != nil || hints[1] != 2 {
		t.Errorf("hints %v, %v", hints, err)
	}
	if err := s.DeleteWorkspace(ctx, w.ID); err != nil {
		t.Fatal(err)
	}
	if answers, err := s.Answers(ctx, w.ID, "l"); err != nil || len(answers) != 0 {
		t.Errorf("a deleted workspace still has answers %v, %v", answers, err)
	}
}

func TestHostIsClaimedOnce(t *testing.T) {
	s, clock := newStore(t)
	ctx := t.Context()
	token, err := s.OfferHost(ctx, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CheckHostOffer(ctx, "guess"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a guess gives %v", err)
	}
	const claims = 8
	results := make(chan error, claims)
	var wg sync.WaitGroup
	for range claims {
		w := newWorkspace(t, s)
		wg.Go(func() {
			_, err := s.ClaimHost(ctx, token, w.ID)
			results <- err
		})
	}
	wg.Wait()
	close(results)
	won := 0
	for err := range results {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, ErrUsed):
			t.Errorf("a lost race gives %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d racing claims won", won, claims)
	}
	if has, err := s.HasHost(ctx); err != nil || !has {
		t.Errorf("HasHost is %v, %v", has, err)
	}
	old, err := s.OfferHost(ctx, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	clock.add(time.Hour + time.Second)
	if err := s.CheckHostOffer(ctx, old); !errors.Is(err, ErrExpired) {
		t.Errorf("an offer after its hour gives %v", err)
	}
}

func TestNewerDatabaseIsRefusedUntouched(t *testing.T) {
	config := newDatabase(t)
	s, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), config)
	if err == nil || !strings.Contains(err.Error(), "version 9999, made by a newer Coldstart") {
		t.Fatalf("a newer database gives %v", err)
	}
}

func TestBadDatabaseSaysWhere(t *testing.T) {
	onlySQLite(t)
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.db")
	if err := os.WriteFile(bad, []byte(strings.Repeat("this is no database\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{bad, filepath.Join(dir, "no", "such", "folder.db")} {
		if _, err := Open(t.Context(), Config{Path: path}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("opening %s gives %v", path, err)
		}
	}
}

func TestLockedDatabaseIsBusy(t *testing.T) {
	onlySQLite(t)
	s, _ := newStore(t)
	w := newWorkspace(t, s)
	var path string
	if err := s.read.QueryRow(`SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.Exec(`PRAGMA busy_timeout = 10`); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), w.ID, "p", Change{Files: files("x")}); !errors.Is(err, ErrBusy) {
		t.Errorf("a save into a locked database gives %v", err)
	}
	if _, err := other.Exec(`ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), w.ID, "p", Change{Files: files("x")}); err != nil {
		t.Errorf("a save after the lock went gives %v", err)
	}
}

func TestFullDiskIsFull(t *testing.T) {
	onlySQLite(t)
	s, _ := newStore(t)
	w := newWorkspace(t, s)
	if _, err := s.write.Exec(`PRAGMA max_page_count = 60`); err != nil {
		t.Fatal(err)
	}
	_, err := s.Save(t.Context(), w.ID, "p", Change{Files: files(strings.Repeat("x", 1<<20))})
	if !errors.Is(err, ErrFull) {
		t.Errorf("a save onto a full disk gives %v", err)
	}
	err = s.Records().Write(t.Context(), platform.Namespace{Project: platform.Project{Learner: w.ID, Project: "p"}, Kind: "kv", Name: "n"},
		[]platform.Change{{Record: platform.Record{Key: "k", Value: make([]byte, 1<<20)}}}, nil)
	if !errors.Is(err, platform.ErrFull) {
		t.Errorf("a Worker's write onto a full disk gives %v", err)
	}
	if _, err := s.Save(t.Context(), w.ID, "p", Change{Files: files("x")}); err != nil {
		t.Errorf("a small save afterwards gives %v", err)
	}
}

func TestConcurrentSavesConflictOrCount(t *testing.T) {
	s, _ := newStore(t)
	w := newWorkspace(t, s)
	if _, err := s.Save(t.Context(), w.ID, "p", Change{Files: files("0")}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	saved := 0
	for g := range 8 {
		wg.Go(func() {
			for i := range 20 {
				p, err := s.Project(context.WithoutCancel(t.Context()), w.ID, "p", 0)
				if err != nil {
					t.Error(err)
					return
				}
				_, err = s.Save(t.Context(), w.ID, "p", Change{Base: p.Revision, Files: files(fmt.Sprint(g, "/", i))})
				var conflict *Conflict
				switch {
				case err == nil:
					mu.Lock()
					saved++
					mu.Unlock()
				case !errors.As(err, &conflict):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	p, err := s.Project(t.Context(), w.ID, "p", 0)
	if err != nil || p.Revision != int64(saved)+1 {
		t.Errorf("revision %d after %d saves, %v", p.Revision, saved, err)
	}
}

func TestSessionsOfManyTokens(t *testing.T) {
	s, _ := newStore(t)
	var tokens []string
	want := map[string]string{}
	for range 70 { // more than one question holds
		w := newWorkspace(t, s)
		token, err := s.AddDevice(t.Context(), w.ID)
		if err != nil {
			t.Fatal(err)
		}
		tokens, want[token] = append(tokens, token), w.ID
	}
	first, err := s.RotateToken(t.Context(), want[tokens[0]]) // the device's token is dead now
	if err != nil {
		t.Fatal(err)
	}
	want[first] = want[tokens[0]]
	delete(want, tokens[0])
	if err := s.DropDevice(t.Context(), tokens[1]); err != nil {
		t.Fatal(err)
	}
	delete(want, tokens[1])
	got, err := s.Sessions(t.Context(), append(tokens, first, "nobody's", ""))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

// A lesson that changes has other checks: an old one that failed no longer
// counts once all the new ones ran, and what passed stays passed.
func TestFailuresOfChecksThatAreGoneAreForgotten(t *testing.T) {
	s, _ := newStore(t)
	ctx, w := t.Context(), newWorkspace(t, s)
	save := func(end ChecksEnd, checks ...Check) (names []string) {
		t.Helper()
		if err := s.SaveChecks(ctx, w.ID, "l", checks, end); err != nil {
			t.Fatal(err)
		}
		kept, err := s.Checks(ctx, w.ID, "l")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range kept {
			names = append(names, c.Name)
		}
		return names
	}
	save(ChecksRan, Check{Name: "1: old, failed", Task: 1}, Check{Name: "2: old, passed", Task: 2, Passed: true})
	fresh := Check{Name: "1: new", Task: 1}
	if diff := cmp.Diff([]string{"1: new", "1: old, failed", "2: old, passed"}, save(ChecksStopped, fresh)); diff != "" {
		t.Errorf("after a run that was stopped:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"1: new", "2: old, passed"}, save(ChecksRan, fresh)); diff != "" {
		t.Errorf("after a whole run:\n%s", diff)
	}
}
