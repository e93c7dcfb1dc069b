ALTER TABLE issues ADD COLUMN parent_id bigint REFERENCES issues (id) ON DELETE SET NULL;
ALTER TABLE issues ADD CONSTRAINT issues_not_own_parent CHECK (parent_id <> id);
