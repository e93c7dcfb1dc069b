PRAGMA foreign_keys = OFF;
CREATE TABLE new_parents (id integer PRIMARY KEY, name text NOT NULL, born text);
INSERT INTO new_parents (id, name) SELECT id, name FROM parents;
DROP TABLE parents;
ALTER TABLE new_parents RENAME TO parents;
CREATE INDEX parents_by_name ON parents (name);
UPDATE tally SET n = n + 1 WHERE name = 'rebuild';
PRAGMA foreign_keys = ON;
