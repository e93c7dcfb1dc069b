ALTER TABLE bikes ADD COLUMN colour varchar(20) DEFAULT 'black' NOT NULL;
