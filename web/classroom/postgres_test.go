package classroom

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"coldstart/web/classroom/pgtest"
)

// postgresEnv names the database that this run of the tests is about.
const postgresEnv = "COLDSTART_TEST_POSTGRES"

var schemas atomic.Int64

// newDatabase is an empty database: SQLite's, or PostgreSQL's in a run of
// TestOnPostgreSQL.
func newDatabase(t testing.TB) Config {
	t.Helper()
	if url := os.Getenv(postgresEnv); url != "" {
		return Config{URL: pgtest.Schema(t, url, fmt.Sprint("test", schemas.Add(1)))}
	}
	return Config{Path: filepath.Join(t.TempDir(), "coldstart.db")}
}

// onlySQLite is for tests of what PostgreSQL does not have, such as its file.
func onlySQLite(t *testing.T) {
	t.Helper()
	if os.Getenv(postgresEnv) != "" {
		t.Skip("about SQLite's file")
	}
}

// TestOnPostgreSQL runs every other test of this package once more, on a real
// server of PostgreSQL.
func TestOnPostgreSQL(t *testing.T) {
	if os.Getenv(postgresEnv) != "" {
		t.Skip("this is that run")
	}
	url := pgtest.Start(t)
	args := []string{"-test.run=^Test", "-test.skip=^TestOnPostgreSQL$", "-test.v=true"}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), postgresEnv+"="+url)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "--- PASS: "); n < 10 {
		t.Errorf("only %d tests passed:\n%s", n, out)
	}
}

// A file that no migration has as its name would never run.
func TestEveryMigrationOfPostgreSQLReplacesOne(t *testing.T) {
	own, err := fs.Glob(migrations, "migrations/postgres/*.sql")
	if err != nil || len(own) == 0 {
		t.Fatal(own, err)
	}
	for _, name := range own {
		if _, err := fs.Stat(migrations, "migrations/"+filepath.Base(name)); err != nil {
			t.Error(err)
		}
	}
}
