package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"

	"github.com/andybalholm/brotli"
	"golang.org/x/sync/errgroup"
)

// compressible are the kinds of file worth a compressed twin.
var compressible = map[string]bool{".css": true, ".js": true, ".json": true, ".svg": true, ".txt": true}

// write puts the output into the dist folder: new files with their twins,
// nothing for files that are there already, and away with the rest.
func (b builder) write(out assets) error {
	keep := map[string]bool{}
	var group errgroup.Group
	group.SetLimit(runtime.NumCPU())
	same := b.sameQuality()
	put := func(name string, data []byte, twins bool) {
		file := filepath.Join(b.dist, name)
		keep[file] = true
		if twins {
			keep[file+".br"], keep[file+".gz"] = true, true
		}
		group.Go(func() error {
			if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, data) && (same || !twins) {
				return nil
			}
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				return err
			}
			if twins {
				if err := b.twins(file, data); err != nil {
					return err
				}
			}
			return os.WriteFile(file, data, 0o644) // last, so that an interrupted run is redone
		})
	}
	for name, data := range out.web {
		put(filepath.Join("web", name), data, compressible[filepath.Ext(name)])
	}
	for name, data := range out.engine {
		put(filepath.Join("engine", name), data, false)
	}
	if err := group.Wait(); err != nil {
		return err
	}
	manifest, err := json.MarshalIndent(out.Manifest, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.dist, "manifest.json"), manifest, 0o644); err != nil {
		return err
	}
	for _, dir := range []string{"web", "engine"} {
		files, err := filepath.Glob(filepath.Join(b.dist, dir, "*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			if !keep[file] {
				if err := os.Remove(file); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// sameQuality reports whether the twins that are there were made at the quality asked for.
func (b builder) sameQuality() bool {
	var m struct{ Release bool }
	data, err := os.ReadFile(filepath.Join(b.dist, "manifest.json"))
	return err == nil && json.Unmarshal(data, &m) == nil && m.Release == b.release
}

// twins writes the Brotli and gzip forms of a file beside it. A form that is
// no smaller is left out.
func (b builder) twins(file string, data []byte) error {
	quality := 9
	if b.release {
		quality = 11
	}
	var br, gz bytes.Buffer
	bw := brotli.NewWriterLevel(&br, quality)
	if _, err := bw.Write(data); err != nil {
		return err
	}
	if err := bw.Close(); err != nil {
		return err
	}
	gw, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := gw.Write(data); err != nil {
		return err
	}
	if err := gw.Close(); err != nil {
		return err
	}
	for _, twin := range []struct {
		suffix string
		data   []byte
	}{{".br", br.Bytes()}, {".gz", gz.Bytes()}} {
		if len(twin.data) >= len(data) {
			continue
		}
		if err := os.WriteFile(file+twin.suffix, twin.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
