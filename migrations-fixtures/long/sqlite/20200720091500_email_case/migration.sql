-- "Nadia@" and "nadia@" were two people for a while.
DROP INDEX users_email;
UPDATE users SET email = lower(trim(email)) WHERE email <> lower(trim(email));
CREATE UNIQUE INDEX users_email ON users (email COLLATE NOCASE);
