package classroom

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"coldstart/sandbox/trace"
)

// What a workspace may hold.
const (
	KeepVersions = 20  // versions of one project
	KeepRuns     = 50  // runs of one project
	MaxProjects  = 300 // in one workspace: more than the curriculum needs several times over
)

// The ways a version came to be.
const (
	KindBegin   = "begin" // the lesson's starter, stored because it was run
	KindEdit    = "edit"
	KindReset   = "reset"   // the lesson's starter again
	KindSolve   = "solve"   // the lesson's solution
	KindRestore = "restore" // an earlier version again
	KindUpdate  = "update"  // the lesson's newer revision was taken
	KindUndo    = "undo"    // what was there before reset, solve, restore or update
)

// AnyRevision as Change.Base replaces whatever is there.
const AnyRevision = -1

// Settings are what a project has beside files. The site turns Env and
// Bindings into a wrangler file when the project has none.
type Settings struct {
	Main     string                     `json:"main,omitempty"`     // entry file
	Env      map[string]json.RawMessage `json:"env,omitempty"`      // plain bindings: strings or JSON
	Bindings map[string]string          `json:"bindings,omitempty"` // name to kind: "kv", "r2" …
	Limits   LimitSettings              `json:"limits,omitempty"`
}

// LimitSettings are the limits a project asks for, by trace.LimitNames; what
// is not there has the default. The host's ceilings apply later.
type LimitSettings map[string]int64

// SetLimits are the settings that ask for what is set in l.
func SetLimits(l trace.Limits) LimitSettings {
	set := LimitSettings{}
	for _, name := range trace.LimitNames() {
		if n := l.Named(name); n > 0 {
			set[name] = n
		}
	}
	return set
}

// Project is what a learner edits, at one revision.
type Project struct {
	Workspace      string
	ID             string // unique in the workspace: the lesson's id, or one that the learner chose
	Slug           string // public name of its Worker: 16 random characters
	Title          string
	Lesson         string // "" for a project that belongs to no lesson
	LessonRevision string // the lesson's when the project began; a draft finishes on it
	Declined       string // the newer revision that the learner does not take for now; "" for none
	Settings       Settings
	Revision       int64 // grows by one with every change; 0 is never used
	UndoTo         int64 // revision that Undo goes back to, 0 for none
	Saved          time.Time
	Files          Files
}

// Change is one save.
type Change struct {
	Base           int64 // the revision that was edited; 0 for the lesson's starter; AnyRevision
	Files          Files // all of them; the caller has checked them
	Kind           string
	Title          *string // nil keeps it
	Settings       *Settings
	Lesson         string // for a new project
	LessonRevision string // for a new project and an update
	Archive        string // of that revision of the lesson, kept with the draft; "" when it is kept already
	Slug           string // for a new project: its public name; "" makes one
}

// Conflict is the error of a save whose base is no longer the newest revision.
// Nothing was written.
type Conflict struct{ Current Project }

func (c *Conflict) Error() string {
	return fmt.Sprintf("project %s was saved elsewhere as revision %d", c.Current.ID, c.Current.Revision)
}

// Save stores a change and returns the project as it is then, committed. A
// change that changes nothing, such as the repetition of a save whose answer
// was lost, returns the newest revision whatever its base. Other changes on an
// old base return *Conflict.
func (s *Store) Save(ctx context.Context, workspace, id string, c Change) (Project, error) {
	var p Project
	err := s.tx(ctx, func(tx *sql.Tx) (err error) {
		p, err = s.save(ctx, tx, workspace, id, c)
		return err
	}, workspace)
	if err != nil {
		return Project{}, fmt.Errorf("save project %q: %w", id, err)
	}
	return p, nil
}

