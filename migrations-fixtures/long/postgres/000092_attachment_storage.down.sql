ALTER TABLE attachments DROP COLUMN storage, DROP COLUMN storage_key;
