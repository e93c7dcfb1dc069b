DROP FUNCTION issue_path(bigint);