func (s *Store) save(ctx context.Context, tx *sql.Tx, workspace, id string, c Change) (Project, error) {
	now := s.millis()
	p, err := loadProject(ctx, tx, workspace, id)
	if errors.Is(err, ErrNotFound) {
		if p, err = s.create(ctx, tx, workspace, id, c, now); err != nil {
			return p, err
		}
		return p, insertVersion(ctx, tx, p, c.Kind, now)
	}
	if err != nil {
		return p, err
	}
	next := p
	next.Files = c.Files
	if c.Title != nil {
		next.Title = *c.Title
	}
	if c.Settings != nil {
		next.Settings = *c.Settings
	}
	if c.LessonRevision != "" && (c.Kind == KindUpdate || c.Kind == KindUndo) {
		next.LessonRevision = c.LessonRevision
	}
	same, err := sameProject(p, next)
	if err != nil {
		return p, err
	}
	if same {
		return p, nil
	}
	if c.Base != p.Revision && c.Base != AnyRevision {
		// A page that began with the starter does not know that running it has stored it.
		begun := false
		if c.Base == 0 && p.Revision == 1 {
			if begun, err = isBegin(ctx, tx, workspace, id); err != nil {
				return p, err
			}
		}
		if !begun {
			return p, &Conflict{Current: p}
		}
	}
	next.Revision++
	next.Saved = fromMillis(now)
	switch c.Kind {
	case KindReset, KindSolve, KindRestore, KindUpdate:
		next.UndoTo = p.Revision
		if c.Kind == KindUpdate {
			next.Declined = ""
		}
	case KindUndo:
		next.UndoTo = 0
	}
	settings, err := json.Marshal(next.Settings)
	if err != nil {
		return p, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE projects SET title = $1, settings = $2, revision = $3, undo_to = $4, lesson_revision = $5, declined = $6, saved_at = $7 WHERE workspace = $8 AND id = $9`,
		next.Title, string(settings), next.Revision, next.UndoTo, next.LessonRevision, next.Declined, now, workspace, id)
	if err != nil {
		return p, err
	}
	if err := insertVersion(ctx, tx, next, c.Kind, now); err != nil {
		return p, err
	}
	if c.Archive != "" && next.LessonRevision != p.LessonRevision {
		if err := s.keepRevision(ctx, tx, next.Lesson, next.LessonRevision, c.Archive); err != nil {
			return p, err
		}
	}
	if err := touchTime(ctx, tx, workspace, next.Lesson, now); err != nil {
		return p, err
	}
	return next, prune(ctx, tx, next)
}

func isBegin(ctx context.Context, q querier, workspace, id string) (bool, error) {
	var kind string
	err := q.QueryRowContext(ctx, `SELECT kind FROM versions WHERE workspace = $1 AND project = $2 AND revision = 1`, workspace, id).Scan(&kind)
	return kind == KindBegin, err
}

func sameProject(a, b Project) (bool, error) {
	if a.Title != b.Title || a.LessonRevision != b.LessonRevision || !a.Files.Equal(b.Files) {
		return false, nil
	}
	x, err := json.Marshal(a.Settings)
	if err != nil {
		return false, err
	}
	y, err := json.Marshal(b.Settings)
	return string(x) == string(y), err
}

func (s *Store) create(ctx context.Context, tx *sql.Tx, workspace, id string, c Change, now int64) (Project, error) {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM projects WHERE workspace = $1`, workspace).Scan(&n); err != nil {
		return Project{}, err
	}
	if n >= MaxProjects {
		return Project{}, ErrTooMany
	}
	p := Project{
		Workspace: workspace, ID: id, Slug: c.Slug, Lesson: c.Lesson, LessonRevision: c.LessonRevision,
		Revision: 1, Saved: fromMillis(now), Files: c.Files,
	}
	if p.Slug == "" {
		p.Slug = NewID(16)
	}
	if c.Title != nil {
		p.Title = *c.Title
	}
	if c.Settings != nil {
		p.Settings = *c.Settings
	}
	settings, err := json.Marshal(p.Settings)
	if err != nil {
		return p, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO projects (workspace, id, slug, title, lesson, lesson_revision, settings, revision, undo_to, created_at, saved_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 0, $8, $8)`,
		workspace, id, p.Slug, p.Title, p.Lesson, p.LessonRevision, string(settings), now)
	if err != nil {
		return p, err
	}
	if c.Archive != "" && p.Lesson != "" {
		if err := s.keepRevision(ctx, tx, p.Lesson, p.LessonRevision, c.Archive); err != nil {
			return p, err
		}
	}
	if p.Lesson != "" {
		return p, start(ctx, tx, workspace, p.Lesson, now)
	}
	return p, nil
}

func insertVersion(ctx context.Context, tx *sql.Tx, p Project, kind string, now int64) error {
	if kind == "" {
		kind = KindEdit
	}
	files, err := json.Marshal(p.Files)
	if err != nil {
		return err
	}
	settings, err := json.Marshal(p.Settings)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO versions (workspace, project, revision, kind, files, saved_at, lesson_revision, settings) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.Workspace, p.ID, p.Revision, kind, string(files), now, p.LessonRevision, string(settings))
	return err
}

// prune keeps KeepVersions versions: the newest, the one that Undo needs, the
// first, and of the rest those that lie furthest apart in time. An hour of
// typing then leaves versions all over the hour, not of its last minute.
func prune(ctx context.Context, tx *sql.Tx, p Project) error {
	versions, err := listVersions(ctx, tx, p.Workspace, p.ID)
	if err != nil {
		return err
	}
	for len(versions) > KeepVersions {
		victim, least := -1, time.Duration(0)
		for i := 1; i < len(versions)-1; i++ { // newest first; the newest and the first stay
			if versions[i].Revision == p.UndoTo {
				continue
			}
			gap := versions[i-1].Saved.Sub(versions[i+1].Saved)
			if victim < 0 || gap <= least {
				victim, least = i, gap
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM versions WHERE workspace = $1 AND project = $2 AND revision = $3`, p.Workspace, p.ID, versions[victim].Revision); err != nil {
			return err
		}
		versions = append(versions[:victim], versions[victim+1:]...)
	}
	return nil
}

