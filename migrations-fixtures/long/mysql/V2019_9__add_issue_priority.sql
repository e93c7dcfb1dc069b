ALTER TABLE issues ADD COLUMN priority TINYINT NOT NULL DEFAULT 3 AFTER status, ADD KEY issues_priority (project_id, priority);
