package main

import (
	"bytes"
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
