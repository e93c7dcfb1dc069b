CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cents bigint NOT NULL);

INSERT INTO orders (cents) SELECT n * 37 % 9000 FROM generate_series(1, 1000) AS n;
