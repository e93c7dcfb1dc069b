ALTER TABLE users RENAME COLUMN handle TO username, RENAME INDEX users_handle TO users_username;
