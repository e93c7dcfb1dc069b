DELETE FROM plans WHERE per = 'year';
ALTER TABLE plans DROP COLUMN per;
