CREATE TABLE rate_limits (
    bucket   VARCHAR(100) NOT NULL,
    `window` INT UNSIGNED NOT NULL,
    used     INT UNSIGNED NOT NULL DEFAULT 0,
    PRIMARY KEY (bucket, `window`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