// Undo goes back to what was there before the last reset, solve, restore or
// update: the files, the settings and the lesson's revision, as a new revision. Without one it returns ErrNotFound. Base as in Change.
func (s *Store) Undo(ctx context.Context, workspace, id string, base int64) (Project, error) {
	var p Project
	err := s.tx(ctx, func(tx *sql.Tx) error {
		current, err := loadProject(ctx, tx, workspace, id)
		if err != nil {
			return err
		}
		if current.UndoTo == 0 {
			return ErrNotFound
		}
		files, err := loadFiles(ctx, tx, workspace, id, current.UndoTo)
		if err != nil {
			return err
		}
		change := Change{Base: base, Files: files, Kind: KindUndo}
		var settings string
		err = tx.QueryRowContext(ctx, `SELECT lesson_revision, settings FROM versions WHERE workspace = $1 AND project = $2 AND revision = $3`, workspace, id, current.UndoTo).Scan(&change.LessonRevision, &settings)
		if err != nil {
			return err
		}
		if settings != "" {
			if err := json.Unmarshal([]byte(settings), &change.Settings); err != nil {
				return err
			}
		}
		p, err = s.save(ctx, tx, workspace, id, change)
		return err
	}, workspace)
	if err != nil {
		return Project{}, fmt.Errorf("undo in project %q: %w", id, err)
	}
	return p, nil
}

// Restore makes an earlier version the newest again. A version that is no
// longer kept returns ErrNotFound.
func (s *Store) Restore(ctx context.Context, workspace, id string, base, revision int64) (Project, error) {
	var p Project
	err := s.tx(ctx, func(tx *sql.Tx) error {
		files, err := loadFiles(ctx, tx, workspace, id, revision)
		if err != nil {
			return err
		}
		p, err = s.save(ctx, tx, workspace, id, Change{Base: base, Files: files, Kind: KindRestore})
		return err
	}, workspace)
	if err != nil {
		return Project{}, fmt.Errorf("restore project %q: %w", id, err)
	}
	return p, nil
}

// querier is what reads need: a database or a transaction.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

const projectColumns = `workspace, id, slug, title, lesson, lesson_revision, declined, settings, revision, undo_to, saved_at`

func scanProject(scan func(...any) error) (Project, error) {
	var p Project
	var settings string
	var saved int64
	err := scan(&p.Workspace, &p.ID, &p.Slug, &p.Title, &p.Lesson, &p.LessonRevision, &p.Declined, &settings, &p.Revision, &p.UndoTo, &saved)
	if err != nil {
		return Project{}, reason(err)
	}
	p.Saved = fromMillis(saved)
	return p, json.Unmarshal([]byte(settings), &p.Settings)
}

func loadProject(ctx context.Context, q querier, workspace, id string) (Project, error) {
	p, err := scanProject(q.QueryRowContext(ctx, `SELECT `+projectColumns+` FROM projects WHERE workspace = $1 AND id = $2`, workspace, id).Scan)
	if err != nil {
		return Project{}, err
	}
	p.Files, err = loadFiles(ctx, q, workspace, id, p.Revision)
	return p, err
}

func loadFiles(ctx context.Context, q querier, workspace, id string, revision int64) (Files, error) {
	var text string
	err := q.QueryRowContext(ctx, `SELECT files FROM versions WHERE workspace = $1 AND project = $2 AND revision = $3`, workspace, id, revision).Scan(&text)
	if err != nil {
		return nil, reason(err)
	}
	var f Files
	return f, json.Unmarshal([]byte(text), &f)
}

