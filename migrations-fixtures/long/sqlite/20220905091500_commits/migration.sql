CREATE TABLE commits (
    sha          TEXT PRIMARY KEY CHECK (length(sha) = 40),
    project_id   INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    message      TEXT NOT NULL,
    author_email TEXT,
    committed_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE commit_issues (
    sha      TEXT NOT NULL REFERENCES commits (sha) ON DELETE CASCADE,
    issue_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    PRIMARY KEY (sha, issue_id)
) WITHOUT ROWID;
