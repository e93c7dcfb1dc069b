create index concurrently issues_rank on issues (project_id, state, rank);
