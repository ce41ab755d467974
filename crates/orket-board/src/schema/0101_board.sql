-- Schema step 101: the board and the journal of runs. A released step never changes; see docs/kernel/board-tables.md.

-- One row per card, derived from the body of its triplet in the same transaction.
CREATE TABLE cards (
    id TEXT NOT NULL PRIMARY KEY,
    epic TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    title TEXT NOT NULL,
    seat TEXT NOT NULL,
    priority INTEGER NOT NULL,
    status TEXT NOT NULL,
    wait_reason TEXT,
    verified TEXT NOT NULL,
    body_digest BLOB NOT NULL CHECK (length(body_digest) = 32),
    generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX cards_by_epic ON cards (epic, ordinal, id);

-- One row per run that was begun, in that order. `digest` covers the row; `events_digest` and `attempts_digest` are those
-- of the newest event and the newest failed attempt.
CREATE TABLE run_journal (
    number INTEGER NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    epic TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'passed', 'failed')),
    last_seq INTEGER NOT NULL CHECK (last_seq >= 0),
    events_digest BLOB CHECK (length(events_digest) = 32),
    attempts_digest BLOB CHECK (length(attempts_digest) = 32),
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;

-- At most one unfinished run per epic.
CREATE UNIQUE INDEX run_journal_open ON run_journal (epic) WHERE state = 'open';

-- The fencing number of the newest holder of each run's lease.
CREATE TABLE fences (
    run_id TEXT NOT NULL PRIMARY KEY,
    fence INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT, WITHOUT ROWID;

-- One row per promoted turn.
CREATE TABLE turn_journal (
    run_id TEXT NOT NULL REFERENCES run_journal (run_id),
    turn INTEGER NOT NULL,
    card TEXT,
    role TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    result_digest BLOB NOT NULL CHECK (length(result_digest) = 32),
    record_digest BLOB NOT NULL CHECK (length(record_digest) = 32),
    generation INTEGER NOT NULL UNIQUE,
    PRIMARY KEY (run_id, turn)
) STRICT, WITHOUT ROWID;

CREATE INDEX turn_journal_by_card ON turn_journal (run_id, card, turn);

-- One row per attempt that did not become a turn, chained in the order in which they failed.
CREATE TABLE attempt_journal (
    run_id TEXT NOT NULL REFERENCES run_journal (run_id),
    turn INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    record_digest BLOB NOT NULL CHECK (length(record_digest) = 32),
    previous_digest BLOB CHECK (length(previous_digest) = 32),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (run_id, turn, attempt)
) STRICT, WITHOUT ROWID;

-- The durable events of each run, as canonical JSON, chained.
CREATE TABLE events (
    run_id TEXT NOT NULL REFERENCES run_journal (run_id),
    seq INTEGER NOT NULL CHECK (seq > 0),
    line TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;
