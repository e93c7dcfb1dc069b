CREATE INDEX CONCURRENTLY issues_priority ON issues (project_id, priority);
