CREATE TABLE pinned_views (
    user_id  BIGINT UNSIGNED NOT NULL,
    view_id  INT UNSIGNED NOT NULL,
    position INT NOT NULL,
    PRIMARY KEY (user_id, view_id),
    FOREIGN KEY (view_id) REFERENCES saved_views (id) ON DELETE CASCADE
) ENGINE=InnoDB;
INSERT INTO pinned_views
SELECT user_id, id, ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY name) FROM saved_views;
