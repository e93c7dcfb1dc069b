ALTER TABLE users ADD COLUMN deactivated_at TEXT;
CREATE VIEW active_users AS SELECT * FROM users WHERE deactivated_at IS NULL;
