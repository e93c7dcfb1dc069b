ALTER TABLE issues ADD COLUMN parent_id INTEGER REFERENCES issues (id) ON DELETE SET NULL;
CREATE INDEX issues_parent ON issues (parent_id) WHERE parent_id IS NOT NULL;
