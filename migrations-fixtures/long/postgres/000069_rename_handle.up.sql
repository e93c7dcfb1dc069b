ALTER TABLE users RENAME COLUMN handle TO username;
ALTER TABLE users RENAME CONSTRAINT users_handle_key TO users_username_key;
