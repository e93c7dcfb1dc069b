CREATE INDEX issues_cycle ON issues (cycle_id);
