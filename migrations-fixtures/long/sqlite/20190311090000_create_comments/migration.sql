CREATE TABLE comments (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    issue_id  INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    author_id INTEGER NOT NULL REFERENCES users (id),
    body      TEXT NOT NULL,
    posted_at TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE INDEX comments_issue ON comments (issue_id);
