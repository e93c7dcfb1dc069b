CREATE TABLE reactions (
    comment_id INTEGER NOT NULL REFERENCES comments (id) ON DELETE CASCADE,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    emoji      TEXT NOT NULL,
    PRIMARY KEY (comment_id, user_id, emoji)
) WITHOUT ROWID;
INSERT INTO reactions VALUES (1, 1, '👍'), (1, 3, '🎉'), (2, 3, '👀');
