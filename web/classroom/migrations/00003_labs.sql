-- +goose Up
-- What a learner's labs measured last, by the lab's name.
CREATE TABLE labs (
    workspace TEXT   NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    lab       TEXT   NOT NULL,
    record    TEXT   NOT NULL,
    ran_at    BIGINT NOT NULL,
    PRIMARY KEY (workspace, lab)
);
