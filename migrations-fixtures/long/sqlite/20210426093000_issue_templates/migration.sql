CREATE TABLE issue_templates (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    body       TEXT NOT NULL
);
INSERT INTO issue_templates (project_id, name, body) VALUES (1, 'Bug', '## What happened?

## What did you expect?

; drop table issues; -- just kidding
');
