ALTER TABLE issues RENAME COLUMN status TO state;
