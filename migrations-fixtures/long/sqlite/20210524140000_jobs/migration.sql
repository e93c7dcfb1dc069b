CREATE TABLE jobs (
    id         INTEGER PRIMARY KEY,
    queue      TEXT NOT NULL DEFAULT 'default',
    payload    TEXT NOT NULL,
    run_at     TEXT NOT NULL DEFAULT (datetime('now')),
    locked_by  TEXT,
    attempts   INTEGER NOT NULL DEFAULT 0,
    last_error TEXT
);
CREATE INDEX jobs_ready ON jobs (queue, run_at) WHERE locked_by IS NULL;
