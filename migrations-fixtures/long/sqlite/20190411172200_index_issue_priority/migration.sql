CREATE INDEX issues_priority ON issues (project_id, priority);
