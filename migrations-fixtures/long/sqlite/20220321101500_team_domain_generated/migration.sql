ALTER TABLE teams ADD COLUMN domain TEXT GENERATED ALWAYS AS (json_extract(settings, '$.domain')) VIRTUAL;
CREATE INDEX teams_domain ON teams (domain);
