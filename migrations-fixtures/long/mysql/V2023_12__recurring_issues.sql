CREATE TABLE recurring_issues (
    id          INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    template_id INT UNSIGNED NOT NULL,
    every       ENUM('day', 'week', 'month') NOT NULL,
    next_on     DATE NOT NULL,
    paused      BOOLEAN NOT NULL DEFAULT FALSE,
    FOREIGN KEY (template_id) REFERENCES issue_templates (id) ON DELETE CASCADE
) ENGINE=InnoDB;
