ALTER TABLE teams ADD COLUMN country CHAR(2), ADD CONSTRAINT teams_country FOREIGN KEY (country) REFERENCES countries (code);
UPDATE teams SET country = 'NO' WHERE slug = 'us';
