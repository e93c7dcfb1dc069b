CREATE INDEX CONCURRENTLY issues_parent ON issues (parent_id) WHERE parent_id IS NOT NULL;
