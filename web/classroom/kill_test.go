package classroom

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

const saverEnv = "COLDSTART_TEST_SAVER"

// saves is how many saves there are, and how many kills at least. PostgreSQL is
// another process, which is not killed: a tenth of the saves is enough there.
func saves() (n int64, kills int) {
	if os.Getenv(postgresEnv) != "" {
		return 1_000, 2
	}
	return 10_000, 10
}

// TestMain lets the test binary be the program that is killed.
func TestMain(m *testing.M) {
	if spec := os.Getenv(saverEnv); spec != "" {
		if err := saver(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// saver saves numbers from where the database stands on, and says each one on
// stdout once it is acknowledged. spec is "database workspace".
func saver(spec string) error {
	database, workspace, _ := strings.Cut(spec, " ")
	ctx := context.Background()
	config := Config{Path: database}
	if strings.HasPrefix(database, "postgres:") {
		config = Config{URL: database}
	}
	s, err := Open(ctx, config)
	if err != nil {
		return err
	}
	p, err := s.Project(ctx, workspace, "p", 0)
	if err != nil {
		return err
	}
	most, _ := saves()
	for p.Revision <= most {
		if p, err = s.Save(ctx, workspace, "p", Change{Base: p.Revision, Files: files(strconv.FormatInt(p.Revision+1, 10))}); err != nil {
			return err
		}
		if _, err := fmt.Println(p.Revision); err != nil {
			return err
		}
	}
	return s.Close()
}

// The promise: what was acknowledged before a SIGKILL is there after it.
func TestKillLosesNoAcknowledgedSave(t *testing.T) {
	config := newDatabase(t)
	s, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorkspace(t, s)
	if _, err := s.Save(t.Context(), w.ID, "p", Change{Files: files("1")}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	most, least := saves()
	kills, acked := 0, int64(1)
	for acked <= most {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), saverEnv+"="+config.Path+config.URL+" "+w.ID)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Each round ends after a different number of saves, in the middle of the next one.
		end := acked + 97 + int64(kills*131%887)
		killed := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			n, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil || n != acked+1 {
				t.Fatalf("acknowledged %q after %d", lines.Text(), acked)
			}
			if acked = n; acked >= end && !killed {
				killed = true
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err != nil && !killed {
			t.Fatal(err)
		}
		kills++
		s, err := Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Project(t.Context(), w.ID, "p", 0)
		if err != nil {
			t.Fatal(err)
		}
		// One save may have been committed without its acknowledgement having reached us.
		if p.Revision < acked || p.Revision > acked+1 || string(p.Files["src/index.js"]) != strconv.FormatInt(p.Revision, 10) {
			t.Fatalf("after kill %d: revision %d holds %q; acknowledged %d", kills, p.Revision, p.Files["src/index.js"], acked)
		}
		acked = p.Revision
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if kills < least {
		t.Errorf("only %d kills", kills)
	}
	t.Logf("%d saves, %d kills", acked-1, kills)
}
