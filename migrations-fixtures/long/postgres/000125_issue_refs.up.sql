CREATE TEMPORARY TABLE refs AS
SELECT issues.id, projects.key || '-' || issues.number AS ref
FROM issues JOIN projects ON projects.id = issues.project_id;
ALTER TABLE issues ADD COLUMN ref text;
UPDATE issues SET ref = refs.ref FROM refs WHERE refs.id = issues.id;
DROP TABLE refs;
ALTER TABLE issues ADD CONSTRAINT issues_ref_key UNIQUE (ref);
