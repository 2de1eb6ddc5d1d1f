//go:build race

package runner

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"coldstart/sandbox/query"
)

// A race in a child ends the tests that it was started by. So they are played in
// a process of their own, which is this test again.
func TestRaceInAChildIsHeard(t *testing.T) {
	const inner = "COLDSTART_RACE_IN_A_CHILD"
	if os.Getenv(inner) != "" {
		ring := testRing(t, Config{Runners: 1})
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); { // the panic comes in between
			_, _ = ring.Query(t.Context(), query.Request{Op: query.Exec, Queries: []query.Query{{Text: "race"}}})
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRaceInAChildIsHeard$")
	cmd.Env = append(os.Environ(), inner+"=1")
	said, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "panic: a race in a child process:") || !strings.Contains(string(said), "fake_test.go:") {
		t.Errorf("ended with %v:\n%s", err, said)
	}
}
