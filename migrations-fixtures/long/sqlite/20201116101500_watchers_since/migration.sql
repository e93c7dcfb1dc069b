ALTER TABLE watchers ADD COLUMN since TEXT;
UPDATE watchers SET since = (SELECT opened_at FROM issues WHERE issues.id = watchers.issue_id);
