-- Full text over titles and bodies, kept by the database itself.
ALTER TABLE issues ADD COLUMN search tsvector
    GENERATED ALWAYS AS (
        setweight(to_tsvector('english'::regconfig, title), 'A') ||
        setweight(to_tsvector('english'::regconfig, coalesce(body, '')), 'B')
    ) STORED;
