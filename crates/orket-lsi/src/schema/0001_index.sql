-- Schema step 1 of the Local Sovereign Index. A released step never changes; see docs/kernel/lsi-tables.md.
-- Digests are 32 bytes; hex(...) prints them. Turns and generations count from 1.

CREATE TABLE runs (
    run_id TEXT NOT NULL PRIMARY KEY,
    envelope_digest BLOB NOT NULL CHECK (length(envelope_digest) = 32),
    envelope BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE promotions (
    generation INTEGER NOT NULL PRIMARY KEY CHECK (generation > 0),
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    turn INTEGER NOT NULL CHECK (turn > 0),
    record_digest BLOB NOT NULL CHECK (length(record_digest) = 32),
    triplet_root BLOB NOT NULL CHECK (length(triplet_root) = 32),
    ref_root BLOB NOT NULL CHECK (length(ref_root) = 32),
    state_digest BLOB NOT NULL CHECK (length(state_digest) = 32),
    previous_digest BLOB CHECK (length(previous_digest) = 32),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    lsi_version TEXT NOT NULL,
    UNIQUE (run_id, turn)
) STRICT;

CREATE TABLE ledger (
    run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs (run_id),
    last_turn INTEGER NOT NULL CHECK (last_turn > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE records (
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    length_bytes INTEGER NOT NULL CHECK (length_bytes >= 0),
    bytes BLOB CHECK (length(bytes) = length_bytes)
) STRICT;

CREATE TABLE objects (
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    length_bytes INTEGER NOT NULL CHECK (length_bytes >= 0),
    bytes BLOB CHECK (length(bytes) = length_bytes)
) STRICT;

CREATE TABLE triplets (
    stem TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    body_digest BLOB NOT NULL CHECK (length(body_digest) = 32),
    links_digest BLOB NOT NULL CHECK (length(links_digest) = 32),
    manifest_digest BLOB NOT NULL CHECK (length(manifest_digest) = 32),
    updated_at_turn INTEGER NOT NULL CHECK (updated_at_turn > 0),
    lsi_version TEXT NOT NULL,
    generation INTEGER NOT NULL CHECK (generation > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE refs (
    id TEXT NOT NULL,
    stem TEXT NOT NULL,
    location TEXT NOT NULL,
    relationship TEXT NOT NULL,
    artifact_digest BLOB NOT NULL CHECK (length(artifact_digest) = 32),
    generation INTEGER NOT NULL CHECK (generation > 0),
    PRIMARY KEY (id, stem, location, relationship, artifact_digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX refs_by_stem ON refs (stem);

CREATE TABLE triplet_history (
    stem TEXT NOT NULL,
    id TEXT NOT NULL,
    body_digest BLOB NOT NULL CHECK (length(body_digest) = 32),
    links_digest BLOB NOT NULL CHECK (length(links_digest) = 32),
    manifest_digest BLOB NOT NULL CHECK (length(manifest_digest) = 32),
    updated_at_turn INTEGER NOT NULL CHECK (updated_at_turn > 0),
    lsi_version TEXT NOT NULL,
    generation INTEGER NOT NULL CHECK (generation > 0),
    until INTEGER NOT NULL CHECK (until > generation),
    PRIMARY KEY (stem, until)
) STRICT, WITHOUT ROWID;

CREATE INDEX triplet_history_by_id ON triplet_history (id, until);

CREATE TABLE ref_history (
    id TEXT NOT NULL,
    stem TEXT NOT NULL,
    location TEXT NOT NULL,
    relationship TEXT NOT NULL,
    artifact_digest BLOB NOT NULL CHECK (length(artifact_digest) = 32),
    generation INTEGER NOT NULL CHECK (generation > 0),
    until INTEGER NOT NULL CHECK (until > generation),
    PRIMARY KEY (id, until, stem, location, relationship, artifact_digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE horizon (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    generation INTEGER NOT NULL CHECK (generation >= 0),
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;

-- The digest is that of {"generation":0,"lsi_version":"lsi/v1"}.
INSERT INTO horizon (only, generation, digest)
VALUES (1, 0, X'b2f365de014523f6880d91bacf92ae79448ea7dc12d7d6698985f1ceab884d39');

CREATE TABLE triplet_nodes (
    path INTEGER NOT NULL PRIMARY KEY CHECK (path > 0),
    node BLOB NOT NULL
) STRICT;

CREATE TABLE ref_nodes (
    path INTEGER NOT NULL PRIMARY KEY CHECK (path > 0),
    node BLOB NOT NULL
) STRICT;

CREATE TABLE source_nodes (
    id TEXT NOT NULL,
    path INTEGER NOT NULL CHECK (path > 0),
    node BLOB NOT NULL,
    PRIMARY KEY (id, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
    generation INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('object', 'refs', 'triplet')),
    name TEXT NOT NULL,
    PRIMARY KEY (generation, kind, name)
) STRICT, WITHOUT ROWID;
