-- windlass: no-transaction
CREATE TABLE stray (n int PRIMARY KEY);
ALTER TABLE stray ADD COLUMN m int DEFAULT 4;
DROP INDEX items_by_name ON goods;
UPDATE tally SET n = n + 1 WHERE name = 'alone';
