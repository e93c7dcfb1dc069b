UPDATE issues SET state = 'review' WHERE number = 2 AND project_id = 1;
CREATE INDEX issues_in_review ON issues (project_id) WHERE state = 'review';
