ALTER TABLE labels ADD COLUMN `group` VARCHAR(40);
UPDATE labels SET `group` = 'kind' WHERE name IN ('bug', 'idea', 'question');
