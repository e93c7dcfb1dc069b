ALTER TABLE teams ADD COLUMN email_domain TEXT;
UPDATE teams SET email_domain = 'tracker.example' WHERE slug = 'us';
