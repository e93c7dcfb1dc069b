CREATE INDEX attachments_issue ON attachments (issue_id) WHERE issue_id IS NOT NULL;
CREATE INDEX attachments_comment ON attachments (comment_id) WHERE comment_id IS NOT NULL;
CREATE INDEX attachments_content ON attachments (sha256);
