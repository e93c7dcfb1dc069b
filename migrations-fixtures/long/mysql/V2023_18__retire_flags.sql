DELETE FROM feature_flags WHERE name IN ('board', 'dark-mode');
REPLACE INTO feature_flags (name, enabled, note) VALUES ('ask-ai', FALSE, 'we\'ll see; it\'s "just" a flag');
