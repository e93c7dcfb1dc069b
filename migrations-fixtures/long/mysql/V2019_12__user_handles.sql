-- People want to be mentioned. First guess: what stands before the @.
ALTER TABLE users ADD COLUMN handle VARCHAR(60);

UPDATE users SET handle = LOWER(SUBSTRING_INDEX(email, '@', 1));

ALTER TABLE users ADD UNIQUE KEY users_handle (handle)