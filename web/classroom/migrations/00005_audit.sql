-- +goose Up
-- What instructors and hosts did. A learner is named by the id of their place
-- in a class alone: when they are gone, so is their name.
CREATE TABLE audit (
    id      TEXT   NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL,
    actor   TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    role    TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    class   TEXT   NOT NULL,
    member  TEXT   NOT NULL,
    other   TEXT   NOT NULL,
    detail  TEXT   NOT NULL,
    address TEXT   NOT NULL
);
CREATE INDEX audit_at ON audit (at, id);
