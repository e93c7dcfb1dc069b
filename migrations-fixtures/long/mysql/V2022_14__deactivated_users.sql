ALTER TABLE users ADD COLUMN deactivated_at DATETIME;
CREATE VIEW active_users AS SELECT id, email, username, name FROM users WHERE deactivated_at IS NULL WITH CASCADED CHECK OPTION;
