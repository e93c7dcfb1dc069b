ALTER TABLE issues ADD COLUMN `rank` DOUBLE;
UPDATE issues SET `rank` = number * 1024.0;
ALTER TABLE issues MODIFY COLUMN `rank` DOUBLE NOT NULL;
CREATE INDEX issues_rank ON issues (project_id, state, `rank`);
