package lab

import (
	"testing"

	"coldstart/sandbox/box"
)

// A learner starts, knocks, kills, knocks again and starts anew; another
// learner's server is another process.
func TestServerProcess(t *testing.T) {
	l := New(Config{})
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	now, err := l.Serve(t.Context(), "ada", Server{})
	if err != nil {
		t.Fatal(err)
	}
	if now.Off != "" {
		if _, missing := box.NewProcesses(box.Config{Most: 1}); missing == nil {
			t.Fatalf("off, although node is here: %s", now.Off)
		}
		t.Skip("not on this host, because ", now.Off)
	}
	other, err := l.Serve(t.Context(), "bob", Server{})
	if err != nil || other.PID == now.PID || other.Port == now.Port {
		t.Fatalf("bob's is %+v, ada's %+v, %v", other, now, err)
	}
	first := now
	if !l.Serving("ada", now.ID) || l.Serving("bob", now.ID) {
		t.Error("who is serving is not known")
	}
	for _, do := range []func() (Server, error){
		func() (Server, error) { return l.Knock(t.Context(), "ada", now) },
		func() (Server, error) { return l.Knock(t.Context(), "ada", now) },
		func() (Server, error) { return l.Kill("ada", now) },
		func() (Server, error) { return l.Knock(t.Context(), "ada", now) },
		func() (Server, error) { return l.Kill("ada", now) },
		func() (Server, error) { return l.Serve(t.Context(), "ada", now) },
		func() (Server, error) { return l.Knock(t.Context(), "ada", now) },
	} {
		if now, err = do(); err != nil {
			t.Fatal(err)
		}
	}
	var said []string
	for _, s := range now.Steps {
		said = append(said, s.Do+": "+s.Answer)
	}
	want := []string{"start: listens", "request: visit 1", "request: visit 2", "kill: gone, and its memory with it", "request: connection refused", "kill: no such process", "start: listens", "request: visit 1"}
	if len(said) != len(want) {
		t.Fatalf("said %q, want %q", said, want)
	}
	for i := range want {
		if said[i] != want[i] {
			t.Errorf("step %d: %q, want %q", i+1, said[i], want[i])
		}
	}
	if now.PID == first.PID || now.Bytes < 1<<20 {
		t.Errorf("the second process is %d, the first was %d; it holds %d bytes", now.PID, first.PID, now.Bytes)
	}
}
