-- "Nadia@" and "nadia@" were two people for a while.
UPDATE users SET email = LOWER(TRIM(email)) WHERE BINARY email <> LOWER(TRIM(email));
