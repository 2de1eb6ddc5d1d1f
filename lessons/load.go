package lessons

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"coldstart/sandbox/trace"
	"gopkg.in/yaml.v3"
)

// Config says how a folder of lessons is read. The zero value is good.
type Config struct {
	Ceiling trace.Limits // the most a lesson may ask for; zero fields: trace.Ceiling
	RawHTML bool         // keep authors' raw HTML as it is; false sanitises it
	Items   []Item       // what covers: may name; nil: the shipped Items
	// Mark keeps the lessons of one folder apart from all others of a site: a
	// track's address ends in -Mark, and every id begins with Mark-. "": as they are.
	Mark string
}

// The most that one file and one lesson folder may hold, so that a broken
// folder cannot exhaust the server.
const (
	maxText   = 128 << 10
	maxFolder = 4 << 20
	maxFiles  = 200
)

// Load reads a folder of tracks with the default Config.
func Load(fsys fs.FS) (*Catalog, []Problem) { return Config{}.Load(fsys) }

// Load reads a folder of tracks. It always returns a catalog with whatever
// could be read; the problems are sorted and say what could not, or what an
// author should improve.
func (c Config) Load(fsys fs.FS) (*Catalog, []Problem) {
	l := &loader{config: c, fsys: fsys, cat: &Catalog{byID: map[string]*Lesson{}, Sources: map[string]Source{}}, ids: map[string]string{}, dirs: map[string]string{}}
	if l.config.Ceiling == (trace.Limits{}) {
		l.config.Ceiling = trace.Ceiling()
	}
	if l.config.Items == nil {
		l.config.Items = Items()
	}
	l.sources()
	l.cat.around = &around{config: l.config, sources: l.cat.Sources, dirs: l.dirs, fronts: map[string]*front{}}
	l.tracks()
	l.cat.index = newIndex(l.cat) // of the text as written
	l.glossary()
	l.cat.index.terms(l.cat.Glossary)
	SortProblems(l.problems)
	return l.cat, l.problems
}

type loader struct {
	sink
	config Config
	fsys   fs.FS
	cat    *Catalog
	ids    map[string]string // lesson id to "file:line"
	dirs   map[string]string // lesson folder, as "track/lesson" with and without numbers, to URL
}

var folderForm = regexp.MustCompile(`^(?:\d+-)?([a-z][a-z0-9]*(?:-[a-z0-9]+)*)$`)

// slug is a folder's name without its number, "" when the name is not allowed.
func slug(folder string) string {
	if m := folderForm.FindStringSubmatch(folder); m != nil {
		return m[1]
	}
	return ""
}

// sources reads sources.yaml: id: { text, date, url }.
func (l *loader) sources() {
	src, ok := l.read("sources.yaml")
	if !ok {
		return
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(src), &doc); err != nil || len(doc.Content) > 0 && doc.Content[0].Kind != yaml.MappingNode {
		l.add("sources.yaml", 1, 1, "E005", "not a YAML mapping of ids to { text, date, url }")
		return
	}
	if len(doc.Content) == 0 {
		return
	}
	m := doc.Content[0]
	for i := 0; i+1 < len(m.Content); i += 2 {
		k, v := m.Content[i], m.Content[i+1]
		s := Source{ID: k.Value}
		if v.Kind != yaml.MappingNode || hasAlias(v) {
			l.add("sources.yaml", v.Line, v.Column, "E005", "%s must be { text, date, url }", k.Value)
			continue
		}
		for j := 0; j+1 < len(v.Content); j += 2 {
			switch v.Content[j].Value {
			case "text":
				s.Text = v.Content[j+1].Value
			case "date":
				s.Date = v.Content[j+1].Value
			case "url":
				s.URL = v.Content[j+1].Value
			default:
				l.add("sources.yaml", v.Content[j].Line, v.Content[j].Column, "E003", "unknown key %q%s", v.Content[j].Value, meant(v.Content[j].Value, []string{"text", "date", "url"}))
			}
		}
		l.cat.Sources[s.ID] = s
	}
}

// read reads a text file of bounded size with plain line ends.
func (l *loader) read(name string) (string, bool) {
	b, err := readAll(l.fsys, name, maxText)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.add(name, 1, 1, "E007", "cannot read: %s", reason(err))
		}
		return "", false
	}
	return clean(string(b)), true
}

