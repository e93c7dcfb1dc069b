ALTER TABLE issues DROP COLUMN parent_id;
