-- What is rolled back to a savepoint shows as little as it would without a fault.
UPDATE tally SET n = n + 8000 WHERE name = 'data';
SAVEPOINT a;
UPDATE tally SET n = n + 100 WHERE name = 'data';
SAVEPOINT b;
UPDATE tally SET n = n + 500 WHERE name = 'data';
ROLLBACK TO SAVEPOINT b;
RELEASE SAVEPOINT a;
UPDATE tally SET n = n + 16000 WHERE name = 'data';
