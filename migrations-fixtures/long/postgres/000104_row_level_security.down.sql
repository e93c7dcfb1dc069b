DROP POLICY saved_filters_own ON saved_filters;
ALTER TABLE saved_filters DISABLE ROW LEVEL SECURITY;
