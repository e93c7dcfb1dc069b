ALTER TABLE issues DROP COLUMN estimate;
