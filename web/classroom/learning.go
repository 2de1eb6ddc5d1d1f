package classroom

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// Check is the newest result of one check.
type Check struct {
	Name     string
	Task     int // 0 for a guard
	Passed   bool
	CodeHash string          // of the files it ran on
	Detail   json.RawMessage // what the learner saw; the caller's encoding
	Tries    int             // how often it ran
	Began    time.Time       // when it ran first
	Ran      time.Time
	PassedAt time.Time // first time it passed, zero for never
	// Of one that failed, for SaveChecks only: what the class sees of it.
	Message string // one line
	Place   string // file:line where it failed; may be ""
	Program Files  // what it ran on
}

// ChecksEnd says how a run of a lesson's checks ended.
type ChecksEnd int

// The ends of a run of checks.
const (
	ChecksStopped ChecksEnd = iota // not every check ran
	ChecksRan                      // every check ran
	ChecksDone                     // every check ran and passed: the lesson is complete
)

// SaveChecks keeps the results of one run of a lesson's checks. When every
// check ran, failures of checks that the lesson does not have any more are
// forgotten; what passed stays passed.
func (s *Store) SaveChecks(ctx context.Context, workspace, lesson string, checks []Check, end ChecksEnd) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		now := s.millis()
		for _, c := range checks {
			passedAt := int64(0)
			if c.Passed {
				passedAt = now
			}
			detail := string(c.Detail)
			if detail == "" {
				detail = "null"
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO checks (workspace, lesson, name, task, passed, code_hash, tries, began_at, ran_at, passed_at, detail) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7, $8, $9)
				ON CONFLICT (workspace, lesson, name) DO UPDATE SET task = excluded.task, passed = excluded.passed, code_hash = excluded.code_hash, tries = checks.tries + 1,
				ran_at = excluded.ran_at, passed_at = CASE WHEN checks.passed_at = 0 THEN excluded.passed_at ELSE checks.passed_at END, detail = excluded.detail`,
				workspace, lesson, c.Name, c.Task, c.Passed, c.CodeHash, now, passedAt, detail)
			if err != nil {
				return err
			}
		}
		if err := start(ctx, tx, workspace, lesson, now); err != nil {
			return err
		}
		if err := sawChecks(ctx, tx, workspace, lesson, checks, now); err != nil {
			return err
		}
		if end != ChecksStopped {
			if err := forgetFailed(ctx, tx, workspace, lesson, checks); err != nil {
				return err
			}
		}
		if end != ChecksDone {
			return nil
		}
		_, err := tx.ExecContext(ctx, `UPDATE progress SET done_at = $1 WHERE workspace = $2 AND lesson = $3 AND done_at = 0`, now, workspace, lesson)
		return err
	}, workspace)
	if err != nil {
		return fmt.Errorf("save checks of %q: %w", lesson, err)
	}
	return nil
}

// forgetFailed removes the failures of checks that are not among those that ran.
func forgetFailed(ctx context.Context, tx *sql.Tx, workspace, lesson string, ran []Check) error {
	query, args := `DELETE FROM checks WHERE workspace = $1 AND lesson = $2 AND passed = FALSE`, []any{workspace, lesson}
	for _, c := range ran {
		args = append(args, c.Name)
		query += fmt.Sprintf(" AND name <> $%d", len(args))
	}
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}

// sawChecks keeps what the class sees of a run of checks: every failure, and
// the first one as what the learner did last.
func sawChecks(ctx context.Context, tx *sql.Tx, workspace, lesson string, checks []Check, now int64) error {
	var first Check
	for _, c := range checks {
		if c.Passed {
			continue
		}
		if c.Message == "" {
			c.Message = c.Name
		}
		if first.Name == "" {
			first = c
		}
		if err := saveFailure(ctx, tx, workspace, lesson, c, now); err != nil {
			return err
		}
	}
	return touch(ctx, tx, workspace, lesson, first.Message, first.Place, now)
}

// Checks lists the newest result of each check of a lesson that ran.
func (s *Store) Checks(ctx context.Context, workspace, lesson string) ([]Check, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT name, task, passed, code_hash, detail, tries, began_at, ran_at, passed_at FROM checks WHERE workspace = $1 AND lesson = $2 ORDER BY task, name`, workspace, lesson)
	if err != nil {
		return nil, fmt.Errorf("list checks of %q: %w", lesson, reason(err))
	}
	return collect(rows, func(scan func(...any) error) (c Check, err error) {
		var detail string
		var began, ran, passed int64
		err = scan(&c.Name, &c.Task, &c.Passed, &c.CodeHash, &detail, &c.Tries, &began, &ran, &passed)
		c.Detail, c.Began, c.Ran, c.PassedAt = json.RawMessage(detail), fromMillis(began), fromMillis(ran), fromMillis(passed)
		return c, err
	})
}

// Answer is what a learner said to one predict or quiz.
type Answer struct {
	Piece        string   // which one, as the lesson names it
	Answer       []string // the newest answer, in the form its kind has
	Correct      bool
	First        []string // the first answer
	FirstCorrect bool
	Tries        int
	Answered     time.Time
}

