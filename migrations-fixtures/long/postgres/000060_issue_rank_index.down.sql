drop index concurrently issues_rank;
