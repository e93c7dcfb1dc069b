ALTER TABLE attachments MODIFY COLUMN issue_id BIGINT UNSIGNED NULL;
ALTER TABLE attachments ADD COLUMN comment_id BIGINT UNSIGNED NULL AFTER issue_id;
ALTER TABLE attachments ADD CONSTRAINT attachments_comment FOREIGN KEY (comment_id) REFERENCES comments (id);
