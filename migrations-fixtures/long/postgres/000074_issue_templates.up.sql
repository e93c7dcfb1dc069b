CREATE TABLE issue_templates (
    id         bigserial PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name       text NOT NULL,
    body       text NOT NULL
);
INSERT INTO issue_templates (project_id, name, body) VALUES (1, 'Bug', $md$## What happened?

## What did you expect?

; drop table issues; -- just kidding
$md$);
