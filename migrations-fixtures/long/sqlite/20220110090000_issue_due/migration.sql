ALTER TABLE issues ADD COLUMN due_at TEXT;
UPDATE issues
SET due_at = datetime(issues.opened_at, '+' || sla_policies.hours || ' hours')
FROM projects
JOIN sla_policies ON sla_policies.team_id = projects.team_id
WHERE projects.id = issues.project_id AND sla_policies.priority = issues.priority;
