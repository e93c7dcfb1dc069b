CREATE TABLE exports (
    id           CHAR(36) NOT NULL PRIMARY KEY,
    user_id      BIGINT UNSIGNED NOT NULL,
    requested_at DATETIME NOT NULL DEFAULT NOW(),
    ready_at     DATETIME,
    path         VARCHAR(500),
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
