ALTER TABLE labels ADD COLUMN "group" TEXT;
UPDATE labels SET "group" = 'kind' WHERE name IN ('bug', 'idea', 'question');
