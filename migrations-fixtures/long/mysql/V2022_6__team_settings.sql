ALTER TABLE teams ADD COLUMN settings JSON NOT NULL DEFAULT (JSON_OBJECT());
UPDATE teams SET settings = JSON_SET(settings, '$.domain', 'tracker.example') WHERE slug = 'us';
ALTER TABLE teams ADD COLUMN domain VARCHAR(100) GENERATED ALWAYS AS (JSON_UNQUOTE(JSON_EXTRACT(settings, '$.domain'))) VIRTUAL;
CREATE INDEX teams_domain ON teams (domain);
