CREATE TABLE webhooks (
    id         INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    project_id BIGINT UNSIGNED NOT NULL,
    url        VARCHAR(1000) NOT NULL,
    secret     VARCHAR(100) NOT NULL,
    events     JSON NOT NULL DEFAULT (JSON_ARRAY('*')),
    active     BOOLEAN NOT NULL DEFAULT TRUE,
    CONSTRAINT webhooks_https CHECK (url LIKE 'https://%'),
    CONSTRAINT webhooks_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE webhook_deliveries (
    id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    webhook_id  INT UNSIGNED NOT NULL,
    body        MEDIUMTEXT NOT NULL,
    status_code SMALLINT,
    tries       SMALLINT NOT NULL DEFAULT 0,
    next_try_at DATETIME,
    KEY webhook_deliveries_due (next_try_at, status_code),
    CONSTRAINT webhook_deliveries_hook FOREIGN KEY (webhook_id) REFERENCES webhooks (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
