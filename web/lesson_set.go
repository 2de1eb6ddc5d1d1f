package web

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"coldstart/lessons"
	"coldstart/sandbox/bundle"
	"coldstart/web/classroom"
)

// Lessons that instructors bring. A set is private: to the instructor, to the
// host, to learners in whose class it is set, and to those who have begun. Its
// id is part of its lessons' ids and addresses, so that they meet no others.

// What one set may hold.
const (
	setFiles   = 1000
	setBytes   = 4 << 20
	setLessons = 60
)

// lessonSets are the sets that this server has loaded.
type lessonSets struct {
	one    sync.Mutex // held by the refresh that is under way
	loaded map[string]*loadedSet
	looked time.Time // when one began last

	shown atomic.Pointer[shownSets]
	turn  chan struct{} // held by the upload that is tried
}

// loadedSet is one set in memory.
type loadedSet struct {
	classroom.LessonSet
	catalog *lessons.Catalog
}

// shownSets is what pages see, not changed after it is there.
type shownSets struct {
	sets     []*loadedSet
	byLesson map[string]*loadedSet
	all      *lessons.Catalog // the site's own lessons, and those of every set
}

// refreshSets loads what is new in the store, and shows it.
func (s *Site) refreshSets(ctx context.Context) error {
	x := &s.sets
	x.one.Lock()
	defer x.one.Unlock()
	x.looked = s.config.Now()
	var list []classroom.LessonSet
	if s.config.ReadLessons != nil {
		var err error
		if list, err = s.config.Store.LessonSets(ctx); err != nil {
			return err
		}
	}
	loaded := map[string]*loadedSet{}
	for _, set := range list {
		if old := x.loaded[set.ID]; old != nil && old.Revision == set.Revision {
			loaded[set.ID] = &loadedSet{set, old.catalog}
			continue
		}
		archive, err := s.config.Store.LessonSetArchive(ctx, set.ID, set.Revision)
		if errors.Is(err, classroom.ErrNotFound) {
			continue // replaced or removed meanwhile, which is told too
		}
		if err != nil {
			return err
		}
		z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
		if err != nil {
			return fmt.Errorf("lesson set %s: %w", set.ID, err)
		}
		catalog, _ := lessons.Config{Mark: set.ID, Ceiling: s.config.Ceiling}.Load(z) // it had no mistakes when it was kept
		loaded[set.ID] = &loadedSet{set, catalog}
	}
	x.loaded = loaded
	s.showSets()
	return nil
}

// showSets puts the loaded sets beside the site's own lessons. x.one is held,
// or nothing else runs yet.
func (s *Site) showSets() {
	shown := &shownSets{byLesson: map[string]*loadedSet{}}
	var tracks []*lessons.Track
	for _, set := range s.sets.loaded {
		shown.sets = append(shown.sets, set)
	}
	slices.SortFunc(shown.sets, func(a, b *loadedSet) int {
		return strings.Compare(a.Title+"\x00"+a.ID, b.Title+"\x00"+b.ID)
	})
	for _, set := range shown.sets {
		tracks = append(tracks, set.catalog.Tracks...)
		for _, l := range set.catalog.Lessons() {
			shown.byLesson[l.ID] = set
		}
	}
	shown.all = s.catalog.Load().With(tracks...)
	s.sets.shown.Store(shown)
}

// lessonByID finds any lesson, whoever may see it: for what is stored already,
// and for pages whose reader was let in by another rule.
func (s *Site) lessonByID(id string) *lessons.Lesson { return s.sets.shown.Load().all.ByID(id) }

// catalogFor is what somebody may open: the site's lessons, and those of the
// sets that are theirs, or in whose class they are, or that they have begun.
func (s *Site) catalogFor(ctx context.Context, x *session) (*lessons.Catalog, error) {
	shown, own := s.sets.shown.Load(), s.catalog.Load()
	if len(shown.sets) == 0 || x == nil || !x.stored {
		return own, nil
	}
	me, open := x.workspace, map[string]bool{}
	memberships, err := s.config.Store.Memberships(ctx, me.ID)
	if err != nil {
		return nil, err
	}
	for _, m := range memberships {
		for _, a := range m.Class.Lessons {
			if set := shown.byLesson[a.Lesson]; set != nil && set.Owner == m.Class.Owner && set.Removed.IsZero() {
				open[a.Lesson] = true
			}
		}
	}
	projects, err := s.config.Store.Projects(ctx, me.ID)
	if err != nil {
		return nil, err
	}
	for _, p := range projects {
		open[p.Lesson] = open[p.Lesson] || shown.byLesson[p.Lesson] != nil
	}
	return own.With(shown.tracks(func(set *loadedSet, l *lessons.Lesson) bool {
		mine := teacher(me) && (set.Owner == me.ID || me.Role == classroom.RoleHost)
		return open[l.ID] || mine && set.Removed.IsZero()
	})...), nil
}

