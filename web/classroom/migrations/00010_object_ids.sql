-- A Durable Object is found by the first half of its id, 32 hex digits; names
-- and keys ended in all 64, and in ":" and its name where it was reached by that.
-- Where an object was kept under both, what it had under its name stays. The
-- second half now tells its namespace; ids of before are listed, which stay good.

-- +goose Up
INSERT OR IGNORE INTO records (workspace, project, kind, name, key, weight, expires, size)
SELECT workspace, project, 'object', substr(name, 1, instr(name, char(10)) + instr(substr(name, instr(name, char(10)) + 1), char(10)) - 1), substr(name, instr(name, char(10)) + instr(substr(name, instr(name, char(10)) + 1), char(10)) + 1, 64), 64, 0, 0
FROM records
WHERE kind IN ('durable', 'sql') AND instr(substr(name, instr(name, char(10)) + 1), char(10)) > 0 AND length(name) >= instr(name, char(10)) + instr(substr(name, instr(name, char(10)) + 1), char(10)) + 64;
UPDATE OR IGNORE records
SET name = substr(name, 1, instr(name, char(10)) + instr(substr(name, instr(name, char(10)) + 1), char(10)) + 32)
WHERE kind IN ('durable', 'sql')
  AND instr(substr(name, instr(name, char(10)) + 1), char(10)) > 0
  AND substr(name, instr(name, char(10)) + instr(substr(name, instr(name, char(10)) + 1), char(10)) + 65, 1) = ':';
UPDATE OR IGNORE records
SET name = substr(name, 1, instr(name, char(10)) + instr(substr(name, instr(name, char(10)) + 1), char(10)) + 32)
WHERE kind IN ('durable', 'sql')
  AND instr(substr(name, instr(name, char(10)) + 1), char(10)) > 0
  AND length(name) = instr(name, char(10)) + instr(substr(name, instr(name, char(10)) + 1), char(10)) + 64;
UPDATE OR IGNORE records
SET key = substr(key, 1, instr(key, char(10)) + instr(substr(key, instr(key, char(10)) + 1), char(10)) + 32)
WHERE kind = 'alarm';

-- +goose Down
-- The second halves cannot be had back: what an earlier program looks for stays unfound.
DELETE FROM records WHERE kind = 'object';
