ALTER TABLE issues ADD COLUMN estimate_minutes INTEGER;
