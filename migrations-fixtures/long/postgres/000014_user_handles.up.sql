-- People want to be mentioned. First guess: what stands before the @.
ALTER TABLE users ADD COLUMN handle text;

UPDATE users SET handle = lower(split_part(email, '@', 1));

ALTER TABLE users ADD CONSTRAINT users_handle_key UNIQUE (handle)