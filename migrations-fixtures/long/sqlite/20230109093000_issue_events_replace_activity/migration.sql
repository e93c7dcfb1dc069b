CREATE TABLE issue_events (
    id       INTEGER PRIMARY KEY,
    issue_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    actor_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    kind     TEXT NOT NULL,
    data     TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(data)),
    at       TEXT NOT NULL
);
INSERT INTO issue_events (issue_id, actor_id, kind, data, at)
SELECT issue_id, actor_id, verb, json_object('detail', detail), at
FROM activity
WHERE issue_id IN (SELECT id FROM issues);
