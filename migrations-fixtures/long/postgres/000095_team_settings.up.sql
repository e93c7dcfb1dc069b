ALTER TABLE teams ADD COLUMN settings jsonb NOT NULL DEFAULT '{}'::jsonb;
UPDATE teams SET settings = jsonb_set(settings, '{domain}', '"tracker.example"') WHERE slug = 'us';
ALTER TABLE teams ADD COLUMN domain text GENERATED ALWAYS AS (settings ->> 'domain') STORED;
