DROP VIEW IF EXISTS open_issues;
DROP TABLE IF EXISTS integrations_archive, numbers;
DROP PROCEDURE IF EXISTS nothing_to_do;
