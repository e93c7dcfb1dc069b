WITH beta AS (
    INSERT INTO milestones (project_id, title, due_on) VALUES (1, 'Beta', '2019-10-01')
    RETURNING id, project_id
)
UPDATE issues SET milestone_id = beta.id
FROM beta
WHERE issues.project_id = beta.project_id AND issues.state <> 'done';
