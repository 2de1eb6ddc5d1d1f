package classroom

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/bits"
	"strings"
	"time"

	"coldstart/sandbox/trace"
)

// Work is what one workspace did in one lesson, as its class sees it.
type Work struct {
	Started time.Time
	Done    time.Time // zero until every task passed
	Checks  []Check   // without Detail
	Answers []Answer  // without the answers themselves
	Hints   map[int]int
}

// WorkFilter chooses from the work of a class; a nil field chooses all.
type WorkFilter struct {
	Workspaces []string // those that are no members are left out
	Lessons    []string
}

// where is the filter in SQL, with its arguments appended to args.
func (f WorkFilter) where(args []any) (string, []any) {
	text := ""
	for _, part := range []struct {
		column string
		values []string
	}{{"workspace", f.Workspaces}, {"lesson", f.Lessons}} {
		if len(part.values) == 0 {
			continue
		}
		var places []string
		// Lists of 1, 2, 4 and so on, so that there are few statements to prepare.
		for i := range 1 << bits.Len(uint(len(part.values)-1)) {
			args = append(args, part.values[min(i, len(part.values)-1)])
			places = append(places, fmt.Sprintf("$%d", len(args)))
		}
		text += ` AND x.` + part.column + ` IN (` + strings.Join(places, ", ") + `)`
	}
	return text, args
}

