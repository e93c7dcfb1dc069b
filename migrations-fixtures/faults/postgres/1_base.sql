-- Every statement of this folder that adds to `tally` shows when it ran twice, and when it did not run at all.
CREATE TABLE tally (name text PRIMARY KEY, n integer NOT NULL);
INSERT INTO tally VALUES ('data', 0), ('cut', 0), ('alone', 0), ('code', 0), ('call', 0), ('settings', 0);
CREATE TABLE items (id integer PRIMARY KEY, name text NOT NULL, price numeric(10, 2));
INSERT INTO items SELECT i, 'item ' || i, i / 7.0 FROM generate_series(1, 20) AS i;
