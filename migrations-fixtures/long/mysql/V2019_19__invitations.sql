CREATE TABLE invitations (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    team_id    BIGINT UNSIGNED NOT NULL,
    email      VARCHAR(190) NOT NULL,
    token      CHAR(36) NOT NULL DEFAULT (UUID()),
    invited_by BIGINT UNSIGNED,
    accepted   BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE KEY invitations_token (token),
    CONSTRAINT invitations_team FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE,
    CONSTRAINT invitations_by FOREIGN KEY (invited_by) REFERENCES users (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
