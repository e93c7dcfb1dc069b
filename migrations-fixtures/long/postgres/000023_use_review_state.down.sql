DROP INDEX issues_in_review;
UPDATE issues SET state = 'doing' WHERE state = 'review';
