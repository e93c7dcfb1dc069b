CREATE TABLE jobs (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    queue      VARCHAR(40) NOT NULL DEFAULT 'default',
    payload    JSON NOT NULL,
    run_at     DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    locked_by  VARCHAR(60),
    attempts   INT NOT NULL DEFAULT 0,
    last_error TEXT,
    KEY jobs_ready (queue, locked_by, run_at)
) ENGINE=InnoDB AUTO_INCREMENT=1000 DEFAULT CHARSET=utf8mb4 COMMENT='what waits; see jobs.md';
