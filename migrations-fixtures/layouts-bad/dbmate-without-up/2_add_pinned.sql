-- migrate:down
DELETE FROM notes WHERE id = 1;

ALTER TABLE notes DROP COLUMN pinned;
