CREATE VIEW open_issues AS
SELECT projects."key" || '-' || issues.number AS ref, issues.*
FROM issues
JOIN projects ON projects.id = issues.project_id
WHERE issues.state <> 'done';
