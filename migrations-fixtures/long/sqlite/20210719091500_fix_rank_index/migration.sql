-- Archived projects made up most of it.
DROP INDEX IF EXISTS issues_rank;
CREATE INDEX issues_rank ON issues (project_id, state, rank) WHERE state <> 'done';
