-- windlass: no-transaction
UPDATE tally SET n = n + 1 WHERE name = 'alone';
CREATE TABLE stray (n integer);
UPDATE tally SET n = n + 10 WHERE name = 'alone';
VACUUM items;
DROP INDEX CONCURRENTLY items_by_name_and_id;
UPDATE tally SET n = n + 100 WHERE name = 'alone';
