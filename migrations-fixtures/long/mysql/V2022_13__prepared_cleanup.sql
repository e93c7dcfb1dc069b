-- Drops the old index only where it still stands: an earlier hotfix took it away on some servers.
SET @there = (
    SELECT COUNT(*) FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'issues' AND index_name = 'issues_priority'
);
SET @sql = IF(@there > 0, 'ALTER TABLE issues DROP INDEX issues_priority', 'DO 0');
PREPARE cleanup FROM @sql;
EXECUTE cleanup;
DEALLOCATE PREPARE cleanup;
