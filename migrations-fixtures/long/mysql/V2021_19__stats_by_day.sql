CREATE TABLE stats_by_day (
    day        DATE NOT NULL,
    project_id BIGINT UNSIGNED NOT NULL,
    opened     INT NOT NULL DEFAULT 0,
    closed     INT NOT NULL DEFAULT 0,
    PRIMARY KEY (day, project_id)
) ENGINE=InnoDB;
INSERT INTO stats_by_day (day, project_id, opened)
SELECT DATE(opened_at), project_id, COUNT(*) FROM issues GROUP BY DATE(opened_at), project_id
ON DUPLICATE KEY UPDATE opened = VALUES(opened);
