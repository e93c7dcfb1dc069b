CREATE TABLE notification_settings (
    user_id    BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    email      BOOLEAN NOT NULL DEFAULT TRUE,
    push       BOOLEAN NOT NULL DEFAULT FALSE,
    quiet_from TIME,
    quiet_to   TIME,
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB;
INSERT INTO notification_settings (user_id) SELECT id FROM users;
