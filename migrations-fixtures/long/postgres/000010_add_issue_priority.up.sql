ALTER TABLE issues ADD COLUMN priority smallint NOT NULL DEFAULT 3 CONSTRAINT issues_priority_range CHECK (priority BETWEEN 1 AND 5);
