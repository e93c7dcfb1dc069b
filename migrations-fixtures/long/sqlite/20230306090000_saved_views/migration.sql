ALTER TABLE saved_filters RENAME TO saved_views;
ALTER TABLE saved_views ADD COLUMN layout TEXT NOT NULL DEFAULT 'list' CHECK (layout IN ('list', 'board', 'calendar'));
ALTER TABLE saved_views ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;
