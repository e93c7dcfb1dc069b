CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW open_issues AS
SELECT CONCAT(projects.`key`, '-', issues.number) AS ref, issues.id, issues.title, issues.state, issues.assignee_id
FROM issues
JOIN projects ON projects.id = issues.project_id
WHERE issues.state <> 'done';