// WorkOf gives what members of a class did: by workspace, then by lesson.
func (s *Store) WorkOf(ctx context.Context, class string, only WorkFilter) (map[string]map[string]*Work, error) {
	out := map[string]map[string]*Work{}
	work := func(workspace, lesson string) *Work {
		byLesson := out[workspace]
		if byLesson == nil {
			byLesson = map[string]*Work{}
			out[workspace] = byLesson
		}
		w := byLesson[lesson]
		if w == nil {
			w = &Work{Hints: map[int]int{}}
			byLesson[lesson] = w
		}
		return w
	}
	where, args := only.where([]any{class})
	from := ` x JOIN members m ON m.workspace = x.workspace WHERE m.class = $1` + where
	var workspace, lesson string
	err := s.reading(ctx, func(q querier) error {
		for _, part := range []struct {
			query string
			scan  func(scan func(...any) error) error
		}{
			{`SELECT x.workspace, x.lesson, x.started_at, x.done_at FROM progress` + from, func(scan func(...any) error) error {
				var started, done int64
				err := scan(&workspace, &lesson, &started, &done)
				w := work(workspace, lesson)
				w.Started, w.Done = fromMillis(started), fromMillis(done)
				return err
			}},
			{`SELECT x.workspace, x.lesson, x.name, x.task, x.passed, x.tries, x.began_at, x.ran_at, x.passed_at FROM checks` + from + ` ORDER BY x.task, x.name`, func(scan func(...any) error) error {
				var c Check
				var began, ran, passed int64
				err := scan(&workspace, &lesson, &c.Name, &c.Task, &c.Passed, &c.Tries, &began, &ran, &passed)
				c.Began, c.Ran, c.PassedAt = fromMillis(began), fromMillis(ran), fromMillis(passed)
				w := work(workspace, lesson)
				w.Checks = append(w.Checks, c)
				return err
			}},
			{`SELECT x.workspace, x.lesson, x.piece, x.correct, x.first_correct, x.tries, x.answered_at FROM answers` + from, func(scan func(...any) error) error {
				var a Answer
				var at int64
				err := scan(&workspace, &lesson, &a.Piece, &a.Correct, &a.FirstCorrect, &a.Tries, &at)
				a.Answered = fromMillis(at)
				w := work(workspace, lesson)
				w.Answers = append(w.Answers, a)
				return err
			}},
			{`SELECT x.workspace, x.lesson, x.task, x.opened FROM hints` + from, func(scan func(...any) error) error {
				var task, opened int
				err := scan(&workspace, &lesson, &task, &opened)
				work(workspace, lesson).Hints[task] = opened
				return err
			}},
		} {
			rows, err := q.QueryContext(ctx, part.query, args...)
			if err != nil {
				return err
			}
			if _, err := collect(rows, func(scan func(...any) error) (struct{}, error) { return struct{}{}, part.scan(scan) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the work of a class: %w", reason(err))
	}
	return out, nil
}

// KeepFailures is how many different failures of one learner in one lesson are
// kept with their programs.
const KeepFailures = 20

// maxProgram bounds a kept program: larger ones are kept without their files.
const maxProgram = 64 << 10

func saveFailure(ctx context.Context, tx *sql.Tx, workspace, lesson string, c Check, now int64) error {
	files, err := json.Marshal(c.Program)
	if err != nil {
		return err
	}
	if len(files) > maxProgram || c.Program == nil {
		files = []byte(`{"text":{}}`)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO failures (workspace, lesson, name, message, task, times, files, failed_at) VALUES ($1, $2, $3, $4, $5, 1, $6, $7)
		ON CONFLICT (workspace, lesson, name, message) DO UPDATE SET times = failures.times + 1, files = excluded.files, failed_at = excluded.failed_at`,
		workspace, lesson, c.Name, c.Message, c.Task, string(files), now)
	if err != nil {
		return err
	}
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM failures WHERE workspace = $1 AND lesson = $2`, workspace, lesson).Scan(&n); err != nil || n <= KeepFailures {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM failures WHERE workspace = $1 AND lesson = $2 AND failed_at = (SELECT min(failed_at) FROM failures WHERE workspace = $1 AND lesson = $2)`, workspace, lesson)
	return err
}

// Failure is one way in which a check of a class failed.
type Failure struct {
	Member  string // who; the member's id
	Name    string // of the check
	Message string
	Times   int
	Failed  time.Time
	Program Files // the newest program that failed so; empty when it was too large to keep
}

// Failures lists how a class's learners failed a task, the newest first, at
// most limit. Programs come with it.
func (s *Store) Failures(ctx context.Context, class, lesson string, task, limit int) ([]Failure, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT m.id, f.name, f.message, f.times, f.failed_at, f.files FROM failures f JOIN members m ON m.workspace = f.workspace
		WHERE m.class = $1 AND f.lesson = $2 AND f.task = $3 ORDER BY f.failed_at DESC, m.id, f.name, f.message LIMIT $4`, class, lesson, task, limit)
	if err != nil {
		return nil, fmt.Errorf("list failures: %w", reason(err))
	}
	return collect(rows, func(scan func(...any) error) (f Failure, err error) {
		var at int64
		var files string
		if err := scan(&f.Member, &f.Name, &f.Message, &f.Times, &at, &files); err != nil {
			return f, err
		}
		f.Failed = fromMillis(at)
		return f, json.Unmarshal([]byte(files), &f.Program)
	})
}

// touch notes what a workspace did last. A lesson of "" keeps the one before.
func touch(ctx context.Context, tx *sql.Tx, workspace, lesson, message, place string, now int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO activity (workspace, lesson, message, place, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (workspace) DO UPDATE SET lesson = CASE WHEN excluded.lesson = '' THEN activity.lesson ELSE excluded.lesson END,
		message = excluded.message, place = excluded.place, at = excluded.at`, workspace, lesson, message, place, now)
	return err
}

// touchTime notes only that a workspace did something.
func touchTime(ctx context.Context, tx *sql.Tx, workspace, lesson string, now int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO activity (workspace, lesson, message, place, at) VALUES ($1, $2, '', '', $3)
		ON CONFLICT (workspace) DO UPDATE SET lesson = CASE WHEN excluded.lesson = '' THEN activity.lesson ELSE excluded.lesson END, at = excluded.at`, workspace, lesson, now)
	return err
}

// maxLine bounds what is kept of a fault for the class: one line, in bytes.
const maxLine = 300

// FaultLine is a fault in one line, and the place where it happened as
// file:line, "" when that is not known. Both are "" for no fault.
func FaultLine(f *trace.Fault) (message, place string) {
	if f == nil {
		return "", ""
	}
	message = f.Message
	if f.Name != "" {
		message = f.Name + ": " + message
	}
	if len(f.Frames) > 0 {
		place = Place(&f.Frames[0])
	}
	return OneLine(message), place
}

// Place is a frame as file:line, "" for none.
func Place(f *trace.Frame) string {
	if f == nil || f.File == "" {
		return ""
	}
	return OneLine(fmt.Sprintf("%s:%d", f.File, f.Line))
}

// OneLine is the first line of a text, cut to what a class is shown of it.
func OneLine(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	if len(text) > maxLine {
		text = strings.ToValidUTF8(text[:maxLine-3], "") + "…"
	}
	return text
}
