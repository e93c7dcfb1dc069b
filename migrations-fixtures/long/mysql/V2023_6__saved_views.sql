ALTER TABLE saved_filters RENAME TO saved_views;
ALTER TABLE saved_views
    ADD COLUMN layout ENUM('list', 'board', 'calendar') NOT NULL DEFAULT 'list',
    ADD COLUMN shared BOOLEAN NOT NULL DEFAULT FALSE;
