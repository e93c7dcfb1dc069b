CREATE TABLE digits (n int NOT NULL PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);

CREATE TABLE orders (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, cents bigint NOT NULL);
INSERT INTO orders (cents)
SELECT (a.n + 10 * b.n + 100 * c.n) * 37 % 9000 FROM digits AS a, digits AS b, digits AS c;

DROP TABLE digits;
