UPDATE tally SET n = n + 1 WHERE name = 'data';
INSERT INTO parents VALUES (1000, 'late');
UPDATE tally SET n = n + 10 WHERE name = 'data';
