-- windlass: repeat
UPDATE items SET sold = sold + 1 WHERE id IN (SELECT id FROM items WHERE sold < 2 ORDER BY id LIMIT 9);
UPDATE tally SET n = n + 4000 WHERE name = 'data';
