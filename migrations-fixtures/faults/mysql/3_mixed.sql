-- Definitions commit by themselves; data statements between them share a transaction with their checkpoint.
ALTER TABLE items ADD COLUMN sold int NOT NULL DEFAULT 0;
UPDATE tally SET n = n + 1 WHERE name = 'mixed';
UPDATE items SET sold = sold + 1;
CREATE INDEX items_by_name ON items (name);
UPDATE tally SET n = n + 10 WHERE name = 'mixed';
ALTER TABLE items ADD COLUMN a int, ADD COLUMN b int, DROP COLUMN price;
RENAME TABLE items TO goods;
UPDATE tally SET n = n + 100 WHERE name = 'mixed';
CREATE TABLE gone (n int);
DROP TABLE gone;
