CREATE TABLE integrations (
    id       bigserial PRIMARY KEY,
    team_id  bigint NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    provider text NOT NULL,
    settings jsonb NOT NULL DEFAULT '{}',
    enabled  boolean NOT NULL DEFAULT true
);
CREATE UNIQUE INDEX integrations_one_each ON integrations (team_id, provider) WHERE enabled;
