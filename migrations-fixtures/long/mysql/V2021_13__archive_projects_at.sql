ALTER TABLE projects ADD COLUMN archived_at DATETIME;
UPDATE projects SET archived_at = NOW() WHERE archived = 1;
ALTER TABLE projects DROP COLUMN archived;
