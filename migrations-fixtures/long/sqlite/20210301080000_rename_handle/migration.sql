ALTER TABLE users RENAME COLUMN handle TO username;
DROP INDEX users_handle;
CREATE UNIQUE INDEX users_username ON users (username);
