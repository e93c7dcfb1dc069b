ALTER TABLE issues ADD COLUMN comment_count INT NOT NULL DEFAULT 0;
UPDATE issues
LEFT JOIN (SELECT issue_id, COUNT(*) AS n FROM comments GROUP BY issue_id) AS counted ON counted.issue_id = issues.id
SET issues.comment_count = IFNULL(counted.n, 0);
