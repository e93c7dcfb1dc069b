DROP FUNCTION keep_revision() CASCADE;
DROP TABLE comment_revisions;
ALTER TABLE comments DROP COLUMN edited_at;
