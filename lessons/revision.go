package lessons

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Archive is the lesson's folder as it was loaded, packed as one short text,
// so that a draft can finish on the revision that it began with. Revive makes
// the lesson of it again.
func (l *Lesson) Archive() (string, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(l.folder)) {
		w, err := z.Create(name)
		if err != nil {
			return "", fmt.Errorf("pack lesson %q: %w", l.ID, err)
		}
		if _, err := w.Write(l.folder[name]); err != nil {
			return "", fmt.Errorf("pack lesson %q: %w", l.ID, err)
		}
	}
	if err := z.Close(); err != nil {
		return "", fmt.Errorf("pack lesson %q: %w", l.ID, err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// around is what the lessons of one folder are read with beside their own.
type around struct {
	config  Config
	sources map[string]Source
	dirs    map[string]string
	fronts  map[string]*front // of tracks, by folder
	markers map[string]*termMarker
}

// Revive is an earlier revision of the lesson, from its Archive. It has the
// present one's place and address, sources and glossary. It fails when the
// archive is damaged or of another lesson.
func (l *Lesson) Revive(archive string) (*Lesson, error) {
	data, err := base64.StdEncoding.DecodeString(archive)
	if err != nil {
		return nil, fmt.Errorf("revive lesson %q: %w", l.ID, err)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("revive lesson %q: %w", l.ID, err)
	}
	read := &loader{
		config: l.around.config, fsys: below{l.Dir, z}, cat: &Catalog{byID: map[string]*Lesson{}, Sources: l.around.sources, around: l.around},
		ids: map[string]string{}, dirs: l.around.dirs,
	}
	old := read.lesson(l.Track, l.around.fronts[l.Track.Dir], path.Base(l.Dir))
	if old == nil || old.ID != l.ID {
		return nil, fmt.Errorf("revive lesson %q: %w", l.ID, errors.New("the archive holds another lesson, or none"))
	}
	old.Number = l.Number
	mark(l.around.markers, old)
	return old, nil
}

// below shows a folder's files under a path.
type below struct {
	dir string
	fs  fs.FS
}

// Open implements fs.FS.
func (b below) Open(name string) (fs.File, error) {
	rest, ok := strings.CutPrefix(name, b.dir)
	if !ok || rest != "" && rest[0] != '/' {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if rest == "" {
		rest = "/."
	}
	return b.fs.Open(rest[1:])
}

// Since tells in a few words each what differs between an earlier revision of
// the lesson and this one, in the order of the page; empty when a learner
// would not see the difference.
func (l *Lesson) Since(old *Lesson) []string {
	var out []string
	say := func(differs bool, what string) {
		if differs && !slices.Contains(out, what) {
			out = append(out, what)
		}
	}
	prose := func(t *Text) (s string) {
		for _, p := range t.Pieces {
			if p.Kind == PieceProse {
				s += string(p.HTML)
			}
			if p.Kind == PieceLab {
				s += p.Lab.Name + fmt.Sprint(p.Lab.Args) + string(p.Lab.HTML)
			}
		}
		return s + t.Title
	}
	say(prose(&l.Text) != prose(&old.Text), "the text")
	for i, t := range l.Tasks {
		if i >= len(old.Tasks) {
			say(true, fmt.Sprintf("task %d (new)", t.N))
		} else {
			say(t.Title != old.Tasks[i].Title || t.Body != old.Tasks[i].Body, fmt.Sprintf("task %d", t.N))
		}
	}
	for _, t := range old.Tasks[min(len(l.Tasks), len(old.Tasks)):] {
		say(true, fmt.Sprintf("task %d (gone)", t.N))
	}
	asked := func(t *Text) (s string) {
		for _, q := range t.Questions {
			c := *q
			c.Line = 0
			c.Options = slices.Clone(q.Options)
			for i := range c.Options {
				c.Options[i].Line = 0
			}
			s += fmt.Sprintf("%+v\n", c)
		}
		return s
	}
	say(asked(&l.Text) != asked(&old.Text), "the questions")
	hints := func(t *Text) (s string) {
		for _, h := range t.Hints {
			s += fmt.Sprint(h.Task, h.HTML)
		}
		return s
	}
	say(hints(&l.Text) != hints(&old.Text), "the hints")
	for _, d := range Diff(old.Starter, l.Starter) {
		say(true, "the file "+d.Path+" at the start")
	}
	say(l.Checks != old.Checks, "the checks")
	say(l.Limits != old.Limits, "the limits")
	// A solution holds the starter's files too.
	say(len(Diff(old.Starter, l.Starter)) == 0 && len(Diff(old.Solution, l.Solution)) > 0, "the solution")
	return out
}
