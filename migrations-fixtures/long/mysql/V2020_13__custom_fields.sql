CREATE TABLE custom_fields (
    id         INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    project_id BIGINT UNSIGNED NOT NULL,
    name       VARCHAR(60) NOT NULL,
    kind       ENUM('text', 'number', 'date', 'choice') NOT NULL,
    options    JSON,
    CONSTRAINT custom_fields_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE custom_field_values (
    issue_id BIGINT UNSIGNED NOT NULL,
    field_id INT UNSIGNED NOT NULL,
    value    VARCHAR(500),
    PRIMARY KEY (issue_id, field_id),
    FOREIGN KEY (issue_id) REFERENCES issues (id) ON DELETE CASCADE,
    FOREIGN KEY (field_id) REFERENCES custom_fields (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
