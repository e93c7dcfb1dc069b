UPDATE tally SET n = n + 1 WHERE name = 'data';
INSERT INTO items VALUES (1000, 'late', 1);
UPDATE tally SET n = n + 10 WHERE name = 'data';
