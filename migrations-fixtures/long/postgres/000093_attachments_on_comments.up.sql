ALTER TABLE attachments ALTER COLUMN issue_id DROP NOT NULL;
ALTER TABLE attachments ADD COLUMN comment_id bigint REFERENCES comments (id) ON DELETE CASCADE;
ALTER TABLE attachments ADD CONSTRAINT attachments_one_owner CHECK (num_nonnulls(issue_id, comment_id) = 1);
