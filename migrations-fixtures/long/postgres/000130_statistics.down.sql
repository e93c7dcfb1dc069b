DROP STATISTICS issues_project_state;
