CREATE TABLE feature_flags (
    name    VARCHAR(60) NOT NULL PRIMARY KEY,
    enabled BOOLEAN NOT NULL DEFAULT FALSE,
    rollout TINYINT UNSIGNED NOT NULL DEFAULT 100,
    note    VARCHAR(200),
    CONSTRAINT feature_flags_rollout CHECK (rollout BETWEEN 0 AND 100)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO feature_flags (name, enabled, rollout) VALUES ('board', FALSE, 10), ('dark-mode', TRUE, 100);
CREATE TABLE feature_flag_teams (
    flag    VARCHAR(60) NOT NULL,
    team_id BIGINT UNSIGNED NOT NULL,
    enabled BOOLEAN NOT NULL,
    PRIMARY KEY (flag, team_id),
    CONSTRAINT flag_teams_flag FOREIGN KEY (flag) REFERENCES feature_flags (name) ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT flag_teams_team FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
