ALTER TABLE saved_filters RENAME TO saved_views;
ALTER TABLE saved_views ADD COLUMN layout text NOT NULL DEFAULT 'list' CHECK (layout IN ('list', 'board', 'calendar'));
ALTER TABLE saved_views ADD COLUMN shared boolean NOT NULL DEFAULT false;
ALTER POLICY saved_filters_own ON saved_views RENAME TO saved_views_own;
