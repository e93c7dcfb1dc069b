UPDATE notes SET body = 'feed the cat'
WHERE id = 1