-- Run again whenever it changes.
CREATE OR REPLACE VIEW report_workload AS
SELECT users.username, count(issues.id) AS open_issues, sum(issues.estimate) AS estimated
FROM users
LEFT JOIN issues ON issues.assignee_id = users.id AND issues.state <> 'done'
GROUP BY users.id;

CREATE OR REPLACE VIEW report_revenue AS
SELECT date_trunc('month', issued_on)::date AS month, sum(total) / 100.0 AS total
FROM invoices
GROUP BY 1;
