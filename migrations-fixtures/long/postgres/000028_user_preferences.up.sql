ALTER TABLE users
    ADD COLUMN avatar_url text,
    ADD COLUMN locale text NOT NULL DEFAULT 'en',
    ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC';
