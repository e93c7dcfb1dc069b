ALTER TABLE issues ADD COLUMN rank double precision;
UPDATE issues SET rank = number * 1024;
