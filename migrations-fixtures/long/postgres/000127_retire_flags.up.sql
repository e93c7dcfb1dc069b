DELETE FROM feature_flags WHERE name IN ('board', 'dark-mode');
INSERT INTO feature_flags (name, enabled, note) VALUES ('ask-ai', false, E'we\'ll see; it\'s "just" a flag');
