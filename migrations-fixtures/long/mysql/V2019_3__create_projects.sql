CREATE TABLE projects (
    id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    team_id  BIGINT UNSIGNED NOT NULL,
    `key`    VARCHAR(10) NOT NULL,
    title    VARCHAR(200) NOT NULL,
    archived TINYINT(1) NOT NULL DEFAULT 0,
    UNIQUE KEY projects_key (team_id, `key`),
    CONSTRAINT projects_team FOREIGN KEY (team_id) REFERENCES teams (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
