-- latin1 "is enough for now". It was not: see 2019_17.
CREATE TABLE issues (
    id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    project_id  BIGINT UNSIGNED NOT NULL,
    number      INT UNSIGNED NOT NULL,
    title       VARCHAR(200) NOT NULL,
    body        TEXT,
    status      VARCHAR(20) NOT NULL DEFAULT 'open',
    author_id   BIGINT UNSIGNED NOT NULL,
    assignee_id BIGINT UNSIGNED,
    opened_at   DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    closed_at   DATETIME,
    UNIQUE KEY issues_number (project_id, number),
    KEY issues_assignee (assignee_id),
    KEY issues_status (project_id, status),
    CONSTRAINT issues_project FOREIGN KEY (project_id) REFERENCES projects (id),
    CONSTRAINT issues_author FOREIGN KEY (author_id) REFERENCES users (id),
    CONSTRAINT issues_assignee FOREIGN KEY (assignee_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=latin1;
