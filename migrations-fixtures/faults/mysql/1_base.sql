-- Every statement of this folder that adds to `tally` shows when it ran twice, and when it did not run at all.
CREATE TABLE tally (name varchar(20) PRIMARY KEY, n int NOT NULL);
INSERT INTO tally VALUES ('data', 0), ('mixed', 0), ('alone', 0), ('unit', 0), ('locked', 0), ('call', 0), ('settings', 0);
CREATE TABLE items (id int PRIMARY KEY, name varchar(40) NOT NULL, price decimal(10, 2));
INSERT INTO items VALUES (1, 'one', 1.5), (2, 'two', 2.5), (3, 'three', 3.5);
