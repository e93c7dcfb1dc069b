ALTER TABLE issues ADD COLUMN comment_count integer NOT NULL DEFAULT 0;

UPDATE issues SET comment_count = counted.n
FROM (SELECT issue_id, count(*) AS n FROM comments GROUP BY issue_id) AS counted
WHERE counted.issue_id = issues.id;
