-- Schema step 10 of the Local Sovereign Index: what the kernel's port StateStore keeps of runs beside their turns.
-- A released step never changes; see docs/kernel/lsi-tables.md.

CREATE TABLE finished_runs (
    run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs (run_id),
    outcome TEXT NOT NULL CHECK (outcome IN ('FAIL', 'PASS')),
    last_turn INTEGER CHECK (last_turn > 0),
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE trace_artifacts (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    name TEXT NOT NULL,
    content_digest BLOB NOT NULL CHECK (length(content_digest) = 32),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;
