CREATE TABLE roadmap_items (
    id        INTEGER PRIMARY KEY,
    team_id   INTEGER NOT NULL REFERENCES teams (id),
    title     TEXT NOT NULL,
    starts_on TEXT NOT NULL,
    ends_on   TEXT NOT NULL,
    days      INTEGER GENERATED ALWAYS AS (julianday(ends_on) - julianday(starts_on) + 1) VIRTUAL,
    CHECK (ends_on >= starts_on)
);
