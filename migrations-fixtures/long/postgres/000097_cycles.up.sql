-- Milestones become cycles: same idea, but every team has its own rhythm.
ALTER TABLE milestones RENAME TO cycles;
ALTER SEQUENCE milestones_id_seq RENAME TO cycles_id_seq;
ALTER INDEX milestones_pkey RENAME TO cycles_pkey;
ALTER TABLE cycles RENAME COLUMN due_on TO ends_on;
ALTER TABLE cycles ADD COLUMN starts_on date;
UPDATE cycles SET starts_on = ends_on - 14;
ALTER TABLE issues RENAME COLUMN milestone_id TO cycle_id;
ALTER TABLE issues RENAME CONSTRAINT issues_milestone_id_fkey TO issues_cycle_id_fkey;
