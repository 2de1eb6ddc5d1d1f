-- A Durable Object is found by the first half of its id, 32 hex digits; names
-- and keys ended in all 64, and in ":" and its name where it was reached by that.
-- Where an object was kept under both, what it had under its name stays. The
-- second half now tells its namespace; ids of before are listed, which stay good.

-- +goose Up
INSERT INTO records (workspace, project, kind, name, key, weight, expires, size)
SELECT DISTINCT workspace, project, 'object', substring(name FROM 1 FOR position('\x0a'::bytea IN name) + position('\x0a'::bytea IN substring(name FROM position('\x0a'::bytea IN name) + 1)) - 1), substring(name FROM position('\x0a'::bytea IN name) + position('\x0a'::bytea IN substring(name FROM position('\x0a'::bytea IN name) + 1)) + 1 FOR 64), 64, 0, 0
FROM records
WHERE kind IN ('durable', 'sql') AND position('\x0a'::bytea IN substring(name FROM position('\x0a'::bytea IN name) + 1)) > 0 AND length(name) >= position('\x0a'::bytea IN name) + position('\x0a'::bytea IN substring(name FROM position('\x0a'::bytea IN name) + 1)) + 64;
UPDATE records r
SET name = substring(r.name FROM 1 FOR position('\x0a'::bytea IN r.name) + position('\x0a'::bytea IN substring(r.name FROM position('\x0a'::bytea IN r.name) + 1)) + 32)
WHERE kind IN ('durable', 'sql')
  AND position('\x0a'::bytea IN substring(r.name FROM position('\x0a'::bytea IN r.name) + 1)) > 0
  AND substring(r.name FROM position('\x0a'::bytea IN r.name) + position('\x0a'::bytea IN substring(r.name FROM position('\x0a'::bytea IN r.name) + 1)) + 65 FOR 1) = '\x3a'::bytea;
UPDATE records r
SET name = substring(r.name FROM 1 FOR length(r.name) - 32)
WHERE kind IN ('durable', 'sql')
  AND position('\x0a'::bytea IN substring(r.name FROM position('\x0a'::bytea IN r.name) + 1)) > 0
  AND length(r.name) = position('\x0a'::bytea IN r.name) + position('\x0a'::bytea IN substring(r.name FROM position('\x0a'::bytea IN r.name) + 1)) + 64
  AND NOT EXISTS (SELECT 1 FROM records o WHERE o.workspace = r.workspace AND o.project = r.project AND o.kind = r.kind
    AND o.name = substring(r.name FROM 1 FOR length(r.name) - 32) AND o.key = r.key);
DELETE FROM records r
WHERE kind = 'alarm' AND EXISTS (SELECT 1 FROM records o WHERE o.workspace = r.workspace AND o.project = r.project AND o.kind = 'alarm' AND o.name = r.name AND o.key > r.key
  AND substring(o.key FROM 1 FOR length(r.key)) = r.key);
UPDATE records r
SET key = substring(r.key FROM 1 FOR position('\x0a'::bytea IN r.key) + position('\x0a'::bytea IN substring(r.key FROM position('\x0a'::bytea IN r.key) + 1)) + 32)
WHERE kind = 'alarm';

-- +goose Down
-- The second halves cannot be had back: what an earlier program looks for stays unfound.
DELETE FROM records WHERE kind = 'object';
