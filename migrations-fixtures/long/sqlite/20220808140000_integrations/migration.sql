CREATE TABLE integrations (
    id         INTEGER PRIMARY KEY,
    team_id    INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    provider   TEXT NOT NULL,
    settings   TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(settings)),
    enabled    INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX integrations_one_each ON integrations (team_id, provider) WHERE enabled;
