CREATE TABLE api_tokens (
    id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id      BIGINT UNSIGNED NOT NULL,
    label        VARCHAR(100) NOT NULL,
    token_hash   VARBINARY(64) NOT NULL,
    scopes       SET('read', 'write', 'admin') NOT NULL DEFAULT 'read',
    last_used_at DATETIME,
    revoked_at   DATETIME,
    UNIQUE KEY api_tokens_hash (token_hash),
    CONSTRAINT api_tokens_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
