package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// licenses gathers the licence texts of the npm packages that the binary
// carries, as one served file: their authors ask for no more, and no less.
func (b builder) licenses(out *assets) error {
	data, err := os.ReadFile(b.web("package-lock.json"))
	if err != nil {
		return err
	}
	var lock struct {
		Packages map[string]struct {
			Version, License string
			Dev, Optional    bool
		}
	}
	if err := json.Unmarshal(data, &lock); err != nil {
		return fmt.Errorf("web/package-lock.json: %w", err)
	}
	var dirs []string
	for dir, p := range lock.Packages {
		if dir != "" && !p.Dev && !p.Optional {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	var text strings.Builder
	text.WriteString("Coldstart carries these packages.\n")
	for _, dir := range dirs {
		p := lock.Packages[dir]
		name := dir[strings.LastIndex(dir, "node_modules/")+len("node_modules/"):]
		fmt.Fprintf(&text, "\n%s\n%s %s, %s\n", strings.Repeat("=", 72), name, p.Version, p.License)
		files, err := filepath.Glob(filepath.Join(b.web(filepath.FromSlash(dir)), "[Ll][Ii][Cc][Ee][Nn][CcSs][Ee]*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			text.WriteString("\n" + strings.TrimSpace(string(content)) + "\n")
		}
	}
	out.add("licenses.txt", []byte(text.String()))
	return nil
}
