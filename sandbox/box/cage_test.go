package box

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree makes a hierarchy of cgroups as plain files.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestWhichCgroupIsDelegated(t *testing.T) {
	const self = "0::/a/service/server\n"
	server := map[string]string{"a/service/server/cgroup.procs": "1\n", "a/service/server/cgroup.subtree_control": ""}
	with := func(more map[string]string) map[string]string {
		out := map[string]string{}
		for _, m := range []map[string]string{server, more} {
			for k, v := range m {
				out[k] = v
			}
		}
		return out
	}
	for _, c := range []struct {
		name, self string
		files      map[string]string
		ours       bool
		dir, why   string
	}{
		{"version 1 only", "4:memory:/x\n1:cpu,cpuacct:/\n", nil, true, "", "its cgroups of version 1 hold the controllers cpu and memory, which version 2 then lacks"},
		{"both versions", "4:memory:/x\n9:name=systemd:/\n0::/\n", nil, true, "", "its cgroups of version 1 hold the controllers memory, which version 2 then lacks"},
		{"none", "", nil, true, "", "it has no cgroups of version 2"},
		{"nothing handed on", self, with(map[string]string{"a/service/cgroup.subtree_control": "pids\n"}), false, "", "no cgroup is delegated to this server"},
		{"all three", self, with(map[string]string{"a/service/cgroup.subtree_control": "cpu memory pids\n"}), false, "a/service", ""},
		{"without cpu", self, with(map[string]string{"a/service/cgroup.subtree_control": "memory pids\n"}), false, "a/service", "the cgroup that this server may use has no cpu controller"},
		{"further up", self, with(map[string]string{"a/cgroup.subtree_control": "cpu memory pids\n", "a/service/cgroup.subtree_control": ""}), false, "a", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, c.files)
			got := hierarchy{root, c.self, func(string) bool { return c.ours }}.find()
			want := c.dir
			if want != "" {
				want = filepath.Join(root, want)
			}
			if got.Dir != want || got.Why != c.why {
				t.Errorf("got %+v, want %q because %q", got, want, c.why)
			}
		})
	}
}

// A cgroup that was given to us hands controllers on when we ask it to; one
// that was not, or that holds processes, is left alone.
func TestControllersAreHandedOnOnlyWhereTheyAreOurs(t *testing.T) {
	for _, c := range []struct {
		ours  bool
		procs string
		want  string
	}{{true, "", "+pids"}, {false, "", ""}, {true, "7\n", ""}} {
		root := tree(t, map[string]string{
			"service/cgroup.controllers": "cpu io memory pids\n", "service/cgroup.subtree_control": "", "service/cgroup.procs": c.procs, "service/server/cgroup.procs": "1\n",
		})
		hierarchy{root, "0::/service/server\n", func(dir string) bool { return c.ours && strings.HasSuffix(dir, "/service") }}.find()
		got, err := os.ReadFile(filepath.Join(root, "service/cgroup.subtree_control"))
		if err != nil || string(got) != c.want { // a plain file keeps what was written last
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
}

func TestCageBoundsMemoryProcessorsAndTasks(t *testing.T) {
	root := tree(t, map[string]string{"cgroup.subtree_control": "cpu memory pids", cageName + "999999999-1/x": ""})
	if err := os.Remove(filepath.Join(root, cageName+"999999999-1/x")); err != nil {
		t.Fatal(err)
	}
	groups := hierarchy{root, "0::/\n", func(string) bool { return false }}.find()
	if groups.Dir != root {
		t.Fatalf("%+v", groups)
	}
	if _, err := os.Stat(filepath.Join(root, cageName+"999999999-1")); !os.IsNotExist(err) {
		t.Errorf("what a killed program left behind: %v", err)
	}
	c, err := groups.cage(5)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"memory.max": fmt.Sprint(256 << 20), "memory.swap.max": "0", "pids.max": "64", "cpu.max": "100000 100000", "cpu.weight.nice": "5"} {
		got, err := os.ReadFile(filepath.Join(c.path, name))
		if err != nil || string(got) != want {
			t.Errorf("%s is %q, want %q; %v", name, got, want, err)
		}
		if err := os.Remove(filepath.Join(c.path, name)); err != nil { // the kernel's files go with their folder
			t.Fatal(err)
		}
	}
	if err := c.remove(); err != nil {
		t.Error(err)
	}
	for _, w := range groups.walls(5) {
		if !w.Holds || !strings.Contains(w.Text, "by its cgroup") {
			t.Errorf("%+v", w)
		}
	}
	for _, w := range (Cgroups{Why: "it has none"}).walls(5) {
		if w.Holds || !strings.HasSuffix(w.Text, "not on this host, because it has none") {
			t.Errorf("%+v", w)
		}
	}
}

// Where the kernel refuses to start a box in its cgroup, the box starts without
// one, and the kind says so.
func TestBoxesStartWhereTheirCgroupIsRefused(t *testing.T) {
	p, err := NewProcesses(Config{Most: 1})
	if err != nil {
		t.Skip(err)
	}
	defer p.Close()
	p.groups = Cgroups{Dir: tree(t, map[string]string{"cgroup.subtree_control": ""}), has: []string{"memory", "pids"}}
	b, err := p.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Stop(); err != nil {
		t.Error(err)
	}
	for _, w := range p.Walls() {
		if w.Holds || w.Name != "view" && !strings.Contains(w.Text, "the kernel does not let a box into its cgroup") {
			t.Errorf("%+v", w)
		}
	}
}

// On a host that delegates cgroups, a box is in one, and the kernel knows its caps.
func TestBoxIsInItsCgroup(t *testing.T) {
	if groups := Delegated(); groups.Dir == "" {
		t.Skip("not on this host, because " + groups.Why)
	}
	p, err := NewProcesses(Config{Most: 1})
	if err != nil {
		t.Skip(err)
	}
	defer p.Close()
	if _, err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", p.PIDs()[0]))
	if err != nil || !strings.Contains(string(self), "/"+cageName) {
		t.Fatalf("it is in %q, %v", self, err)
	}
	dir := filepath.Join(p.groups.Dir, filepath.Base(strings.TrimSpace(string(self))))
	if got, err := os.ReadFile(filepath.Join(dir, "memory.max")); err != nil || strings.TrimSpace(string(got)) != fmt.Sprint(cageMemory) {
		t.Errorf("memory.max is %q, %v", got, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("its cgroup stays: %v", err)
	}
}
