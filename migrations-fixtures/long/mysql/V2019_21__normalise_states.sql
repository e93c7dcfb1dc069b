UPDATE issues SET state = 'done' WHERE state IN ('closed', 'fixed', 'wontfix') OR closed_at IS NOT NULL;
UPDATE issues SET state = 'todo' WHERE state = 'open';
ALTER TABLE issues MODIFY COLUMN state ENUM('todo', 'doing', 'done') NOT NULL DEFAULT 'todo';
