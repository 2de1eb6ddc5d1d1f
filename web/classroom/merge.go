package classroom

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// ErrElsewhere is the error of a merge that would change somebody else's class
// or an account.
var ErrElsewhere = errors.New("classroom: a learner is in another class, or has an account")

// Merge makes one learner of two members of a class, for somebody who joined
// twice. The first goes into the second: what either passed counts as passed,
// projects that only the first had move over, and those both had are kept
// under their id with "-merged" behind it. Browsers and the phrase of the
// first go on as the second. It returns the workspace that is gone.
func (s *Store) Merge(ctx context.Context, class, from, into string) (gone string, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		a, err := scanMember(tx.QueryRowContext(ctx, memberColumns+` WHERE m.class = $1 AND m.id = $2`, class, from).Scan)
		if err != nil {
			return err
		}
		b, err := scanMember(tx.QueryRowContext(ctx, memberColumns+` WHERE m.class = $1 AND m.id = $2`, class, into).Scan)
		if err != nil {
			return err
		}
		if a.ID == b.ID {
			return ErrNotFound
		}
		for _, w := range []string{a.Workspace, b.Workspace} {
			var elsewhere int
			err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM members WHERE workspace = $1 AND class <> $2) + (SELECT count(*) FROM accounts WHERE workspace = $1)
				+ (SELECT count(*) FROM workspaces WHERE id = $1 AND role <> $3)`, w, class, RoleLearner).Scan(&elsewhere)
			if err != nil {
				return err
			}
			if elsewhere > 0 {
				return ErrElsewhere
			}
		}
		gone = a.Workspace
		return s.merge(ctx, tx, a.Workspace, b.Workspace)
	})
	if err != nil {
		return "", fmt.Errorf("merge learners: %w", err)
	}
	return gone, nil
}

// mergeResults bring the results of $1 to $2 where they are better or the only ones.
var mergeResults = []string{
	`DELETE FROM checks WHERE workspace = $2 AND passed = FALSE AND EXISTS (SELECT 1 FROM checks o WHERE o.workspace = $1 AND o.lesson = checks.lesson AND o.name = checks.name AND o.passed = TRUE)`,
	`UPDATE checks SET workspace = $2 WHERE workspace = $1 AND NOT EXISTS (SELECT 1 FROM checks o WHERE o.workspace = $2 AND o.lesson = checks.lesson AND o.name = checks.name)`,
	`UPDATE answers SET workspace = $2 WHERE workspace = $1 AND NOT EXISTS (SELECT 1 FROM answers o WHERE o.workspace = $2 AND o.lesson = answers.lesson AND o.piece = answers.piece)`,
	`UPDATE hints SET workspace = $2 WHERE workspace = $1 AND NOT EXISTS (SELECT 1 FROM hints o WHERE o.workspace = $2 AND o.lesson = hints.lesson AND o.task = hints.task)`,
	`DELETE FROM progress WHERE workspace = $2 AND done_at = 0 AND EXISTS (SELECT 1 FROM progress o WHERE o.workspace = $1 AND o.lesson = progress.lesson AND o.done_at <> 0)`,
	`UPDATE progress SET workspace = $2 WHERE workspace = $1 AND NOT EXISTS (SELECT 1 FROM progress o WHERE o.workspace = $2 AND o.lesson = progress.lesson)`,
	`UPDATE labs SET workspace = $2 WHERE workspace = $1 AND NOT EXISTS (SELECT 1 FROM labs o WHERE o.workspace = $2 AND o.lab = labs.lab)`,
	`UPDATE failures SET workspace = $2 WHERE workspace = $1 AND NOT EXISTS (SELECT 1 FROM failures o WHERE o.workspace = $2 AND o.lesson = failures.lesson AND o.name = failures.name AND o.message = failures.message)`,
	`UPDATE shares SET workspace = $2 WHERE workspace = $1`,
	`UPDATE devices SET workspace = $2 WHERE workspace = $1`,
	`INSERT INTO devices (token_hash, workspace, created_at) SELECT token_hash, $2, created_at FROM workspaces WHERE id = $1`,
	`UPDATE phrases SET workspace = $2 WHERE workspace = $1 AND NOT EXISTS (SELECT 1 FROM phrases o WHERE o.workspace = $2)`,
}

func (s *Store) merge(ctx context.Context, tx *sql.Tx, from, into string) error {
	projects, err := listProjects(ctx, tx, from)
	if err != nil {
		return err
	}
	for i, p := range projects {
		if projects[i], err = loadProject(ctx, tx, from, p.ID); err != nil {
			return err
		}
	}
	for _, query := range mergeResults {
		if _, err := tx.ExecContext(ctx, query, from, into); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM workspaces WHERE id = $1`, from); err != nil {
		return err
	}
	for _, p := range projects {
		id, slug := p.ID, p.Slug
		if _, err := loadProject(ctx, tx, into, id); err == nil {
			id, slug = p.ID[:min(len(p.ID), 56)]+"-merged", ""
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE records SET workspace = $1, project = $2 WHERE workspace = $3 AND project = $4`, into, id, from, p.ID); err != nil {
			return err
		}
		change := Change{Base: AnyRevision, Files: p.Files, Kind: KindEdit, Title: &p.Title, Settings: &p.Settings, Lesson: p.Lesson, LessonRevision: p.LessonRevision, Slug: slug}
		if _, err := s.save(ctx, tx, into, id, change); err != nil {
			return err
		}
	}
	return dropBundles(ctx, tx)
}
