-- Run again whenever it changes.
DROP VIEW IF EXISTS report_workload;
CREATE VIEW report_workload AS
SELECT users.username, count(issues.id) AS open_issues, sum(issues.estimate_minutes) AS estimated
FROM users
LEFT JOIN issues ON issues.assignee_id = users.id AND issues.state <> 'done'
GROUP BY users.id;

DROP VIEW IF EXISTS report_revenue;
CREATE VIEW report_revenue AS
SELECT substr(issued_on, 1, 7) AS month, sum(total_cents) / 100.0 AS total
FROM invoices
GROUP BY 1;
