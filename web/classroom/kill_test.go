package classroom

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const saverEnv = "COLDSTART_TEST_SAVER"

// The saves that are made between kills, by the program that is killed. It
// learns their number from its environment, as it has no flags.
const (
	manySaves = 10_000
	someSaves = 1_000 // with -short, and on PostgreSQL, which is another process and not killed
)

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
// stdout once it is acknowledged, until there are so many. Another saves
// beside it, so that commits are shared. spec is "database workspace most".
func saver(spec string) error {
	f := strings.Fields(spec)
	database, workspace := f[0], f[1]
	most, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil {
		return err
	}
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
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	if !s.postgres() {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if _, err := s.Save(ctx, workspace, "beside", Change{Base: AnyRevision, Files: files(fmt.Sprint(n))}); err != nil && ctx.Err() == nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
			}
		})
	}
	for p.Revision <= most {
		if p, err = s.Save(ctx, workspace, "p", Change{Base: p.Revision, Files: files(strconv.FormatInt(p.Revision+1, 10))}); err != nil {
			return err
		}
		if _, err := fmt.Println(p.Revision); err != nil {
			return err
		}
	}
	cancel()
	wg.Wait()
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
	most, least := int64(manySaves), 10
	if testing.Short() || os.Getenv(postgresEnv) != "" {
		most, least = someSaves, 2
	}
	kills, acked := 0, int64(1)
	for acked <= most {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), saverEnv+"="+fmt.Sprint(config.Path+config.URL, " ", w.ID, " ", most))
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
