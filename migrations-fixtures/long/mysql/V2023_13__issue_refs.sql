CREATE TEMPORARY TABLE refs AS
SELECT issues.id, CONCAT(projects.`key`, '-', issues.number) AS ref
FROM issues JOIN projects ON projects.id = issues.project_id;
ALTER TABLE issues ADD COLUMN ref VARCHAR(30);
UPDATE issues JOIN refs ON refs.id = issues.id SET issues.ref = refs.ref;
DROP TEMPORARY TABLE refs;
ALTER TABLE issues ADD UNIQUE KEY issues_ref (ref);
