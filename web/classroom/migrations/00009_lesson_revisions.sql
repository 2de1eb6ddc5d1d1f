-- A draft finishes on the revision of its lesson that it began with: what that
-- revision held is kept as long as a draft, or the undo of one, needs it.

-- +goose Up
CREATE TABLE lesson_revisions (
    lesson  TEXT   NOT NULL,
    hash    TEXT   NOT NULL,
    archive TEXT   NOT NULL,
    kept_at BIGINT NOT NULL,
    PRIMARY KEY (lesson, hash)
);
CREATE INDEX projects_lesson ON projects (lesson, lesson_revision);

-- The newer revision that the learner has said no to.
ALTER TABLE projects ADD COLUMN declined TEXT NOT NULL DEFAULT '';

-- What undo brings back beside the files; empty in versions of before.
ALTER TABLE versions ADD COLUMN lesson_revision TEXT NOT NULL DEFAULT '';
ALTER TABLE versions ADD COLUMN settings TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE versions DROP COLUMN settings;
ALTER TABLE versions DROP COLUMN lesson_revision;
ALTER TABLE projects DROP COLUMN declined;
DROP INDEX projects_lesson;
DROP TABLE lesson_revisions;
