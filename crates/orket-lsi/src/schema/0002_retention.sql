-- Schema step 2: what an operator decided to keep, and what retention dropped. A released step never changes.

-- Runs whose records and history stay, whatever the policy says.
CREATE TABLE pins (
    run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs (run_id),
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT, WITHOUT ROWID;

-- Runs whose records are not retained any more, with the newest generation when that was decided.
CREATE TABLE dropped_runs (
    run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs (run_id),
    generation INTEGER NOT NULL CHECK (generation >= 0),
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT, WITHOUT ROWID;

-- How much lies beside the database: few rows, and asked before every commit that a quota bounds.
CREATE INDEX objects_beside ON objects (length_bytes) WHERE bytes IS NULL;
CREATE INDEX records_beside ON records (length_bytes) WHERE bytes IS NULL;
