CREATE TABLE identity_providers (
    id      INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    team_id BIGINT UNSIGNED NOT NULL UNIQUE,
    kind    ENUM('oidc', 'saml') NOT NULL,
    issuer  VARCHAR(300) NOT NULL,
    config  JSON NOT NULL,
    FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE identities (
    provider_id INT UNSIGNED NOT NULL,
    subject     VARCHAR(190) NOT NULL,
    user_id     BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (provider_id, subject),
    FOREIGN KEY (provider_id) REFERENCES identity_providers (id) ON DELETE CASCADE,
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
ALTER TABLE users MODIFY password_hash VARCHAR(255) NULL;
