ALTER TABLE labels DROP COLUMN "group";
