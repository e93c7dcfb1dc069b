CREATE TABLE time_entries (
    id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    issue_id BIGINT UNSIGNED NOT NULL,
    user_id  BIGINT UNSIGNED NOT NULL,
    minutes  SMALLINT UNSIGNED NOT NULL CHECK (minutes > 0 AND minutes <= 24 * 60),
    spent_on DATE NOT NULL DEFAULT (CURRENT_DATE),
    KEY time_entries_by_user (user_id, spent_on DESC),
    CONSTRAINT time_entries_issue FOREIGN KEY (issue_id) REFERENCES issues (id) ON DELETE CASCADE,
    CONSTRAINT time_entries_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB;
