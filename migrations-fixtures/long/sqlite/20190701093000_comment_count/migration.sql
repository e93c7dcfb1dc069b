ALTER TABLE issues ADD COLUMN comment_count INTEGER NOT NULL DEFAULT 0;
UPDATE issues SET comment_count = (SELECT count(*) FROM comments WHERE comments.issue_id = issues.id);
