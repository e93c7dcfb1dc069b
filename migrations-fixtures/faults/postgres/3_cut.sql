-- Three transactions, and two statements that cannot be in any.
ALTER TABLE items ADD COLUMN sold integer NOT NULL DEFAULT 0;
UPDATE tally SET n = n + 1 WHERE name = 'cut';
CREATE INDEX CONCURRENTLY items_by_name ON items (name);
UPDATE tally SET n = n + 10 WHERE name = 'cut';
CREATE UNIQUE INDEX CONCURRENTLY items_by_name_and_id ON items (name, id);
UPDATE tally SET n = n + 100 WHERE name = 'cut';
