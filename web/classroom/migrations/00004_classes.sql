-- +goose Up
-- Further browsers of a workspace, each with a token of its own.
CREATE TABLE devices (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    workspace  TEXT   NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
);
CREATE INDEX devices_workspace ON devices (workspace);

-- What a learner types on another device to go on there.
CREATE TABLE phrases (
    workspace TEXT   NOT NULL PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
    hash      TEXT   NOT NULL UNIQUE,
    made_at   BIGINT NOT NULL
);

CREATE TABLE accounts (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    role       TEXT   NOT NULL,
    password   TEXT   NOT NULL,
    workspace  TEXT   UNIQUE REFERENCES workspaces (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL
);

-- Who an account is for a provider of identities.
CREATE TABLE identities (
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
);

-- The code itself is made from the server's secret and code_number; only its hash is kept.
CREATE TABLE classes (
    id          TEXT   NOT NULL PRIMARY KEY,
    owner       TEXT   NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    title       TEXT   NOT NULL,
    code_hash   TEXT   NOT NULL UNIQUE,
    code_number BIGINT NOT NULL,
    lessons     TEXT   NOT NULL,
    burst       TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL
);
CREATE INDEX classes_owner ON classes (owner);

CREATE TABLE members (
    class     TEXT    NOT NULL REFERENCES classes (id) ON DELETE CASCADE,
    id        TEXT    NOT NULL,
    workspace TEXT    NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    nickname  TEXT    NOT NULL,
    folded    TEXT    NOT NULL,
    burst     BOOLEAN NOT NULL,
    hand_at   BIGINT  NOT NULL,
    joined_at BIGINT  NOT NULL,
    PRIMARY KEY (class, id),
    UNIQUE (class, workspace),
    UNIQUE (class, folded)
);
CREATE INDEX members_workspace ON members (workspace);

CREATE TABLE notes (
    id        TEXT   NOT NULL PRIMARY KEY,
    class     TEXT   NOT NULL,
    member    TEXT   NOT NULL,
    lesson    TEXT   NOT NULL,
    text      TEXT   NOT NULL,
    sent_at   BIGINT NOT NULL,
    read_at   BIGINT NOT NULL,
    FOREIGN KEY (class, member) REFERENCES members (class, id) ON DELETE CASCADE
);
CREATE INDEX notes_member ON notes (class, member);

-- When a check was first tried, for how long somebody is stuck.
ALTER TABLE checks ADD COLUMN began_at BIGINT NOT NULL DEFAULT 0;

-- How a check failed, with the newest program that failed so.
CREATE TABLE failures (
    workspace TEXT   NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    lesson    TEXT   NOT NULL,
    name      TEXT   NOT NULL,
    message   TEXT   NOT NULL,
    task      BIGINT NOT NULL,
    times     BIGINT NOT NULL,
    files     TEXT   NOT NULL,
    failed_at BIGINT NOT NULL,
    PRIMARY KEY (workspace, lesson, name, message)
);

-- What a learner did last.
CREATE TABLE activity (
    workspace TEXT   NOT NULL PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
    lesson    TEXT   NOT NULL,
    message   TEXT   NOT NULL,
    place     TEXT   NOT NULL,
    at        BIGINT NOT NULL
);

CREATE TABLE shares (
    id         TEXT   NOT NULL PRIMARY KEY,
    workspace  TEXT   NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    lesson     TEXT   NOT NULL,
    title      TEXT   NOT NULL,
    settings   TEXT   NOT NULL,
    files      TEXT   NOT NULL,
    run        TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX shares_workspace ON shares (workspace);
