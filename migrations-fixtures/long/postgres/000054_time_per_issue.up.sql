CREATE MATERIALIZED VIEW time_per_issue AS
SELECT issue_id, sum(spent) AS spent, count(DISTINCT user_id) AS people
FROM time_entries
GROUP BY issue_id
WITH DATA;
CREATE UNIQUE INDEX time_per_issue_key ON time_per_issue (issue_id);
