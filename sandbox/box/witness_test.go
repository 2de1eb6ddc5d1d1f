package box

import (
	"errors"
	"slices"
	"testing"
)

// A plain process sees and reaches what this one does, answers at its port, and
// takes all the memory that it wants.
func TestWitnessWithoutWalls(t *testing.T) {
	inside, outside, err := Witness(t.Context(), Config{Most: 1}, Walls{Door: DoorPort})
	if err != nil {
		t.Fatal(err)
	}
	if inside.PID < 2 || inside.Hostname != outside.Hostname || inside.Files != outside.Files || inside.Kernel != outside.Kernel || inside.Kernel == "" {
		t.Errorf("inside %+v\noutside %+v", inside, outside)
	}
	if !inside.Reaches || !inside.Seen || !inside.Answers.TCP || inside.Answers.Socket {
		t.Errorf("it reaches, is seen and answers TCP, and not: %+v", inside)
	}
	if inside.Took != hoardMB || inside.Stopped != "" {
		t.Errorf("it took %d MB, stopped by %q", inside.Took, inside.Stopped)
	}
	for name, link := range inside.NS {
		if link == "" || link != outside.NS[name] {
			t.Errorf("namespace %s: %q inside, %q outside", name, link, outside.NS[name])
		}
	}
	if len(inside.NS) != 6 {
		t.Errorf("%d namespaces", len(inside.NS))
	}
}

// Each wall hides its own part of the truth, and the kernel is nobody's own.
func TestWitnessBehindWalls(t *testing.T) {
	all := Walls{PID: true, Mounts: true, Network: true, Name: true, IPC: true, User: true, Memory: 96, Door: DoorSocket}
	inside, outside, err := Witness(t.Context(), Config{Most: 1}, all)
	var missing *MissingError
	if errors.As(err, &missing) {
		t.Skip("not on this host, because ", missing.Why)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, link := range inside.NS {
		if link == outside.NS[name] {
			t.Errorf("the namespace %s is shared", name)
		}
	}
	if inside.PID != 1 || inside.Processes > 1 || inside.Hostname != "box" || inside.Files != 2 || inside.Kernel != outside.Kernel {
		t.Errorf("inside %+v\noutside %+v", inside, outside)
	}
	if inside.Reaches || inside.Seen || slices.Contains(inside.Interfaces, "eth0") {
		t.Errorf("it reaches out: %+v", inside)
	}
	if !inside.Answers.Socket || inside.Answers.TCP {
		t.Errorf("it answers at the socket alone, and not: %+v", inside.Answers)
	}
	if inside.Stopped == "" || inside.Took >= hoardMB {
		t.Errorf("nobody stopped it after %d MB", inside.Took)
	}

	port := all
	port.Door = DoorPort
	if inside, _, err = Witness(t.Context(), Config{Most: 1}, port); err != nil || inside.Answers.TCP || inside.Answers.Socket {
		t.Errorf("behind a network of its own a port leads nowhere: %+v, %v", inside.Answers, err)
	}
	only := Walls{PID: true, User: true, Door: DoorPort}
	if inside, outside, err = Witness(t.Context(), Config{Most: 1}, only); err != nil || inside.PID != 1 || inside.Processes < 2 || !inside.Reaches || !inside.Seen || !inside.Answers.TCP || inside.NS["net"] != outside.NS["net"] {
		t.Errorf("with new numbers alone: %+v, %v", inside, err)
	}
}

func TestWitnessNeedsItsMemory(t *testing.T) {
	inside, _, err := Witness(t.Context(), Config{Most: 1}, Walls{Memory: 8})
	if err != nil || inside.Refused == "" {
		t.Errorf("%+v, %v", inside, err)
	}
}
