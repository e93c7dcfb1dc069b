CREATE TABLE labels (
    id         INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    project_id BIGINT UNSIGNED NOT NULL,
    name       VARCHAR(60) NOT NULL,
    colour     CHAR(7) NOT NULL DEFAULT '#cccccc',
    UNIQUE KEY labels_name (project_id, name),
    CONSTRAINT labels_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE issue_labels (
    issue_id BIGINT UNSIGNED NOT NULL,
    label_id INT UNSIGNED NOT NULL,
    PRIMARY KEY (issue_id, label_id),
    CONSTRAINT issue_labels_issue FOREIGN KEY (issue_id) REFERENCES issues (id) ON DELETE CASCADE,
    CONSTRAINT issue_labels_label FOREIGN KEY (label_id) REFERENCES labels (id) ON DELETE CASCADE
) ENGINE=InnoDB;
