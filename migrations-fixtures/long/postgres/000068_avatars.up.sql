ALTER TABLE users DROP COLUMN avatar_url;
CREATE TABLE avatars (
    user_id bigint PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    mime    text NOT NULL,
    image   bytea NOT NULL
);
ALTER TABLE avatars ALTER COLUMN image SET STORAGE EXTERNAL;
