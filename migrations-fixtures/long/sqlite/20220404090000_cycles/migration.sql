-- Milestones become cycles: same idea, but every team has its own rhythm.
ALTER TABLE milestones RENAME TO cycles;
ALTER TABLE cycles RENAME COLUMN due_on TO ends_on;
ALTER TABLE cycles ADD COLUMN starts_on TEXT;
UPDATE cycles SET starts_on = date(ends_on, '-14 days');
ALTER TABLE issues RENAME COLUMN milestone_id TO cycle_id;