// Project loads a project, at its newest revision when revision is 0. Unknown
// projects and versions no longer kept return ErrNotFound.
func (s *Store) Project(ctx context.Context, workspace, id string, revision int64) (Project, error) {
	var p Project
	err := s.reading(ctx, func(q querier) (err error) {
		p, err = loadProject(ctx, q, workspace, id)
		if err != nil || revision == 0 || revision == p.Revision {
			return err
		}
		p.Revision = revision
		p.Files, err = loadFiles(ctx, q, workspace, id, revision)
		return err
	})
	if err != nil {
		return Project{}, fmt.Errorf("load project %q: %w", id, err)
	}
	return p, nil
}

// Revision is the newest revision of a project, or ErrNotFound.
func (s *Store) Revision(ctx context.Context, workspace, id string) (int64, error) {
	var revision int64
	err := s.read.QueryRowContext(ctx, `SELECT revision FROM projects WHERE workspace = $1 AND id = $2`, workspace, id).Scan(&revision)
	if err != nil {
		return 0, fmt.Errorf("find project %q: %w", id, reason(err))
	}
	return revision, nil
}

// ProjectBySlug loads the project whose Worker has this public name.
func (s *Store) ProjectBySlug(ctx context.Context, slug string) (Project, error) {
	var p Project
	err := s.reading(ctx, func(q querier) error {
		var workspace, id string
		err := q.QueryRowContext(ctx, `SELECT workspace, id FROM projects WHERE slug = $1`, slug).Scan(&workspace, &id)
		if err != nil {
			return err
		}
		p, err = loadProject(ctx, q, workspace, id)
		return err
	})
	if err != nil {
		return Project{}, fmt.Errorf("load project of slug %q: %w", slug, err)
	}
	return p, nil
}

// Projects lists a workspace's projects without their files, newest save first.
func (s *Store) Projects(ctx context.Context, workspace string) ([]Project, error) {
	return listProjects(ctx, s.read, workspace)
}

func listProjects(ctx context.Context, q querier, workspace string) ([]Project, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+projectColumns+` FROM projects WHERE workspace = $1 ORDER BY saved_at DESC, id`, workspace)
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", reason(err))
	}
	return collect(rows, scanProject)
}

// Version is one kept state of a project.
type Version struct {
	Revision int64     `json:"revision"`
	Kind     string    `json:"kind"`
	Saved    time.Time `json:"saved_at"`
	Lesson   string    `json:"lesson_revision"` // of the lesson; "" when that is not known
}

// Versions lists the kept versions, newest first.
func (s *Store) Versions(ctx context.Context, workspace, id string) ([]Version, error) {
	versions, err := listVersions(ctx, s.read, workspace, id)
	if err != nil {
		return nil, fmt.Errorf("list versions: %w", err)
	}
	if len(versions) == 0 {
		return nil, fmt.Errorf("list versions of project %q: %w", id, ErrNotFound)
	}
	return versions, nil
}

func listVersions(ctx context.Context, q querier, workspace, id string) ([]Version, error) {
	rows, err := q.QueryContext(ctx, `SELECT revision, kind, saved_at, lesson_revision FROM versions WHERE workspace = $1 AND project = $2 ORDER BY revision DESC`, workspace, id)
	if err != nil {
		return nil, reason(err)
	}
	return collect(rows, func(scan func(...any) error) (v Version, err error) {
		var saved int64
		err = scan(&v.Revision, &v.Kind, &saved, &v.Lesson)
		v.Saved = fromMillis(saved)
		return v, err
	})
}

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, scan func(func(...any) error) (T, error)) ([]T, error) {
	var all []T
	for rows.Next() {
		one, err := scan(rows.Scan)
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, one)
	}
	return all, errors.Join(reason(rows.Err()), rows.Close())
}

// DeleteProject removes a project with its versions, runs and deployment.
func (s *Store) DeleteProject(ctx context.Context, workspace, id string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if err := changed(tx.ExecContext(ctx, `DELETE FROM projects WHERE workspace = $1 AND id = $2`, workspace, id)); err != nil {
			return err
		}
		if err := dropRecords(ctx, tx, workspace, id); err != nil {
			return err
		}
		return dropBundles(ctx, tx)
	}, workspace, bundles)
	if err != nil {
		return fmt.Errorf("delete project %q: %w", id, err)
	}
	return nil
}
