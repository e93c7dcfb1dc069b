-- Copied out of an editor that signs its work.
ALTER TABLE attachments ADD COLUMN storage text NOT NULL DEFAULT 'disk';
ALTER TABLE attachments ADD COLUMN storage_key text;
UPDATE attachments SET storage_key = encode(sha256, 'hex');
