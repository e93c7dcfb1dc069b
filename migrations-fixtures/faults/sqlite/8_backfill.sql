-- windlass: repeat
UPDATE parents SET born = coalesce(born, '') || 'x' WHERE id IN (SELECT id FROM parents WHERE coalesce(born, '') NOT LIKE 'xx%' ORDER BY id LIMIT 300);
UPDATE tally SET n = n + 8000 WHERE name = 'data';
