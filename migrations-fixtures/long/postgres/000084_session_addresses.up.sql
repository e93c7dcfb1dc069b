ALTER TABLE sessions ADD COLUMN last_seen_at timestamptz, ADD COLUMN ip inet;
