-- Bound by what came from data: a crash in it is settled by a person.
SET @most = (SELECT max(id) FROM goods WHERE id < 100);
UPDATE tally SET n = n + 1 WHERE name = 'unit';
UPDATE tally SET n = n + 7 + @most WHERE name = 'unit';
