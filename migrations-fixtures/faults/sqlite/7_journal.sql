-- What runs behind it commits by way of the write-ahead log.
PRAGMA journal_mode = WAL;
UPDATE tally SET n = n + 4000 WHERE name = 'data';
