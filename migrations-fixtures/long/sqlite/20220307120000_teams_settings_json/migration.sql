ALTER TABLE teams ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
UPDATE teams SET settings = json_set(settings, '$.domain', email_domain) WHERE email_domain IS NOT NULL;
