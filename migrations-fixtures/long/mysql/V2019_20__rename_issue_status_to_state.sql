ALTER TABLE issues CHANGE COLUMN status state VARCHAR(20) NOT NULL DEFAULT 'todo';
ALTER TABLE issues RENAME INDEX issues_status TO issues_state;
