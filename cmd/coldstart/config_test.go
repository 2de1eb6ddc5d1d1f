package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the environment says counts before the file.
func TestEnvironmentBeforeFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.json")
	if err := os.WriteFile(file, []byte(`{"lessons": "from-file", "trusted-proxies": ["10.0.0.0/8"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	serve := func() string {
		var out bytes.Buffer
		err := run(t.Context(), []string{"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--config", file}, &out, &out)
		if err == nil {
			t.Fatal("it serves")
		}
		return err.Error()
	}
	if said := serve(); !strings.Contains(said, "from-file is neither a folder nor a zip") {
		t.Error(said)
	}
	t.Setenv("COLDSTART_LESSONS", "from-environment")
	if said := serve(); !strings.Contains(said, "from-environment is neither a folder nor a zip") {
		t.Error(said)
	}
	t.Setenv("COLDSTART_TRUSTED_PROXIES", "nonsense")
	if said := serve(); !strings.Contains(said, `"nonsense" is neither an address nor a range`) {
		t.Error(said)
	}
}

// The one logger that the site, the sandbox and the bus are given lets through
// what is on the list, without bytes that drive a terminal.
func TestLogOfServeIsFiltered(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		c := serveCmd{LogFormat: format, LogLevel: "debug"}
		log, err := c.logger(&globals{Stderr: &out})
		if err != nil {
			t.Fatal(err)
		}
		log.With("project", "cAnArY").Error("batch not \x1b[2Jdelivered", "queue", "cAnArY", "worker", "cAnArY", "error", errors.New("a\u009bb\u202ec"), "stderr", "panic\x7f", "op", "get")
		got := out.String()
		for _, want := range []string{"not \uFFFD[2Jdelivered", "a\uFFFDb\uFFFDc", "panic\uFFFD", "op"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: the log lacks %q: %s", format, want, got)
			}
		}
		if strings.Contains(got, "cAnArY") {
			t.Errorf("%s: the log holds what has no name on the list: %s", format, got)
		}
	}
}
