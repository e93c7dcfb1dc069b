CREATE INDEX teams_settings ON teams USING gin (settings jsonb_path_ops);
