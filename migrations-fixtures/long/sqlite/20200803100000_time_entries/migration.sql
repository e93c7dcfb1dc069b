CREATE TABLE time_entries (
    id       INTEGER PRIMARY KEY,
    issue_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    user_id  INTEGER NOT NULL REFERENCES users (id),
    minutes  INTEGER NOT NULL CHECK (minutes > 0 AND minutes <= 24 * 60),
    spent_on TEXT NOT NULL
);
CREATE INDEX time_entries_by_user ON time_entries (user_id, spent_on DESC);
