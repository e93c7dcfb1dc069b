-- Order on the board: a float between its neighbours, spread out to begin with.
ALTER TABLE issues ADD COLUMN rank REAL;
UPDATE issues SET rank = number * 1024.0;
CREATE INDEX issues_rank ON issues (project_id, state, rank);
