-- +goose Up
-- What Workers keep behind their bindings. Names and keys are any bytes, and
-- BYTEA sorts by them. Small columns stand first, so that sums over a
-- namespace do not read the values.
CREATE TABLE records (
    workspace TEXT   NOT NULL,
    project   TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    name      BYTEA  NOT NULL,
    key       BYTEA  NOT NULL,
    weight    BIGINT NOT NULL,
    expires   BIGINT NOT NULL,
    size      BIGINT NOT NULL,
    meta      BYTEA,
    value     BYTEA,
    PRIMARY KEY (workspace, project, kind, name, key)
);
