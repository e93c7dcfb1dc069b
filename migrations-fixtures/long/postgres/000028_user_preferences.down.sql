ALTER TABLE users DROP COLUMN avatar_url, DROP COLUMN locale, DROP COLUMN time_zone;
