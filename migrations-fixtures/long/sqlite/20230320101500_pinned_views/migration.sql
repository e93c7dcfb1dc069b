CREATE TABLE pinned_views (
    user_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    view_id  INTEGER NOT NULL REFERENCES saved_views (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    PRIMARY KEY (user_id, view_id)
);
INSERT INTO pinned_views
SELECT user_id, id, row_number() OVER (PARTITION BY user_id ORDER BY name) FROM saved_views;
