-- Rewrites the tables, so no later than now. All of them were written in UTC.
SET LOCAL timezone = 'UTC';
ALTER TABLE users ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC';
ALTER TABLE teams ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC';
ALTER TABLE issues
    ALTER COLUMN opened_at TYPE timestamptz USING opened_at AT TIME ZONE 'UTC',
    ALTER COLUMN closed_at TYPE timestamptz USING closed_at AT TIME ZONE 'UTC';
ALTER TABLE comments ALTER COLUMN posted_at TYPE timestamptz USING posted_at AT TIME ZONE 'UTC';
ALTER TABLE sessions ALTER COLUMN expires_at TYPE timestamptz USING expires_at AT TIME ZONE 'UTC';
ALTER TABLE mentions ALTER COLUMN seen_at TYPE timestamptz USING seen_at AT TIME ZONE 'UTC';
