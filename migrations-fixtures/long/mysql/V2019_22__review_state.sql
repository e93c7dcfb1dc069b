ALTER TABLE issues MODIFY COLUMN state ENUM('todo', 'doing', 'review', 'done') NOT NULL DEFAULT 'todo';
UPDATE issues SET state = 'review' WHERE project_id = 1 AND number = 2;
