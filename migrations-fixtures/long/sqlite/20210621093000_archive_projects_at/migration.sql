ALTER TABLE projects ADD COLUMN archived_at TEXT;
UPDATE projects SET archived_at = datetime('now') WHERE archived = 1;
ALTER TABLE projects DROP COLUMN archived;
