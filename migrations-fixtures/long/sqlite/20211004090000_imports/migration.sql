CREATE TABLE imports (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    source     TEXT NOT NULL,
    started_by INTEGER NOT NULL REFERENCES users (id),
    progress   REAL NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    finished_at TEXT,
    log        TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE import_keys (
    import_id   INTEGER NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    foreign_key TEXT NOT NULL,
    issue_id    INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    PRIMARY KEY (import_id, foreign_key)
) STRICT, WITHOUT ROWID;
