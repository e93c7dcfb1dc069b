-- Copied out of an editor that signs its work.
ALTER TABLE attachments ADD COLUMN storage VARCHAR(10) NOT NULL DEFAULT 'disk', ADD COLUMN storage_key VARCHAR(100);
UPDATE attachments SET storage_key = LOWER(HEX(sha256));
