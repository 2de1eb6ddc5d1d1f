package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"coldstart/web"
)

// TestPartsAreReviewed compares what the program is built from with the list in
// the repository: who adds, drops or updates a part writes it anew and sees the difference.
func TestPartsAreReviewed(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", ".")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	sums, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	var modules []*debug.Module
	for _, line := range slices.Compact(lines) {
		path, version, _ := strings.Cut(line, " ")
		_, sum, ok := strings.Cut(string(sums), "\n"+path+" "+version+" ")
		if !ok {
			if sum, ok = strings.CutPrefix(string(sums), path+" "+version+" "); !ok {
				t.Fatalf("go.sum has no %s", line)
			}
		}
		sum, _, _ = strings.Cut(sum, "\n")
		modules = append(modules, &debug.Module{Path: path, Version: version, Sum: sum})
	}
	list, err := partsOf(modules, web.PackageLock)
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) < 20 || len(list.Components) < len(modules)+20 {
		t.Fatalf("%d modules among %d parts", len(modules), len(list.Components))
	}
	for _, p := range list.Components {
		if p.Version == "" || len(p.Hashes) != 1 || len(p.Hashes[0].Content) != 64 && len(p.Hashes[0].Content) != 128 {
			t.Errorf("%s has no version or hash: %+v", p.Name, p)
		}
	}
	got, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const golden = "testdata/sbom.cdx.json"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the parts are not those of %s; write it with UPDATE=1 and look at each difference (%v)", golden, err)
	}
}

// The program tells its own parts, and a list that lies is an error.
func TestPartsOfThisProgram(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), []string{"version", "--parts"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var list bom
	if err := json.Unmarshal([]byte(out.String()), &list); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"github.com/tetratelabs/wazero", "github.com/alecthomas/kong", "quickjs-wasi", "@codemirror/state"} {
		if !slices.ContainsFunc(list.Components, func(p part) bool { return p.Name == want && p.Version != "" }) {
			t.Errorf("no %s among %d parts", want, len(list.Components))
		}
	}
	if _, err := partsOf([]*debug.Module{{Path: "x", Sum: "h1:?"}}, []byte("{}")); err == nil {
		t.Error("a hash that is none is taken")
	}
	if _, err := partsOf(nil, []byte("no")); err == nil {
		t.Error("a lock file that is none is taken")
	}
}
