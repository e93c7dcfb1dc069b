-- People want to be mentioned. First guess: what stands before the @.
ALTER TABLE users ADD COLUMN handle TEXT;

UPDATE users SET handle = lower(substr(email, 1, instr(email, '@') - 1));

CREATE UNIQUE INDEX users_handle ON users (handle)