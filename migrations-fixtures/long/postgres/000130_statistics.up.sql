CREATE STATISTICS issues_project_state (dependencies, ndistinct) ON project_id, state FROM issues;
ANALYZE;
