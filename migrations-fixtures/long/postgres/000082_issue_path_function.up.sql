/* The way from an issue up to its root.
   /* Depth is bounded by hand: cycles were possible before the check. */
   Still are, with two issues; */
CREATE FUNCTION issue_path(issue bigint) RETURNS bigint[]
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH RECURSIVE up (id, parent_id, depth) AS (
        SELECT issues.id, issues.parent_id, 1 FROM issues WHERE issues.id = issue_path.issue
        UNION ALL
        SELECT issues.id, issues.parent_id, up.depth + 1
        FROM issues JOIN up ON issues.id = up.parent_id
        WHERE up.depth < 20
    )
    SELECT array_agg(up.id ORDER BY up.depth DESC) FROM up;
END;

COMMENT ON FUNCTION issue_path IS 'root first';
