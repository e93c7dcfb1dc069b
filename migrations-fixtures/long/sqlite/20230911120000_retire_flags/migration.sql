DELETE FROM feature_flag_teams WHERE flag IN ('board', 'dark-mode');
DELETE FROM feature_flags WHERE name IN ('board', 'dark-mode');
INSERT INTO feature_flags (name, enabled, note) VALUES ('ask-ai', 0, 'we''ll see; it''s "just" a flag');