// clean gives a text plain line ends and takes out what must not be in it.
func clean(s string) string {
	s = strings.ReplaceAll(strings.TrimPrefix(s, "\uFEFF"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if r == markOpen || r == markClose || r == 0 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// reason is an error without the path, which the problem already names.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

func readAll(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("larger than %d kB", limit>>10)
	}
	return b, nil
}

// folders lists the folders in dir that are content, in order.
func (l *loader) folders(dir string) []string {
	es, err := fs.ReadDir(l.fsys, dir)
	if err != nil {
		l.add(dir, 1, 1, "E007", "cannot read the folder: %s", reason(err))
		return nil
	}
	var out []string
	for _, e := range es {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(e.Name(), "_") {
			continue
		}
		if slug(e.Name()) == "" {
			l.add(path.Join(dir, e.Name()), 1, 1, "E008", "folder name must be a number and words in small letters, such as 20-first-worker")
			continue
		}
		out = append(out, e.Name())
	}
	sort.SliceStable(out, func(i, j int) bool { return before(out[i], out[j]) })
	return out
}

// before orders folder names by their numbers, then their words.
func before(a, b string) bool {
	na, nb := leading(a), leading(b)
	if na != nb {
		return na < nb
	}
	return a < b
}

func leading(s string) int {
	n := 0
	for i := 0; i < len(s) && i < 9 && s[i] >= '0' && s[i] <= '9'; i++ {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func (l *loader) tracks() {
	type found struct {
		track *Track
		front *front
		dirs  []string
	}
	var all []found
	seen := map[string]string{}
	for _, dir := range l.folders(".") {
		t := &Track{Slug: slug(dir), Dir: dir}
		if l.config.Mark != "" {
			t.Slug += "-" + l.config.Mark
		}
		if other, dup := seen[t.Slug]; dup {
			l.add(dir, 1, 1, "E008", "folder has the same address as %s; rename one", other)
			continue
		}
		seen[t.Slug] = dir
		f := l.track(t)
		if f == nil {
			continue
		}
		var dirs []string
		slugs := map[string]string{}
		for _, name := range l.folders(dir) {
			if other, dup := slugs[slug(name)]; dup {
				l.add(path.Join(dir, name), 1, 1, "E008", "folder has the same address as %s; rename one", other)
				continue
			}
			slugs[slug(name)] = name
			dirs = append(dirs, name)
			u := "/learn/" + t.Slug + "/" + slug(name)
			l.dirs[path.Join(dir, name)] = u
			l.dirs[path.Join(slug(dir), slug(name))] = u
			l.dirs[path.Join(dir, slug(name))] = u
		}
		all = append(all, found{t, f, dirs})
		l.cat.around.fronts[t.Dir] = f
		l.cat.Tracks = append(l.cat.Tracks, t)
	}
	for _, f := range all {
		lessons := map[string]*Lesson{}
		for _, name := range f.dirs {
			if ls := l.lesson(f.track, f.front, name); ls != nil {
				lessons[name] = ls
			}
		}
		l.plan(f.track, f.front, lessons)
	}
}

// track reads track.md; nil when there is none.
func (l *loader) track(t *Track) *front {
	file := path.Join(t.Dir, "track.md")
	src, ok := l.read(file)
	if !ok {
		if l.missing(file) {
			l.add(file, 1, 1, "E007", "missing; add it with `title:` and `summary:`, or begin the folder's name with _")
		}
		return nil
	}
	y, _, _, ok := splitFront(src)
	if !ok {
		l.add(file, 1, 1, "E005", "must begin with front matter between two lines of ---")
	}
	f := readFront(file, y, append(slices.Clone(lessonKeys), trackOnly...), &l.sink)
	t.Title, t.Summary = f.text("title"), f.text("summary")
	if t.Title == "" {
		l.add(file, 1, 1, "E001", "missing \"title\"; add `title: %s`", t.Slug)
		t.Title = t.Slug
	}
	return f
}

func (l *loader) missing(name string) bool {
	_, err := fs.Stat(l.fsys, name)
	return errors.Is(err, fs.ErrNotExist)
}

// plan puts lessons and what is still to come in order.
func (l *loader) plan(t *Track, f *front, have map[string]*Lesson) {
	names := make([]string, 0, len(have))
	coming := map[string]Entry{}
	for name := range have {
		names = append(names, name)
	}
	for _, p := range f.pairs("coming", "{ 30-many-workers: { title: Many Workers } }") {
		name, e := p.key.Value, Entry{Kind: "lesson"}
		if e.Slug = slug(name); e.Slug == "" {
			f.in.add(f.file, p.key.Line+f.line, p.key.Column, "E008", "coming: %q is not a folder name; write it like 20-first-worker", name)
			continue
		}
		if _, written := have[name]; written {
			continue
		}
		switch p.value.Kind {
		case yaml.ScalarNode:
			e.Title = p.value.Value
		case yaml.MappingNode:
			for i := 0; i+1 < len(p.value.Content); i += 2 {
				switch p.value.Content[i].Value {
				case "title":
					e.Title = p.value.Content[i+1].Value
				case "kind":
					e.Kind = p.value.Content[i+1].Value
				}
			}
		}
		if e.Title == "" {
			f.wrong(p.key, "coming: %s needs a title", name)
			continue
		}
		coming[name] = e
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool { return before(names[i], names[j]) })
	count := map[string]int{}
	for _, name := range names {
		e, planned := coming[name]
		if !planned {
			ls := have[name]
			e = Entry{Slug: ls.Slug, Title: ls.Title, Kind: ls.Kind, Lesson: ls}
		}
		count[e.Kind]++
		e.Number = count[e.Kind]
		if e.Lesson != nil {
			e.Lesson.Number = e.Number
		}
		t.Entries = append(t.Entries, e)
	}
}

var idForm = regexp.MustCompile(`^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$`)

// lesson reads one folder; nil when it cannot become a lesson at all.
func (l *loader) lesson(t *Track, tf *front, name string) *Lesson {
	dir := path.Join(t.Dir, name)
	file := path.Join(dir, "lesson.md")
	src, ok := l.read(file)
	if !ok {
		if l.missing(file) {
			l.add(file, 1, 1, "E007", "missing; every lesson folder holds one (begin the folder's name with _ to hide it)")
		}
		return nil
	}
	y, body, line, ok := splitFront(src)
	if !ok {
		l.add(file, 1, 1, "E005", "must begin with front matter between two lines of ---")
	}
	f := readFront(file, y, lessonKeys, &l.sink)
	ownCovers := f.has("covers")
	f.inherit(tf)
	ls := &Lesson{Track: t, Slug: slug(name), Dir: dir, Kind: "lesson", ID: f.text("id")}
	ls.Title, ls.Summary, ls.Lang = f.text("title"), f.text("summary"), f.text("lang")
	if ls.Lang == "" {
		ls.Lang = "en"
	}
	if ls.Title == "" {
		l.add(file, 1, 1, "E001", "missing \"title\"; add `title: %s`", ls.Slug)
		ls.Title = ls.Slug
	}
	if k := f.text("kind"); k != "" {
		ls.Kind = k
		if k != "lesson" && k != "challenge" {
			ln, col := f.at("kind")
			l.add(file, ln, col, "E005", "kind %q must be lesson or challenge", k)
			ls.Kind = "lesson"
		}
	}
	ls.Minutes = f.number("minutes", 10, 1)
	ls.Revision = f.number("revision", 1, 1)
	ls.Translates = ls.Revision
	ls.Limits = f.limits(l.config.Ceiling)
	ls.Request = f.request()
	ls.Open = f.text("open")
	labs, _ := f.list("labs")
	l.identify(ls, f)
	l.files(ls, f)
	d := l.document(file, dir)
	d.read(&ls.Text, body, line)
	for _, p := range ls.Pieces {
		if p.Kind == PieceLab {
			labs = append(labs, p.Lab.Name)
		}
	}
	sort.Strings(labs)
	ls.Labs = slices.Compact(labs)
	if n := countWords(body); n > maxWords {
		l.add(file, 1, 1, "W027", "%d words; a lesson says what it has to in %d", n, maxWords)
	}
	l.points(ls, f)
	l.tasks(ls, file)
	for _, p := range f.pairs("spare", "{ \"console.log(1);\": why no check minds }") {
		if ls.Spare == nil {
			ls.Spare = map[string]string{}
		}
		ls.Spare[strings.TrimSpace(p.key.Value)] = p.value.Value
	}
	if ownCovers {
		l.covers(ls, f)
	}
	l.translations(ls)
	if ls.ID != "" {
		l.cat.byID[ls.ID] = ls
	}
	return ls
}

// identify checks the id, which progress is stored under.
func (l *loader) identify(ls *Lesson, f *front) {
	line, col := f.at("id")
	switch other, dup := l.ids[ls.ID]; {
	case ls.ID == "":
		l.add(f.file, 1, 1, "E001", "missing \"id\"; add `id: %s` (progress is stored under it)", ls.Slug)
	case !idForm.MatchString(ls.ID) || len(ls.ID) > 64:
		l.add(f.file, line, col, "E001", "id %q must be small letters, digits and hyphens, at most 64", ls.ID)
		ls.ID = ""
	case dup:
		l.add(f.file, line, col, "E002", "id %q is also used in %s", ls.ID, other)
		ls.ID = ""
	case l.config.Mark != "" && len(l.config.Mark)+1+len(ls.ID) > maxMarked:
		l.add(f.file, line, col, "E001", "id %q has more than %d characters, the most for lessons that are uploaded", ls.ID, maxMarked-1-len(l.config.Mark))
		ls.ID = ""
	default:
		l.ids[ls.ID] = fmt.Sprintf("%s:%d", f.file, line)
		if l.config.Mark != "" {
			ls.ID = l.config.Mark + "-" + ls.ID
		}
	}
}

// maxMarked is how long an id with its mark may be: it names a project.
const maxMarked = 63

// files reads the starter, the solution and the checks.
func (l *loader) files(ls *Lesson, f *front) {
	ls.Starter = l.folder(path.Join(ls.Dir, "_files"))
	if ls.Starter == nil {
		ls.Starter = map[string][]byte{}
		l.add(f.file, 1, 1, "E007", "there is no _files folder; it holds what the learner starts with")
	}
	if sol := l.folder(path.Join(ls.Dir, "_solution")); sol != nil {
		ls.Solution = map[string][]byte{}
		for p, b := range ls.Starter {
			ls.Solution[p] = b
		}
		for p, b := range sol {
			if string(ls.Solution[p]) == string(b) && ls.Starter[p] != nil {
				l.add(path.Join(ls.Dir, "_solution", p), 1, 1, "W017", "same as in _files; remove it, a solution holds only what differs")
			}
			ls.Solution[p] = b
		}
		ls.Diff = Diff(ls.Starter, ls.Solution)
	}
	names := make([]string, 0, len(ls.Starter))
	for p := range ls.Starter {
		names = append(names, p)
	}
	sort.Strings(names)
	if _, ok := ls.Starter[ls.Open]; !ok {
		if ls.Open != "" && f.has("open") {
			line, col := f.at("open")
			l.add(f.file, line, col, "E004", "open: %q is not in _files%s", ls.Open, meant(ls.Open, names))
		}
		ls.Open = ""
		if m := ls.Main(); ls.Starter[m] != nil {
			ls.Open = m
		} else if len(names) > 0 {
			ls.Open = names[0]
			for _, n := range names {
				if strings.HasSuffix(n, ".ts") || strings.HasSuffix(n, ".js") {
					ls.Open = n
					break
				}
			}
		}
	}
	file := path.Join(ls.Dir, "checks.js")
	if src, ok := l.read(file); ok {
		ls.Checks = src
		ls.Declared = declarations(src)
	} else if ls.Solution != nil {
		l.add(f.file, 1, 1, "E009", "there is a _solution but no checks.js")
	}
	ls.around, ls.folder = l.cat.around, l.whole(ls.Dir)
	ls.Hash = hash(ls.folder)
}

// folder reads all files under dir; nil when it is missing.
func (l *loader) folder(dir string) map[string][]byte {
	if l.missing(dir) {
		return nil
	}
	out := map[string][]byte{}
	var total int64
	err := fs.WalkDir(l.fsys, dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if !e.Type().IsRegular() {
			l.add(p, 1, 1, "E007", "only plain files are taken, no links")
			return nil
		}
		if len(out) >= maxFiles || total > maxFolder {
			l.add(dir, 1, 1, "E007", "more than %d files or %d MB", maxFiles, maxFolder>>20)
			return fs.SkipAll
		}
		b, err := readAll(l.fsys, p, maxFolder)
		if err != nil {
			l.add(p, 1, 1, "E007", "cannot read: %s", reason(err))
			return nil
		}
		if utf8.Valid(b) {
			b = []byte(strings.ReplaceAll(string(b), "\r\n", "\n"))
		}
		total += int64(len(b))
		out[strings.TrimPrefix(p, dir+"/")] = b
		return nil
	})
	if err != nil {
		l.add(dir, 1, 1, "E007", "cannot read the folder: %s", reason(err))
	}
	return out
}

// whole is every file in the lesson's folder as it is there.
func (l *loader) whole(dir string) map[string][]byte {
	out := map[string][]byte{}
	_ = fs.WalkDir(l.fsys, dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil //nolint:nilerr // what cannot be read was reported when it was needed
		}
		if b, err := readAll(l.fsys, p, maxFolder); err == nil {
			out[strings.TrimPrefix(p, dir+"/")] = b
		}
		return nil
	})
	return out
}

// hash is of files by name and content.
func hash(files map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(h, "%s %d\n", name, len(files[name]))
		h.Write(files[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

func (l *loader) document(file, dir string) *document {
	return &document{
		in: &l.sink, file: file, dir: dir, rawHTML: l.config.RawHTML, shared: l.cat.Sources,
		own: map[string]Source{}, count: map[string]int{}, ids: map[string]bool{},
		links: func(to string) (string, bool) { u, ok := l.dirs[to]; return u, ok },
	}
}

// read turns the text of a lesson into pieces.
func (d *document) read(t *Text, body string, line int) {
	body = d.takeSources(body)
	task := 0
	perTask := map[int]int{}
	for _, s := range d.sections(body, line) {
		switch s.kind {
		case "":
			t.Pieces = append(t.Pieces, Piece{Kind: PieceProse, HTML: d.block(strings.Join(s.body, "\n"), s.first)})
		case "task":
			task = s.n
			k := &Task{N: s.n, Title: d.inline(s.title, s.line), Body: d.block(strings.Join(s.body, "\n"), s.first), Line: s.line}
			t.Tasks = append(t.Tasks, k)
			t.Pieces = append(t.Pieces, Piece{Kind: PieceTask, Task: k})
		case "hint":
			perTask[task]++
			h := &Hint{N: perTask[task], Task: task, HTML: d.block(strings.Join(s.body, "\n"), s.first), Line: s.line}
			t.Hints = append(t.Hints, h)
			t.Pieces = append(t.Pieces, Piece{Kind: PieceHint, Hint: h})
		case "predict", "quiz":
			q := d.question(s)
			for _, other := range t.Questions {
				if other.ID == q.ID {
					d.problem(s.line, 1, "E023", "question id %q is used twice; give each its own id=", q.ID)
				}
			}
			t.Questions = append(t.Questions, q)
			t.Pieces = append(t.Pieces, Piece{Kind: PieceQuestion, Question: q})
		case "lab":
			lab := &Lab{Args: s.args, Line: s.line, HTML: d.block(strings.Join(s.body, "\n"), s.first)}
			if len(s.words) > 0 {
				lab.Name = s.words[0]
			}
			if lab.Name == "" {
				d.problem(s.line, 1, "E025", "which lab? name it in this line, such as `:::lab race`")
				continue
			}
			if !contains(labNames, lab.Name) {
				d.problem(s.line, 1, "E025", "there is no lab %q%s", lab.Name, meant(lab.Name, labNames))
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(s.args)) {
				if known := LabSettings[lab.Name]; !contains(known, name) {
					d.problem(s.line, 1, "E025", "lab %s has no setting %q%s", lab.Name, name, meant(name, known))
				} else if _, err := strconv.ParseFloat(s.args[name], 64); err != nil && contains(LabNumbers, name) {
					d.problem(s.line, 1, "E025", "%s of lab %s is a number, not %q", name, lab.Name, s.args[name])
				}
			}
			t.Pieces = append(t.Pieces, Piece{Kind: PieceLab, Lab: lab})
		}
	}
	t.Notes = d.notes
}

// LabSettings are the labs that a lesson may embed, and what may stand on their line.
var LabSettings = map[string][]string{
	"process":   {},
	"race":      {"contenders", "samples", "own"},
	"density":   {"boxes", "isolates"},
	"autoscale": {"shape", "peak", "inside", "controller", "clock", "capacity", "seed", "file", "pool"},
	"cost":      {"cpu_ms", "ms", "mb", "own", "prices"},
	"isolation": {"show", "cpu", "memory", "wall"},
	"routing":   {"urls", "documented"},
	"events":    {"triggers"},
	"dialects":  {"method", "user", "pass"},
	"edge":      {"data", "calls", "cached", "factor", "last_mile", "own"},
	"snapshot":  {"code"},
	"rollout":   {"plan", "rate", "sticky", "seconds", "seed", "old", "new"},
	"online":    {"file", "curl"},
}

// LabNumbers are those of them that are numbers.
var LabNumbers = []string{"calls", "cached", "capacity", "clock", "cpu", "cpu_ms", "factor", "inside", "isolates", "last_mile", "mb", "memory", "ms", "peak", "rate", "samples", "seconds", "seed", "wall"}

var labNames = slices.Sorted(maps.Keys(LabSettings))

// points gives a challenge's points to its tasks.
func (l *loader) points(ls *Lesson, f *front) {
	values, nodes := f.list("points")
	for i, v := range values {
		n := 0
		if _, err := fmt.Sscanf(v, "%d", &n); err != nil || n < 1 || n > 1000 {
			f.wrong(nodes[i], "points must be whole numbers from 1, one per task")
			return
		}
		ls.Points = append(ls.Points, n)
	}
	line, col := f.at("points")
	switch {
	case ls.Kind == "challenge" && len(ls.Points) != len(ls.Tasks):
		l.add(f.file, line, col, "E005", "points lists %d numbers for %d tasks; write one per task", len(ls.Points), len(ls.Tasks))
		ls.Points = nil
	case ls.Kind != "challenge" && len(ls.Points) > 0:
		l.add(f.file, line, col, "E005", "points belong to a challenge; add `kind: challenge`")
		ls.Points = nil
	}
	for i := range ls.Points {
		ls.Tasks[i].Points = ls.Points[i]
	}
}

// tasks checks that tasks count from 1 and that tasks and checks name each other.
func (l *loader) tasks(ls *Lesson, file string) {
	for i, t := range ls.Tasks {
		if t.N != i+1 {
			l.add(file, t.Line, 1, "E026", "task %d should be task %d: tasks count from 1 without gaps", t.N, i+1)
		}
		found := false
		for _, d := range ls.Declared {
			found = found || d.Task == t.N
		}
		if !found {
			l.add(file, t.Line, 1, "E010", "task %d has no check; name one \"%d: …\" in checks.js", t.N, t.N)
		}
	}
	for _, d := range ls.Declared {
		known := d.Task == 0
		for _, t := range ls.Tasks {
			known = known || t.N == d.Task
		}
		if !known {
			has := "no tasks"
			switch n := len(ls.Tasks); {
			case n == 1:
				has = "only task 1"
			case n > 1:
				has = fmt.Sprintf("1–%d", n)
			}
			l.add(path.Join(ls.Dir, "checks.js"), d.Line, d.Column, "E011", "check %q names no task (lesson.md has %s)", short(d.Name), has)
		} else if d.Task == 0 && d.Kind != "guard" {
			l.add(path.Join(ls.Dir, "checks.js"), d.Line, d.Column, "E011", "check %q names no task; begin its name with the task's number, \"1: …\", or make it a test.guard", d.Name)
		}
	}
}

// short is a check's name as messages quote it: the number and an ellipsis.
func short(name string) string {
	if n, _, ok := strings.Cut(name, ": "); ok {
		return n + ": …"
	}
	return name
}

// covers reads which items of the course notes the lesson teaches, and where.
func (l *loader) covers(ls *Lesson, f *front) {
	for _, p := range f.pairs("covers", "{ S92: task 1, S94: quiz }") {
		item, anchor := p.key.Value, strings.TrimSpace(p.value.Value)
		line, col := p.key.Line+f.line, p.key.Column
		known := false
		for _, it := range l.config.Items {
			known = known || it.ID == item
		}
		switch {
		case !known:
			l.add(f.file, line, col, "E031", "covers: no such item %q", item)
		case !ls.anchored(anchor):
			what, _, _ := strings.Cut(anchor, " ")
			if contains([]string{"task", "quiz", "predict", "lab"}, what) {
				if what == anchor {
					l.add(f.file, line, col, "E032", "covers %s: there is no %s in this lesson", item, what)
				} else {
					l.add(f.file, line, col, "E032", "covers %s: there is no %q in this lesson", item, anchor)
				}
			} else {
				l.add(f.file, line, col, "E032", "covers %s: %q is no place; write task N, quiz, predict or lab, with a number or name when there are several", item, anchor)
			}
		default:
			ls.Covers = append(ls.Covers, Cover{item, anchor})
		}
	}
}

// anchored reports whether a place such as "task 2" or "quiz" is in the lesson.
func (ls *Lesson) anchored(anchor string) bool {
	what, which, _ := strings.Cut(anchor, " ")
	which = strings.TrimSpace(which)
	n, count := 0, 0
	_, _ = fmt.Sscanf(which, "%d", &n)
	switch what {
	case "task":
		return n >= 1 && n <= len(ls.Tasks)
	case "quiz", "predict":
		for _, q := range ls.Questions {
			if q.Predict == (what == "predict") {
				count++
			}
		}
		return which == "" && count > 0 || n >= 1 && n <= count
	case "lab":
		return which == "" && len(ls.Labs) > 0 || contains(ls.Labs, which)
	}
	return false
}

// maxWords is how long a lesson's prose may be; hints, quizzes and what stands
// in fences or between markers is not counted.
const maxWords = 400

func countWords(body string) int {
	n, inside, fence := 0, false, false
	for l := range strings.Lines(body) {
		switch t := strings.TrimSpace(l); {
		case strings.HasPrefix(t, "```") || strings.HasPrefix(t, "~~~"):
			fence = !fence
		case fence || sourceLine.MatchString(t):
		case t == ":::":
			inside = false
		case strings.HasPrefix(t, ":::"):
			inside = true
		case !inside:
			for _, w := range strings.Fields(t) {
				if strings.ContainsFunc(w, unicode.IsLetter) {
					n++
				}
			}
		}
	}
	return n
}

var translationForm = regexp.MustCompile(`^lesson\.([a-z]{2,3}(?:-[A-Z]{2})?)\.md$`)

// translations reads lesson.<lang>.md.
func (l *loader) translations(ls *Lesson) {
	es, err := fs.ReadDir(l.fsys, ls.Dir)
	if err != nil {
		return // lesson.md was readable; the problem would be reported there
	}
	for _, e := range es {
		m := translationForm.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		file := path.Join(ls.Dir, e.Name())
		src, ok := l.read(file)
		if !ok {
			continue
		}
		y, body, line, ok := splitFront(src)
		if !ok {
			l.add(file, 1, 1, "E005", "must begin with front matter between two lines of ---")
		}
		f := readFront(file, y, textKeys, &l.sink)
		tr := &Text{Lang: m[1], Title: f.text("title"), Summary: f.text("summary"), Translates: f.number("revision", 1, 1)}
		if tr.Title == "" {
			l.add(file, 1, 1, "E001", "missing \"title\"; add `title:` in this language")
			tr.Title = ls.Title
		}
		if tr.Translates < ls.Revision {
			l.add(file, 1, 1, "W040", "translates revision %d; lesson.md is at %d", tr.Translates, ls.Revision)
		}
		d := l.document(file, ls.Dir)
		d.read(tr, body, line)
		l.matches(ls, tr, file)
		if ls.Translations == nil {
			ls.Translations = map[string]*Text{}
		}
		ls.Translations[tr.Lang] = tr
	}
}

// matches checks that a translation has the same tasks and questions, since
// progress and answers are shared between languages.
func (l *loader) matches(ls *Lesson, tr *Text, file string) {
	if len(tr.Tasks) != len(ls.Tasks) {
		l.add(file, 1, 1, "E041", "has %d tasks; lesson.md has %d", len(tr.Tasks), len(ls.Tasks))
	}
	for i, q := range tr.Questions {
		if i >= len(ls.Questions) || ls.Questions[i].ID != q.ID || ls.Questions[i].Kind != q.Kind || len(ls.Questions[i].Options) != len(q.Options) {
			l.add(file, q.Line, 1, "E041", "question %s differs from lesson.md; keep kinds, ids and the number of options", q.ID)
			return
		}
	}
	if len(tr.Questions) < len(ls.Questions) {
		l.add(file, 1, 1, "E041", "has %d questions; lesson.md has %d", len(tr.Questions), len(ls.Questions))
	}
}
