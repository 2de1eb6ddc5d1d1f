package classroom

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"coldstart/sandbox/trace"
)

// Run is what is kept of one run: enough to show it again.
type Run struct {
	Number    int64               `json:"-"`  // counts the project's runs, from 1; set by the Store
	ID        string              `json:"id"` // unique in its project among those kept
	Method    string              `json:"method"`
	Path      string              `json:"path"`
	Headers   [][2]string         `json:"headers,omitempty"`
	Sent      string              `json:"sent,omitempty"` // request body
	Revision  int64               `json:"revision"`
	Head      *trace.ResponseHead `json:"head,omitempty"`
	Body      []byte              `json:"body,omitempty"` // its first bytes
	Truncated bool                `json:"truncated,omitempty"`
	Logs      []LogLine           `json:"logs,omitempty"`
	Summary   trace.Summary       `json:"summary"`
	Ran       time.Time           `json:"ran_at"`
}

// LogLine is one console call, At microseconds after its run began.
type LogLine struct {
	At int64 `json:"at_us"`
	trace.Log
}

// SaveRuns keeps runs that ended, oldest first, and drops all but the last
// KeepRuns of the project. Runs of a project that is gone are dropped.
func (s *Store) SaveRuns(ctx context.Context, workspace, project string, runs ...Run) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var number int64
		err := tx.QueryRowContext(ctx, `SELECT coalesce((SELECT max(number) FROM runs WHERE workspace = $1 AND project = $2), 0) FROM projects WHERE workspace = $1 AND id = $2`, workspace, project).Scan(&number)
		if err != nil {
			return err
		}
		for _, r := range runs {
			record, err := json.Marshal(r)
			if err != nil {
				return err
			}
			number++
			if _, err := tx.ExecContext(ctx, `INSERT INTO runs (workspace, project, number, id, heat, wall, outcome, record, ran_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
				workspace, project, number, r.ID, string(r.Summary.Temperature), r.Summary.Wall, r.Summary.Outcome, string(record), r.Ran.UnixMilli()); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM runs WHERE workspace = $1 AND project = $2 AND number <= $3`, workspace, project, number-KeepRuns); err != nil || len(runs) == 0 {
			return err
		}
		var lesson string
		if err := tx.QueryRowContext(ctx, `SELECT lesson FROM projects WHERE workspace = $1 AND id = $2`, workspace, project).Scan(&lesson); err != nil {
			return err
		}
		message, place := FaultLine(runs[len(runs)-1].Summary.Fault)
		return touch(ctx, tx, workspace, lesson, message, place, s.millis())
	}, workspace)
	if err != nil {
		return fmt.Errorf("save runs of %q: %w", project, err)
	}
	return nil
}

// Runs lists the kept runs of a project, newest first, at most limit.
func (s *Store) Runs(ctx context.Context, workspace, project string, limit int) ([]Run, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT number, record FROM runs WHERE workspace = $1 AND project = $2 ORDER BY number DESC LIMIT $3`, workspace, project, limit)
	if err != nil {
		return nil, fmt.Errorf("list runs of %q: %w", project, reason(err))
	}
	return collect(rows, scanRun)
}

// Run loads one kept run, or returns ErrNotFound.
func (s *Store) Run(ctx context.Context, workspace, project, id string) (Run, error) {
	r, err := scanRun(s.read.QueryRowContext(ctx, `SELECT number, record FROM runs WHERE workspace = $1 AND project = $2 AND id = $3 ORDER BY number DESC LIMIT 1`, workspace, project, id).Scan)
	if err != nil {
		return Run{}, fmt.Errorf("load run %q: %w", id, err)
	}
	return r, nil
}

func scanRun(scan func(...any) error) (Run, error) {
	var r Run
	var record string
	var number int64
	if err := scan(&number, &record); err != nil {
		return r, reason(err)
	}
	err := json.Unmarshal([]byte(record), &r)
	r.Number = number
	return r, err
}

// Best is the quickest run of a project that went well.
type Best struct {
	Project     string
	Temperature trace.Temperature
	Wall        int64 // microseconds
}

// Bests lists the quickest cold and warm run of each of a workspace's
// projects, among the runs that are kept.
func (s *Store) Bests(ctx context.Context, workspace string) ([]Best, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT project, heat, min(wall) FROM runs WHERE workspace = $1 AND outcome = 'ok' AND heat <> '' GROUP BY project, heat ORDER BY project, heat`, workspace)
	if err != nil {
		return nil, fmt.Errorf("list best runs: %w", reason(err))
	}
	return collect(rows, func(scan func(...any) error) (b Best, err error) {
		err = scan(&b.Project, &b.Temperature, &b.Wall)
		return b, err
	})
}
