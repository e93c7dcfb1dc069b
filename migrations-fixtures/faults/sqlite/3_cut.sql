UPDATE tally SET n = n + 1 WHERE name = 'cut';
CREATE TABLE stray (n integer);
VACUUM;
UPDATE tally SET n = n + 10 WHERE name = 'cut';
CREATE INDEX parents_by_name ON parents (name);
