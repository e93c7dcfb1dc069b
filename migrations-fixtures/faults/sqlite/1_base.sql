-- Every statement of this folder that adds to `tally` shows when it ran twice, and when it did not run at all.
CREATE TABLE tally (name text PRIMARY KEY, n integer NOT NULL);
INSERT INTO tally VALUES ('data', 0), ('cut', 0), ('alone', 0), ('rebuild', 0);
CREATE TABLE parents (id integer PRIMARY KEY, name text);
CREATE TABLE children (id integer PRIMARY KEY, parent integer NOT NULL REFERENCES parents (id) ON DELETE CASCADE);
WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 500) INSERT INTO parents SELECT i, 'parent ' || i FROM s;
INSERT INTO children SELECT id, id FROM parents;
