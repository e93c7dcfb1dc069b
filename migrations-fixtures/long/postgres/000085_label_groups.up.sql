ALTER TABLE labels ADD COLUMN "group" text;
UPDATE labels SET "group" = 'kind' WHERE name IN ('bug', 'idea', 'question');
