-- What a project holds is summed up at every write, and what has expired is
-- looked for: both without reading the values.

-- +goose Up
CREATE INDEX records_usage ON records (workspace, project, kind, expires, weight);
CREATE INDEX records_expired ON records (workspace, project, kind, name, expires) WHERE expires <> 0;

-- +goose Down
DROP INDEX records_expired;
DROP INDEX records_usage;
