-- Copied out of an editor that signs its work.
ALTER TABLE attachments ADD COLUMN storage TEXT NOT NULL DEFAULT 'disk';
ALTER TABLE attachments ADD COLUMN storage_key TEXT;
UPDATE attachments SET storage_key = lower(hex(sha256));
