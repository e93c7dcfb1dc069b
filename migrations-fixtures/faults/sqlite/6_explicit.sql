BEGIN;
UPDATE tally SET n = n + 1000 WHERE name = 'data';
COMMIT;
UPDATE tally SET n = n + 2000 WHERE name = 'data';
