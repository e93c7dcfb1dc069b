CREATE VIEW time_per_issue (issue_id, minutes, people) AS
SELECT issue_id, SUM(minutes), COUNT(DISTINCT user_id)
FROM time_entries
GROUP BY issue_id;
