ALTER TABLE comments DROP COLUMN reply_to;
