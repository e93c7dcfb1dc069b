ALTER TABLE saved_filters ENABLE ROW LEVEL SECURITY;
CREATE POLICY saved_filters_own ON saved_filters
    USING (user_id = nullif(current_setting('app.user_id', true), '')::bigint);
