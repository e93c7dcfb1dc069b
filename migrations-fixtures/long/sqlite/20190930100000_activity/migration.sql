-- What happened, for the feed beside an issue.
CREATE TABLE activity (
    id       INTEGER PRIMARY KEY,
    issue_id INTEGER NOT NULL,
    actor_id INTEGER,
    verb     TEXT NOT NULL,
    detail   TEXT,
    at       TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE INDEX activity_issue ON activity (issue_id, at);
