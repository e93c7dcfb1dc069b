CREATE TABLE feature_flags (
    name    text PRIMARY KEY,
    enabled boolean NOT NULL DEFAULT false,
    rollout smallint NOT NULL DEFAULT 100 CHECK (rollout BETWEEN 0 AND 100),
    note    text
);
INSERT INTO feature_flags (name, enabled, rollout) VALUES ('board', false, 10), ('dark-mode', true, 100);
CREATE TABLE feature_flag_teams (
    flag    text NOT NULL REFERENCES feature_flags (name) ON UPDATE CASCADE ON DELETE CASCADE,
    team_id bigint NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    enabled boolean NOT NULL,
    PRIMARY KEY (flag, team_id)
);
