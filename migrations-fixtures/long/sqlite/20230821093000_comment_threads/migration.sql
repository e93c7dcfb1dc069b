ALTER TABLE comments ADD COLUMN reply_to INTEGER REFERENCES comments (id) ON DELETE CASCADE;
CREATE INDEX comments_replies ON comments (reply_to) WHERE reply_to IS NOT NULL;
