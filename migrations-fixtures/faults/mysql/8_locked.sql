LOCK TABLES tally WRITE;
UPDATE tally SET n = n + 1 WHERE name = 'locked';
UPDATE tally SET n = n + 10 WHERE name = 'locked';
UNLOCK TABLES;
