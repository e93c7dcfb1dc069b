/*!80000 ALTER TABLE rate_limits COMMENT = 'kept an hour' */;
/*M!100100 ALTER TABLE rate_limits COMMENT = 'kept an hour' */;
UPDATE /*+ NO_INDEX_MERGE(issues) */ issues SET estimate_minutes = 60 WHERE estimate_minutes IS NULL AND priority = 1;
