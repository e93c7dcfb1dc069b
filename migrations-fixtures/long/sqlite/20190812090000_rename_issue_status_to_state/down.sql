ALTER TABLE issues RENAME COLUMN state TO status;
