CREATE TABLE integrations (
    id         INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    team_id    BIGINT UNSIGNED NOT NULL,
    provider   VARCHAR(40) NOT NULL,
    settings   JSON NOT NULL,
    enabled    BOOLEAN NOT NULL DEFAULT TRUE,
    CONSTRAINT integrations_team FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE integrations_archive LIKE integrations;
