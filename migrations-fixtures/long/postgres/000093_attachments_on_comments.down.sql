ALTER TABLE attachments DROP COLUMN comment_id;
ALTER TABLE attachments ALTER COLUMN issue_id SET NOT NULL;
