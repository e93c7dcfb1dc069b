CREATE VIEW time_per_issue (issue_id, minutes, people) AS
SELECT issue_id, sum(minutes), count(DISTINCT user_id)
FROM time_entries
GROUP BY issue_id;