// tracks are those with lessons that pass, and only with these.
func (x *shownSets) tracks(pass func(*loadedSet, *lessons.Lesson) bool) []*lessons.Track {
	var out []*lessons.Track
	for _, set := range x.sets {
		for _, t := range set.catalog.Tracks {
			if part := t.Only(func(l *lessons.Lesson) bool { return pass(set, l) }); len(part.Entries) > 0 {
				out = append(out, part)
			}
		}
	}
	return out
}

// catalogOf is what a class of this owner may be set: the site's lessons and
// the owner's sets.
func (s *Site) catalogOf(owner string) *lessons.Catalog {
	return s.catalog.Load().With(s.sets.shown.Load().tracks(func(set *loadedSet, _ *lessons.Lesson) bool {
		return set.Owner == owner && set.Removed.IsZero()
	})...)
}

// lessonFor finds a lesson that the caller may open, nil when there is none.
func (c *call) lessonFor(id string) (*lessons.Lesson, error) {
	catalog, err := c.site.catalogFor(c.r.Context(), c.session)
	if err != nil {
		return nil, err
	}
	return catalog.ByID(id), nil
}

// marked is the end of an address of a set's track.
var marked = regexp.MustCompile(`-t[0-9a-hjkmnp-tv-z]{7}$`)

// setsAgain looks for a track that another server may have been given just now,
// at most once a second. It reports whether it looked.
func (s *Site) setsAgain(ctx context.Context, track string) (bool, error) {
	if s.config.ReadLessons == nil || !marked.MatchString(track) {
		return false, nil
	}
	s.sets.one.Lock()
	recent := s.config.Now().Sub(s.sets.looked) < time.Second
	s.sets.one.Unlock()
	if recent {
		return false, nil
	}
	return true, s.refreshSets(ctx)
}

// arrange turns an unpacked archive into a folder of tracks: what is around
// them is left out, and a track that is the whole archive gets its folder back.
func arrange(files map[string][]byte, around string) (map[string][]byte, error) {
	at, found := "", false
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Base(name) != "track.md" || hidden(name) {
			continue
		}
		dir := path.Dir(path.Dir(name)) // of 01-track/track.md
		if name == "track.md" {
			dir = ""
		}
		if found && dir != at {
			return nil, fmt.Errorf("it has tracks in two folders, %s and %s; put them side by side", shownDir(at), shownDir(dir))
		}
		at, found = dir, true
	}
	if !found {
		return nil, errors.New("it has no track: a track is a folder with a file track.md, and lessons in folders beside it")
	}
	out := map[string][]byte{}
	for name, data := range files {
		if at == "" { // the archive is one track
			if !hidden(name) {
				out[trackFolder(around)+"/"+name] = data
			}
			continue
		}
		rest := name
		if at != "." {
			var ok bool
			if rest, ok = strings.CutPrefix(name, at+"/"); !ok {
				continue
			}
		}
		dir, _, inside := strings.Cut(rest, "/")
		if _, track := files[path.Join(at, dir, "track.md")]; inside && track && !hidden(rest) || rest == "sources.yaml" || rest == "glossary.yaml" {
			out[rest] = data
		}
	}
	return out, nil
}

// hidden reports whether a path is under a folder that no track is in.
func hidden(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool { return strings.HasPrefix(part, ".") })
}

func shownDir(dir string) string {
	if dir == "" || dir == "." {
		return "the topmost"
	}
	return dir
}

// trackFolder makes a track's folder name of the archive's, which is a
// repository's name and branch as a rule.
func trackFolder(around string) string {
	name := strings.ToLower(around)
	for _, branch := range []string{"-main", "-master"} {
		name = strings.TrimSuffix(name, branch)
	}
	name = strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(name, "-"), "-")
	if !folderName.MatchString(name) || len(name) > 40 {
		return "lessons"
	}
	return name
}

var folderName = regexp.MustCompile(`^(?:[0-9]+-)?[a-z][a-z0-9]*(?:-[a-z0-9]+)*$`)

// packSet packs arranged files in the one way in which the store keeps them.
func packSet(files map[string][]byte) ([]byte, int64, error) {
	var out bytes.Buffer
	var size int64
	z := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		size += int64(len(files[name]))
		if err := pack(z, name, files[name]); err != nil {
			return nil, 0, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, 0, err
	}
	return out.Bytes(), size, nil
}

// unpackSet reads an uploaded archive. The error is one sentence for whoever
// uploaded it.
func unpackSet(archive []byte) (packed []byte, size int64, err error) {
	files, around, err := bundle.Unpack(archive, setFiles, setBytes)
	if err != nil {
		return nil, 0, err
	}
	if files, err = arrange(files, around); err != nil {
		return nil, 0, err
	}
	return packSet(files)
}
