-- Run again whenever it changes.
CREATE OR REPLACE VIEW report_workload AS
SELECT users.username, COUNT(issues.id) AS open_issues, SUM(issues.estimate_minutes) AS estimated
FROM users
LEFT JOIN issues ON issues.assignee_id = users.id AND issues.state <> 'done'
GROUP BY users.id, users.username;

CREATE OR REPLACE VIEW report_revenue AS
SELECT DATE_FORMAT(issued_on, '%Y-%m') AS month, SUM(total_cents) / 100 AS total
FROM invoices
GROUP BY DATE_FORMAT(issued_on, '%Y-%m');
