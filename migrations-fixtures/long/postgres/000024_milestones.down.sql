ALTER TABLE issues DROP COLUMN milestone_id;
DROP TABLE milestones;
