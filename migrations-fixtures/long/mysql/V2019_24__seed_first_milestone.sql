INSERT INTO milestones (project_id, title, due_on) VALUES (1, 'Beta', '2019-10-01');
SET @beta = LAST_INSERT_ID();
UPDATE issues SET milestone_id = @beta WHERE project_id = 1 AND state <> 'done';
