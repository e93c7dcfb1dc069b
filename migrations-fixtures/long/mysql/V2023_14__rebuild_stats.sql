-- A new table is filled beside, then both change places in one step.
CREATE TABLE stats_by_day_new LIKE stats_by_day;
ALTER TABLE stats_by_day_new ADD COLUMN comments INT NOT NULL DEFAULT 0;
INSERT INTO stats_by_day_new (day, project_id, opened, closed) SELECT day, project_id, opened, closed FROM stats_by_day;
RENAME TABLE stats_by_day TO stats_by_day_old, stats_by_day_new TO stats_by_day;
DROP TABLE stats_by_day_old;
