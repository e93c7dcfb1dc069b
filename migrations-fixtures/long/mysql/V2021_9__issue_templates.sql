CREATE TABLE issue_templates (
    id         INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    project_id BIGINT UNSIGNED NOT NULL,
    name       VARCHAR(100) NOT NULL,
    body       TEXT NOT NULL,
    CONSTRAINT issue_templates_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO issue_templates (project_id, name, body) VALUES (1, 'Bug', '## What happened?

## What did you expect?

; drop table issues; -- just kidding
');
