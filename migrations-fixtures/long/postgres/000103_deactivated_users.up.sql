ALTER TABLE users ADD COLUMN deactivated_at timestamptz;
CREATE VIEW active_users AS SELECT id, email, username, name FROM users WHERE deactivated_at IS NULL;
