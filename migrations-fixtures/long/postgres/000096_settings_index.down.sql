DROP INDEX teams_settings;
