UPDATE issues SET state = 'done' WHERE id IN (1, 2);
