package main

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	"coldstart/web"
)

// bom is a list of parts in CycloneDX 1.6, as far as we have something to say.
// https://cyclonedx.org/docs/1.6/json/
type bom struct {
	Format     string  `json:"bomFormat"`
	Spec       string  `json:"specVersion"`
	Version    int     `json:"version"`
	Metadata   bomMeta `json:"metadata"`
	Components []part  `json:"components"`
}

type bomMeta struct {
	Component part `json:"component"`
}

type part struct {
	Type    string     `json:"type"`
	Ref     string     `json:"bom-ref"`
	Name    string     `json:"name"`
	Version string     `json:"version,omitempty"`
	Hashes  []partHash `json:"hashes,omitempty"`
	Purl    string     `json:"purl,omitempty"`
}

type partHash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"` // hexadecimal
}

// parts lists what this program was built from: modules of Go by the compiler's
// own record, packages of npm by the lock file that the build installed.
func parts() (*bom, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil, errors.New("this program was built without a record of its modules")
	}
	return partsOf(info.Deps, web.PackageLock)
}

func partsOf(modules []*debug.Module, lock []byte) (*bom, error) {
	b := &bom{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: bomMeta{part{Type: "application", Ref: "coldstart", Name: "coldstart"}}}
	for _, m := range modules {
		if m.Replace != nil {
			m = m.Replace
		}
		p := part{Type: "library", Name: m.Path, Version: m.Version, Purl: "pkg:golang/" + m.Path + "@" + url.PathEscape(m.Version)}
		if sum, ok := strings.CutPrefix(m.Sum, "h1:"); ok {
			h, err := partSum("SHA-256", sum)
			if err != nil {
				return nil, fmt.Errorf("module %s: %w", m.Path, err)
			}
			p.Hashes = []partHash{h}
		}
		b.Components = append(b.Components, p)
	}
	var locked struct {
		Packages map[string]struct {
			Version, Integrity string
			Dev, Optional      bool
		}
	}
	if err := json.Unmarshal(lock, &locked); err != nil {
		return nil, fmt.Errorf("package-lock.json: %w", err)
	}
	for at, l := range locked.Packages {
		_, name, ok := lastCut(at, "node_modules/")
		if !ok || l.Dev || l.Optional { // nothing of these is in the program
			continue
		}
		p := part{Type: "library", Name: name, Version: l.Version, Purl: "pkg:npm/" + strings.ReplaceAll(name, "@", "%40") + "@" + l.Version}
		if sum, ok := strings.CutPrefix(l.Integrity, "sha512-"); ok {
			h, err := partSum("SHA-512", sum)
			if err != nil {
				return nil, fmt.Errorf("package %s: %w", name, err)
			}
			p.Hashes = []partHash{h}
		}
		b.Components = append(b.Components, p)
	}
	for i := range b.Components {
		b.Components[i].Ref = b.Components[i].Purl
	}
	slices.SortFunc(b.Components, func(a, b part) int { return cmp.Compare(a.Purl, b.Purl) })
	b.Components = slices.CompactFunc(b.Components, func(a, b part) bool { return a.Purl == b.Purl })
	return b, nil
}

func lastCut(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func partSum(alg, text string) (partHash, error) {
	sum, err := base64.StdEncoding.DecodeString(text)
	return partHash{alg, hex.EncodeToString(sum)}, err
}
