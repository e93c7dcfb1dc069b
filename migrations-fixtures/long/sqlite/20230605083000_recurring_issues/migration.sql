CREATE TABLE recurring_issues (
    id          INTEGER PRIMARY KEY,
    template_id INTEGER NOT NULL REFERENCES issue_templates (id) ON DELETE CASCADE,
    every       TEXT NOT NULL CHECK (every IN ('day', 'week', 'month')),
    next_on     TEXT NOT NULL,
    paused      INTEGER NOT NULL DEFAULT 0
);
