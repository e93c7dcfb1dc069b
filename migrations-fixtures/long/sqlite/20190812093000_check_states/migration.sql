-- SQLite cannot add a CHECK to a table that stands: build a new one and move in.
PRAGMA foreign_keys = OFF;

CREATE TABLE issues_new (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id    INTEGER NOT NULL REFERENCES projects (id),
    number        INTEGER NOT NULL,
    title         TEXT NOT NULL,
    body          TEXT,
    state         TEXT NOT NULL DEFAULT 'todo' CHECK (state IN ('todo', 'doing', 'review', 'done')),
    author_id     INTEGER NOT NULL REFERENCES users (id),
    assignee_id   INTEGER REFERENCES users (id),
    opened_at     TEXT NOT NULL DEFAULT (datetime('now')),
    closed_at     TEXT,
    priority      INTEGER NOT NULL DEFAULT 3 CHECK (priority BETWEEN 1 AND 5),
    comment_count INTEGER NOT NULL DEFAULT 0,
    UNIQUE (project_id, number)
);

INSERT INTO issues_new (id, project_id, number, title, body, state, author_id, assignee_id, opened_at, closed_at, priority, comment_count)
SELECT id, project_id, number, title, body, state, author_id, assignee_id, opened_at, closed_at, priority, comment_count
FROM issues;

-- These two name the old table; they come back once the new one has its name.
DROP TRIGGER comments_counted;
DROP TRIGGER comments_uncounted;

DROP TABLE issues;
ALTER TABLE issues_new RENAME TO issues;

CREATE INDEX issues_assignee ON issues (assignee_id);
CREATE INDEX issues_state ON issues (project_id, state);
CREATE INDEX issues_priority ON issues (project_id, priority);

CREATE TRIGGER comments_counted AFTER INSERT ON comments
BEGIN
    UPDATE issues SET comment_count = comment_count + 1 WHERE id = NEW.issue_id;
END;
CREATE TRIGGER comments_uncounted AFTER DELETE ON comments
BEGIN
    UPDATE issues SET comment_count = comment_count - 1 WHERE id = OLD.issue_id;
END;

PRAGMA foreign_key_check;
PRAGMA foreign_keys = ON;
