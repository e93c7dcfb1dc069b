DELETE FROM comments;
DELETE FROM issues;
DELETE FROM projects;
DELETE FROM memberships;
DELETE FROM teams;
DELETE FROM users;
