DROP VIEW active_users;
ALTER TABLE users DROP COLUMN deactivated_at;
