CREATE TABLE issue_events (
    id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    issue_id BIGINT UNSIGNED NOT NULL,
    actor_id BIGINT UNSIGNED,
    kind     VARCHAR(20) NOT NULL,
    data     JSON NOT NULL,
    at       DATETIME(6) NOT NULL,
    KEY issue_events_issue (issue_id, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
SELECT id, issue_id, actor_id, verb AS kind, JSON_OBJECT('detail', detail) AS data, at FROM activity;
