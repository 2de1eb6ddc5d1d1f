-- +goose Up
CREATE TABLE workspaces (
    id         TEXT   NOT NULL PRIMARY KEY,
    token_hash TEXT   NOT NULL UNIQUE,
    role       TEXT   NOT NULL DEFAULT 'learner',
    created_at BIGINT NOT NULL
);

CREATE TABLE projects (
    workspace       TEXT   NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id              TEXT   NOT NULL,
    slug            TEXT   NOT NULL UNIQUE,
    title           TEXT   NOT NULL,
    lesson          TEXT   NOT NULL,
    lesson_revision TEXT   NOT NULL,
    settings        TEXT   NOT NULL,
    revision        BIGINT NOT NULL,
    undo_to         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    saved_at        BIGINT NOT NULL,
    PRIMARY KEY (workspace, id)
);

CREATE TABLE versions (
    workspace TEXT   NOT NULL,
    project   TEXT   NOT NULL,
    revision  BIGINT NOT NULL,
    kind      TEXT   NOT NULL,
    files     TEXT   NOT NULL,
    saved_at  BIGINT NOT NULL,
    PRIMARY KEY (workspace, project, revision),
    FOREIGN KEY (workspace, project) REFERENCES projects (workspace, id) ON DELETE CASCADE
);

CREATE TABLE bundles (
    hash TEXT NOT NULL PRIMARY KEY,
    data TEXT NOT NULL
);

CREATE TABLE deployments (
    workspace   TEXT   NOT NULL,
    project     TEXT   NOT NULL,
    revision    BIGINT NOT NULL,
    source_hash TEXT   NOT NULL,
    bundle      TEXT   NOT NULL REFERENCES bundles (hash),
    deployed_at BIGINT NOT NULL,
    PRIMARY KEY (workspace, project),
    FOREIGN KEY (workspace, project) REFERENCES projects (workspace, id) ON DELETE CASCADE
);
CREATE INDEX deployments_bundle ON deployments (bundle);

CREATE TABLE runs (
    workspace TEXT   NOT NULL,
    project   TEXT   NOT NULL,
    number    BIGINT NOT NULL,
    id        TEXT   NOT NULL,
    heat      TEXT   NOT NULL,
    wall      BIGINT NOT NULL,
    outcome   TEXT   NOT NULL,
    record    TEXT   NOT NULL,
    ran_at    BIGINT NOT NULL,
    PRIMARY KEY (workspace, project, number),
    FOREIGN KEY (workspace, project) REFERENCES projects (workspace, id) ON DELETE CASCADE
);

CREATE TABLE checks (
    workspace TEXT    NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    lesson    TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    task      BIGINT  NOT NULL,
    passed    BOOLEAN NOT NULL,
    code_hash TEXT    NOT NULL,
    tries     BIGINT  NOT NULL,
    ran_at    BIGINT  NOT NULL,
    passed_at BIGINT  NOT NULL,
    detail    TEXT    NOT NULL,
    PRIMARY KEY (workspace, lesson, name)
);

CREATE TABLE answers (
    workspace     TEXT    NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    lesson        TEXT    NOT NULL,
    piece         TEXT    NOT NULL,
    answer        TEXT    NOT NULL,
    correct       BOOLEAN NOT NULL,
    first_answer  TEXT    NOT NULL,
    first_correct BOOLEAN NOT NULL,
    tries         BIGINT  NOT NULL,
    answered_at   BIGINT  NOT NULL,
    PRIMARY KEY (workspace, lesson, piece)
);

CREATE TABLE hints (
    workspace TEXT   NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    lesson    TEXT   NOT NULL,
    task      BIGINT NOT NULL,
    opened    BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    PRIMARY KEY (workspace, lesson, task)
);

CREATE TABLE progress (
    workspace  TEXT   NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    lesson     TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    done_at    BIGINT NOT NULL,
    PRIMARY KEY (workspace, lesson)
);

CREATE TABLE secrets (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE tokens (
    hash       TEXT   NOT NULL PRIMARY KEY,
    purpose    TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
