ALTER TABLE users RENAME CONSTRAINT users_username_key TO users_handle_key;
ALTER TABLE users RENAME COLUMN username TO handle;
