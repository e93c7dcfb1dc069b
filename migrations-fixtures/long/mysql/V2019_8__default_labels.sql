INSERT INTO labels (project_id, name, colour)
SELECT projects.id, defaults.name, defaults.colour
FROM projects
CROSS JOIN (
    SELECT 'bug' AS name, '#d73a4a' AS colour
    UNION ALL SELECT 'idea', '#a2eeef'
    UNION ALL SELECT 'question', '#d876e3'
) AS defaults
ORDER BY projects.id, defaults.name;
