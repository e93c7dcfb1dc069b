ALTER TABLE teams DROP COLUMN country;
DROP TABLE countries;
