INSERT INTO labels (project_id, name, colour)
SELECT projects.id, defaults.name, defaults.colour
FROM projects
CROSS JOIN (VALUES ('bug', '#d73a4a'), ('idea', '#a2eeef'), ('question', '#d876e3')) AS defaults (name, colour);
