CREATE TABLE commits (
    project_id   BIGINT UNSIGNED NOT NULL,
    sha          CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    message      TEXT NOT NULL,
    committed_at DATETIME NOT NULL,
    PRIMARY KEY (project_id, sha)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
PARTITION BY HASH (project_id) PARTITIONS 2;
