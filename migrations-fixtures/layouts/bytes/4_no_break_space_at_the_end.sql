UPDATE notes SET body = 'feed the cat, grüße 🐈' WHERE id = 1; 
