ALTER TABLE comments ADD COLUMN reply_to bigint REFERENCES comments (id) ON DELETE CASCADE;
