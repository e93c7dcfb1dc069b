ALTER TABLE issues ADD COLUMN due_at timestamptz;
UPDATE issues
SET due_at = issues.opened_at + sla_policies.within
FROM projects
JOIN sla_policies USING (team_id)
WHERE projects.id = issues.project_id AND sla_policies.priority = issues.priority;