// SaveAnswer keeps an answer; First and FirstCorrect are set by the first one only.
func (s *Store) SaveAnswer(ctx context.Context, workspace, lesson, piece string, answer []string, correct bool) error {
	text, err := json.Marshal(answer)
	if err == nil {
		err = s.tx(ctx, func(tx *sql.Tx) error {
			now := s.millis()
			_, err := tx.ExecContext(ctx, `INSERT INTO answers (workspace, lesson, piece, answer, correct, first_answer, first_correct, tries, answered_at) VALUES ($1, $2, $3, $4, $5, $4, $5, 1, $6)
				ON CONFLICT (workspace, lesson, piece) DO UPDATE SET answer = excluded.answer, correct = excluded.correct, tries = answers.tries + 1, answered_at = excluded.answered_at`,
				workspace, lesson, piece, string(text), correct, now)
			if err != nil {
				return err
			}
			if err := touchTime(ctx, tx, workspace, lesson, now); err != nil {
				return err
			}
			return start(ctx, tx, workspace, lesson, now)
		}, workspace)
	}
	if err != nil {
		return fmt.Errorf("save answer to %q of %q: %w", piece, lesson, err)
	}
	return nil
}

// Answers gives a learner's answers in a lesson by piece.
func (s *Store) Answers(ctx context.Context, workspace, lesson string) (map[string]Answer, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT piece, answer, correct, first_answer, first_correct, tries, answered_at FROM answers WHERE workspace = $1 AND lesson = $2`, workspace, lesson)
	if err != nil {
		return nil, fmt.Errorf("list answers of %q: %w", lesson, reason(err))
	}
	all, err := collect(rows, func(scan func(...any) error) (a Answer, err error) {
		var answer, first string
		var at int64
		if err := scan(&a.Piece, &answer, &a.Correct, &first, &a.FirstCorrect, &a.Tries, &at); err != nil {
			return a, err
		}
		a.Answered = fromMillis(at)
		if err := json.Unmarshal([]byte(answer), &a.Answer); err != nil {
			return a, err
		}
		return a, json.Unmarshal([]byte(first), &a.First)
	})
	if err != nil {
		return nil, fmt.Errorf("list answers of %q: %w", lesson, err)
	}
	byPiece := make(map[string]Answer, len(all))
	for _, a := range all {
		byPiece[a.Piece] = a
	}
	return byPiece, nil
}

// OpenHint records that the first n hints of a task are open; it never closes one.
func (s *Store) OpenHint(ctx context.Context, workspace, lesson string, task, n int) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		now := s.millis()
		_, err := tx.ExecContext(ctx, `INSERT INTO hints (workspace, lesson, task, opened, opened_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (workspace, lesson, task) DO UPDATE SET opened = excluded.opened, opened_at = excluded.opened_at WHERE hints.opened < excluded.opened`,
			workspace, lesson, task, n, now)
		if err != nil {
			return err
		}
		if err := touchTime(ctx, tx, workspace, lesson, now); err != nil {
			return err
		}
		return start(ctx, tx, workspace, lesson, now)
	}, workspace)
	if err != nil {
		return fmt.Errorf("open hint of %q: %w", lesson, err)
	}
	return nil
}

// Hints gives the number of open hints by task.
func (s *Store) Hints(ctx context.Context, workspace, lesson string) (map[int]int, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT task, opened FROM hints WHERE workspace = $1 AND lesson = $2`, workspace, lesson)
	if err != nil {
		return nil, fmt.Errorf("list hints of %q: %w", lesson, reason(err))
	}
	open := map[int]int{}
	_, err = collect(rows, func(scan func(...any) error) (struct{}, error) {
		var task, n int
		err := scan(&task, &n)
		open[task] = n
		return struct{}{}, err
	})
	return open, err
}

// Progress is how far a learner came in a lesson.
type Progress struct {
	Lesson  string
	Started time.Time
	Done    time.Time // zero until every task passed
}

// Progress gives a workspace's progress by lesson.
func (s *Store) Progress(ctx context.Context, workspace string) (map[string]Progress, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT lesson, started_at, done_at FROM progress WHERE workspace = $1`, workspace)
	if err != nil {
		return nil, fmt.Errorf("list progress: %w", reason(err))
	}
	byLesson := map[string]Progress{}
	_, err = collect(rows, func(scan func(...any) error) (struct{}, error) {
		var p Progress
		var started, done int64
		err := scan(&p.Lesson, &started, &done)
		p.Started, p.Done = fromMillis(started), fromMillis(done)
		byLesson[p.Lesson] = p
		return struct{}{}, err
	})
	return byLesson, err
}

// start notes that work on a lesson has begun.
func start(ctx context.Context, tx *sql.Tx, workspace, lesson string, now int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO progress (workspace, lesson, started_at, done_at) VALUES ($1, $2, $3, 0) ON CONFLICT (workspace, lesson) DO NOTHING`, workspace, lesson, now)
	return err
}
