CREATE TABLE audit_log (
    id      INTEGER PRIMARY KEY,
    at      TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    team_id INTEGER,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    before  TEXT,
    after   TEXT
);
