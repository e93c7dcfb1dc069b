DROP TABLE recurring_issues;
