-- Lessons that instructors bring: each set belongs to one of them and is kept
-- whole, as a zip, with its newest revisions.

-- +goose Up
CREATE TABLE lesson_sets (
    id         TEXT   NOT NULL PRIMARY KEY,
    owner      TEXT   NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    title      TEXT   NOT NULL,
    revision   BIGINT NOT NULL,
    size       BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    removed_at BIGINT NOT NULL
);
CREATE INDEX lesson_sets_owner ON lesson_sets (owner);

CREATE TABLE lesson_set_revisions (
    lesson_set TEXT   NOT NULL REFERENCES lesson_sets (id) ON DELETE CASCADE,
    revision   BIGINT NOT NULL,
    archive    TEXT   NOT NULL,
    saved_at   BIGINT NOT NULL,
    PRIMARY KEY (lesson_set, revision)
);

-- How an instructor's newest upload goes, or went.
CREATE TABLE lesson_uploads (
    owner      TEXT   NOT NULL PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
    id         TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    changed_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE lesson_uploads;
DROP TABLE lesson_set_revisions;
DROP TABLE lesson_sets;
