CREATE TABLE avatars (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    mime    TEXT NOT NULL,
    image   BLOB NOT NULL
);
