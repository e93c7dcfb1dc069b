ALTER TABLE sessions DROP COLUMN ip, DROP COLUMN last_seen_at;
