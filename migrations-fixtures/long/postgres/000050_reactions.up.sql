CREATE TABLE reactions (
    comment_id bigint NOT NULL REFERENCES comments (id) ON DELETE CASCADE,
    user_id    bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    emoji      text NOT NULL CHECK (char_length(emoji) <= 8),
    PRIMARY KEY (comment_id, user_id, emoji)
);
INSERT INTO reactions VALUES (1, 1, '👍'), (1, 3, '🎉'), (2, 3, '👀');
