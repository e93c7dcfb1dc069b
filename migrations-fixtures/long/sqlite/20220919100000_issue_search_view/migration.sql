DROP VIEW IF EXISTS issue_refs;
CREATE VIEW issue_refs AS
SELECT issues.id, projects."key" || '-' || issues.number AS ref
FROM issues JOIN projects ON projects.id = issues.project_id;
