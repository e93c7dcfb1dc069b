-- windlass: no-transaction
UPDATE tally SET n = n + 1 WHERE name = 'alone';
CREATE TABLE loner (n integer);
UPDATE tally SET n = n + 10 WHERE name = 'alone';
