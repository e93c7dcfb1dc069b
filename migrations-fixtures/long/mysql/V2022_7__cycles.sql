-- Milestones become cycles: same idea, but every team has its own rhythm.
RENAME TABLE milestones TO cycles;
ALTER TABLE cycles RENAME COLUMN due_on TO ends_on;
ALTER TABLE cycles ADD COLUMN starts_on DATE AFTER title;
UPDATE cycles SET starts_on = ends_on - INTERVAL 14 DAY;
ALTER TABLE issues DROP FOREIGN KEY issues_milestone;
ALTER TABLE issues CHANGE milestone_id cycle_id INT UNSIGNED NULL;
ALTER TABLE issues ADD CONSTRAINT issues_cycle FOREIGN KEY (cycle_id) REFERENCES cycles (id);
