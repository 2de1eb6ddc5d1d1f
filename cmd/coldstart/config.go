package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/tailscale/hujson"
)

// configFile gives flags of serve their values from a file: one JSON object,
// comments allowed, with the flags' names as keys. What the command line or the
// environment says counts before it.
type configFile struct {
	path   string
	values map[string]any
}

// readConfig reads the file that --config or COLDSTART_CONFIG names; nil for none.
func readConfig(args []string) (*configFile, error) {
	path := os.Getenv("COLDSTART_CONFIG")
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			path = v
		} else if a == "--config" && i+1 < len(args) {
			path = args[i+1]
		}
	}
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	c := &configFile{path: path}
	if data, err = hujson.Standardize(data); err == nil {
		err = json.Unmarshal(data, &c.values)
	}
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w; it must be one JSON object such as {\"addr\": \"0.0.0.0:8080\"}", path, err)
	}
	return c, nil
}

// Validate implements kong.Resolver: a key that means nothing is a mistake.
func (c *configFile) Validate(app *kong.Application) error {
	var known []string
	for _, n := range append([]*kong.Node{app.Node}, app.Children...) {
		if n == app.Node || n.Name == "serve" {
			for _, f := range n.Flags {
				known = append(known, f.Name)
			}
		}
	}
	keys := make([]string, 0, len(c.values))
	for key := range c.values {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		if !slices.Contains(known, key) {
			return fmt.Errorf("configuration %s: there is no setting %q; they are named as the flags of coldstart serve --help, without dashes in front", c.path, key)
		}
	}
	return nil
}

// Resolve implements kong.Resolver.
func (c *configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	return c.values[flag.Name], nil
}
