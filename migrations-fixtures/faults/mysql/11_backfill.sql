ALTER TABLE goods ADD COLUMN done int NOT NULL DEFAULT 0;
-- windlass: repeat
UPDATE goods SET done = done + 1 WHERE done < 2 ORDER BY id LIMIT 3;
UPDATE tally SET n = n + 4000 WHERE name = 'data';
