CREATE INDEX CONCURRENTLY attachments_content ON attachments USING hash (sha256);
