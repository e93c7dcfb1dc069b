CREATE TABLE mentions (
    comment_id bigint NOT NULL REFERENCES comments (id) ON DELETE CASCADE,
    user_id    bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    seen_at    timestamp,
    PRIMARY KEY (comment_id, user_id)
);
