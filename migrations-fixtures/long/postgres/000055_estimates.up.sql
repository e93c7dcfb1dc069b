ALTER TABLE issues ADD COLUMN estimate interval;
