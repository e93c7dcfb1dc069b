ALTER TABLE issues ADD COLUMN due_at DATETIME;
UPDATE issues
JOIN projects ON projects.id = issues.project_id
JOIN sla_policies ON sla_policies.team_id = projects.team_id AND sla_policies.priority = issues.priority
SET issues.due_at = issues.opened_at + INTERVAL sla_policies.hours HOUR;
