package classroom

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coldstart/sandbox/platform"
	"coldstart/sandbox/trace"
)

// populate writes at least one row into most tables, with awkward values.
func populate(t *testing.T, s *Store) (Workspace, platform.Namespace) {
	t.Helper()
	ctx, w := t.Context(), newWorkspace(t, s)
	title := "Ünïcode \"quoted\" \\ <b>\u2028"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Save(ctx, w.ID, "p", Change{Files: Files{"a.js": []byte("1"), "b.wasm": {0, 0xff}}, Title: &title, Lesson: "l"})
	must(err)
	must(s.SaveDeployment(ctx, w.ID, "p", Deployment{Revision: 1, Source: "s", Bundle: []byte{0, 1, 0xff}}))
	must(s.SaveRuns(ctx, w.ID, "p", Run{ID: "r", Method: "GET", Path: "/", Body: []byte{0xff}, Summary: trace.Summary{Outcome: "ok", Wall: 1 << 40}}))
	must(s.SaveChecks(ctx, w.ID, "l", []Check{{Name: "1: x", Task: 1, Passed: true}}, ChecksDone))
	must(s.SaveAnswer(ctx, w.ID, "l", "q", []string{"a"}, false))
	must(s.OpenHint(ctx, w.ID, "l", 1, 2))
	must(s.Audit(ctx, AuditEvent{Actor: w.ID, Role: RoleHost, Action: "class.end", Detail: title}))
	_, err = s.Secret(ctx, "session")
	must(err)
	_, err = s.OfferHost(ctx, time.Hour)
	must(err)
	ns := platform.Namespace{Project: platform.Project{Learner: w.ID, Project: "p"}, Kind: "kv", Name: "a\nb"}
	batch := []platform.Change{{Record: platform.Record{Key: "\x00\xff", Value: []byte{}}}}
	for i := range 500 {
		batch = append(batch, platform.Change{Record: platform.Record{Key: fmt.Sprint("k", i), Value: []byte{byte(i), 0}, Meta: []byte("{}")}})
	}
	must(s.Records().Write(ctx, ns, batch, nil))
	return w, ns
}

// dump is a backup, and its lines sorted and without its time.
func dump(t *testing.T, c Config) ([]byte, []string) {
	t.Helper()
	var b bytes.Buffer
	if _, err := Backup(t.Context(), c, &b); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n")
	lines := strings.Split(rest, "\n")
	slices.Sort(lines)
	return b.Bytes(), lines
}

func TestRestoreGivesWhatWasBackedUp(t *testing.T) {
	from := newDatabase(t)
	s, err := Open(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, ns := populate(t, s)
	backup, want := dump(t, from) // while the store is open

	// By way of SQLite, also when this is PostgreSQL.
	between, to := Config{Path: filepath.Join(t.TempDir(), "between.db")}, newDatabase(t)
	for _, c := range []Config{between, to} {
		made, rows, err := Restore(t.Context(), c, bytes.NewReader(backup))
		if err != nil || rows < 500 || time.Since(made) > time.Hour {
			t.Fatalf("restore: %v, %d rows, %v", made, rows, err)
		}
		backup, _ = dump(t, c)
	}
	if _, got := dump(t, to); cmp.Diff(want, got) != "" {
		t.Errorf("after backup and restore (-want +got):\n%s", cmp.Diff(want, got))
	}
	restored, err := Open(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	a, err1 := s.Project(t.Context(), w.ID, "p", 0)
	b, err2 := restored.Project(t.Context(), w.ID, "p", 0)
	if cmp.Diff(a, b) != "" || err1 != nil || err2 != nil {
		t.Errorf("project: %v %v\n%s", err1, err2, cmp.Diff(a, b))
	}
	if r, err := restored.Records().Get(t.Context(), ns, "\x00\xff"); err != nil || r == nil {
		t.Errorf("record: %+v, %v", r, err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	used := newDatabase(t)
	s, err := Open(t.Context(), used)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	populate(t, s)
	backup, _ := dump(t, used)
	packed := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := io.WriteString(z, text); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, test := range map[string]struct {
		into   Config
		backup []byte
		want   string
	}{
		"a database in use":      {used, backup, "already"},
		"another file":           {newDatabase(t), []byte("hello"), "no backup of Coldstart"},
		"another gzip":           {newDatabase(t), packed("hello"), "no backup of Coldstart"},
		"one cut off":            {newDatabase(t), backup[:len(backup)-40], "cut off or damaged"},
		"a newer one":            {newDatabase(t), packed(`{"coldstart_backup":1,"version":9999}`), "made by a newer Coldstart"},
		"one without its end":    {newDatabase(t), packed(`{"coldstart_backup":1,"version":1}`), "cut off or damaged"},
		"one that counts wrong":  {newDatabase(t), packed(`{"coldstart_backup":1,"version":1}{"end":true,"rows":7}`), "damaged"},
		"a table of an attacker": {newDatabase(t), packed(`{"coldstart_backup":1,"version":1}{"table":"x; DROP TABLE y","columns":["a"]}`), "no name of a table"},
	} {
		_, _, err := Restore(t.Context(), test.into, bytes.NewReader(test.backup))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if name != "a database in use" && test.into.Path != "" {
			if _, err := os.Stat(test.into.Path); err == nil {
				t.Errorf("%s left a database", name)
			}
		}
	}
	if _, err := Backup(context.Background(), Config{Path: filepath.Join(t.TempDir(), "none.db")}, io.Discard); err == nil || !strings.Contains(err.Error(), "there is no database") {
		t.Errorf("a backup of nothing: %v", err)
	}
}

// A table that the list of tables lacks would not be backed up.
func TestEveryTableIsBackedUp(t *testing.T) {
	s, _ := newStore(t)
	version, err := s.version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	listed, err := s.tables(version)
	if err != nil {
		t.Fatal(err)
	}
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	if s.postgres() {
		query = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
	}
	rows, err := s.read.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	there, err := collect(rows, func(scan func(...any) error) (name string, err error) { return name, scan(&name) })
	if err != nil {
		t.Fatal(err)
	}
	there = slices.DeleteFunc(there, func(name string) bool { return name == "goose_db_version" })
	slices.Sort(there)
	slices.Sort(listed)
	if diff := cmp.Diff(there, listed); diff != "" {
		t.Errorf("tables (-there +listed):\n%s", diff)
	}
}
