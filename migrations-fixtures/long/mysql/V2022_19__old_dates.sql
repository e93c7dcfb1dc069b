-- The importer of 2019 wrote zero dates; they need the manners of that time to be found.
SET SESSION sql_mode = '';
ALTER TABLE issues ADD COLUMN imported_on DATE DEFAULT '0000-00-00';
UPDATE issues SET imported_on = NULL WHERE imported_on = '0000-00-00';
ALTER TABLE issues ALTER COLUMN imported_on SET DEFAULT NULL;
