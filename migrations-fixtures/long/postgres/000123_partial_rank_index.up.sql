-- The finished ones made up most of it. New first, then the old one goes, both online.
CREATE INDEX CONCURRENTLY issues_rank_open ON issues (project_id, rank) WHERE state <> 'done';
DROP INDEX CONCURRENTLY issues_rank;
ALTER INDEX issues_rank_open RENAME TO issues_rank;
ANALYZE issues;
